package page

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
)

// evil is what a file may hold where a name is expected.
const evil = "<script>alert(1)</script>|*x*[a](b)\x1b[31m"

func sample() *Page {
	p := &Page{Title: "Report of " + evil}
	p.Say("Before all: `RECIPE.SAMPLING` of %s.", evil)
	p.Section("First " + evil)
	p.Part("A part")
	p.Table([][]string{{"class", "n", "what"}, {evil, "3", "−1.5 (−2.0 … −1.0)"}, {"b", "–", "+2.5"}})
	p.List("one " + evil)
	p.Plain("a ``` fence " + evil + "\nsecond line")
	p.Section("Second")
	w := Words{Title: "Figure " + evil, Caption: "How it is read " + evil, Text: "drawn in letters"}
	p.Draw(Forest{Words: w, Reference: evil, Unit: "points", Rows: []Difference{{evil, "+1.5", 1.5, -.5, 3.5},
		{"b", "", -2, math.NaN(), math.NaN()}}})
	p.Draw(Dots{Words: w, Unit: "%", Groups: []string{evil, "b"}, Series: []DotSeries{{evil, [][]float64{{50, 60}, {}}}}})
	p.Draw(Grid{Words: w, Across: "said", Down: "true", Rows: []string{evil, "b"},
		Columns: []string{evil, "b", "unparsed"}, Counts: [][]int{{3, 0, 1}, {0, 0, 0}}})
	p.Draw(Lines{Words: w, X: "step", Y: evil, Log: true, Series: []LineSeries{{evil, [][]Point{{{1, 5}, {2, 0},
		{3, math.NaN()}, {4, .01}}, {}}}}})
	p.Draw(Lines{Words: w, Series: []LineSeries{{"alone", [][]Point{{{1, 1}}}}}})
	return p
}

// The page is one file that runs and fetches nothing, whatever the names in it are.
func TestAPageRunsAndFetchesNothing(t *testing.T) {
	text := sample().HTML()
	if !strings.HasPrefix(text, Doctype) || !strings.Contains(text, "default-src 'none'") {
		t.Error("the page does not begin as it should, or may fetch something")
	}
	for _, wrong := range []string{"<script", "http://", "https://", "url(", "@import", "<img", "<link", "\x1b", " on"} {
		for at := range strings.SplitSeq(text, "\n") {
			if strings.Contains(at, wrong) && (wrong != " on" || regexp.MustCompile(`<[^>]* on\w+=`).MatchString(at)) {
				t.Errorf("the page has %q: %s", wrong, at)
			}
		}
	}
	// What stands in it is well formed: every element is closed where it should be.
	d := xml.NewDecoder(strings.NewReader(text[len(Doctype):]))
	d.Strict, d.Entity = true, xml.HTMLEntity
	ids, links, drawn := map[string]bool{}, []string{}, map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		drawn[start.Name.Local]++
		for _, a := range start.Attr {
			switch {
			case a.Name.Local == "id" && ids[a.Value]:
				t.Errorf("the id %s stands twice", a.Value)
			case a.Name.Local == "id":
				ids[a.Value] = true
			case a.Name.Local == "href":
				links = append(links, strings.TrimPrefix(a.Value, "#"))
			case a.Name.Local == "aria-labelledby":
				links = append(links, strings.Fields(a.Value)...)
			case strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf"):
				t.Errorf("%s has %s=%q", start.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	for _, to := range links {
		if !ids[to] {
			t.Errorf("a link leads to %q, which is not there", to)
		}
	}
	if drawn["svg"] != 5 || drawn["rect"] < 8 || drawn["circle"] < 1 || drawn["line"] < 20 || drawn["path"] < 3 {
		t.Errorf("the drawings hold %v", drawn)
	}
	if len(links) < 3+2*5 {
		t.Errorf("only %d links: three headings and five drawings have some", len(links))
	}
}

// Both forms say the same figures, and what a file holds acts in neither.
func TestMarkdownSaysWhatThePageSays(t *testing.T) {
	p := sample()
	text, page := p.Markdown(), p.HTML()
	for _, figure := range []string{"−1.5 (−2.0 … −1.0)", "+2.5", "second line"} {
		if !strings.Contains(text, figure) || !strings.Contains(page, figure) {
			t.Errorf("%q does not stand in both", figure)
		}
	}
	for _, part := range []string{"# Report of", "## Second", "### A part", "`RECIPE.SAMPLING`", "drawn in letters",
		"````\na ``` fence", `\|`} {
		if !strings.Contains(text, part) {
			t.Errorf("the Markdown lacks %q", part)
		}
	}
	outside := regexp.MustCompile("(?s)````.*?````").ReplaceAllString(text, "")
	for _, wrong := range []string{"<script", "\x1b", "[a]("} {
		if strings.Contains(strings.ReplaceAll(outside, `\[`, ""), wrong) {
			t.Errorf("the Markdown has %q", wrong)
		}
	}
	for line := range strings.SplitSeq(outside, "\n") {
		if strings.HasPrefix(line, "|") {
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if cells != 4 {
				t.Errorf("a row of 3 cells has %d bars: %s", cells, line)
			}
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{{-.7, 3.4, []float64{0, 1, 2, 3}},
		{60, 100, []float64{60, 70, 80, 90, 100}}, {0, .03, []float64{0, .01, .02, .03}}} {
		got := scale{low: c.low, high: c.high}.ticks(5)
		if len(got) != len(c.want) {
			t.Errorf("%v … %v: %v, want %v", c.low, c.high, got, c.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-12 {
				t.Errorf("%v … %v: %v, want %v", c.low, c.high, got, c.want)
			}
		}
	}
}
