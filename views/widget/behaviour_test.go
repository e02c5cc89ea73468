package widget

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"finetui/core/config"
)

var plain = NewTheme(true, false)

func shown(view func(*Theme, int, int) string, w, h int) string { return ansi.Strip(view(plain, w, h)) }

func TestWindowHoldsTheSelectedLine(t *testing.T) {
	for n := range 30 {
		for h := 1; h < 12; h++ {
			for i := range n {
				first, end := List{i}.Window(n, h)
				if i < first || i >= end || end-first != min(n, h) || first < 0 || end > n {
					t.Fatalf("line %d of %d in %d lines: %d … %d", i, n, h, first, end)
				}
			}
		}
	}
}

func TestMovesStopAtTheEnds(t *testing.T) {
	var l List
	for _, c := range []struct {
		move Move
		want int
	}{{Up, 0}, {Down, 1}, {PageDown, 5}, {Last, 9}, {Down, 9}, {PageUp, 5}, {First, 0}, {MoveLeft, 0}} {
		if l.Move(c.move, 10, 5); l.Index != c.want {
			t.Errorf("move %d went to %d, want %d", c.move, l.Index, c.want)
		}
	}
	if l.Move(Last, 0, 5); l.At(0) != -1 || l.Index != 0 {
		t.Errorf("nothing to select, but %d", l.Index)
	}
}

func TestBarsEndOnEighths(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{{0, ""}, {1e-9, "▏"}, {0.5, "██"}, {0.53125, "██▏"}, {1, "████"}, {3, "████"}, {math.NaN(), ""}} {
		if got := Block8(c.share, 4); got != c.want {
			t.Errorf("%v: %q, want %q", c.share, got, c.want)
		}
	}
}

func TestSmoothingIsDebiased(t *testing.T) {
	got := Smooth([]float64{4, 4, math.NaN(), 4, 8}, 0.5)
	// s/(1−0.5⁴) with s = 0.5·(0.5·(0.5·(0.5·4)+0.5·4)+0.5·4) + 0.5·8, worked by hand: 5.75/0.9375
	want := []float64{4, 4, math.NaN(), 4, 5.75 / 0.9375}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("value %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func series(y ...float64) Line {
	x := make([]float64, len(y))
	for i := range x {
		x[i] = float64(i)
	}
	return Line{X: x, Y: y}
}

func TestOneSpikeInALongSeriesIsSeen(t *testing.T) {
	y := make([]float64, 100_000)
	y[54_321] = 1
	chart := LineChart{Lines: []Line{series(y...)}}
	top := strings.Split(shown(chart.View, 60, 12), "\n")[0]
	if !strings.ContainsFunc(top, func(r rune) bool { return r > 0x2800 && r <= 0x28ff }) {
		t.Errorf("the spike is not in the top line: %q", top)
	}
}

func TestClippedAndBrokenPointsAreMarked(t *testing.T) {
	y := make([]float64, 100)
	for i := range y {
		y[i] = 1 + 0.1*math.Sin(float64(i))
	}
	y[30], y[50], y[70] = 500, -500, math.NaN()
	chart := shown(LineChart{IgnoreOutliers: true, Lines: []Line{series(y...)}}.View, 60, 12)
	for _, sign := range []string{"▲", "▼", "✗"} {
		if strings.Count(chart, sign) != 1 {
			t.Errorf("%s appears %d times:\n%s", sign, strings.Count(chart, sign), chart)
		}
	}
	if chart := shown(LineChart{LogY: true, Lines: []Line{series(1, 10, 0, 100)}}.View, 60,
		12); !strings.Contains(chart, "▼") {
		t.Errorf("zero on a logarithmic axis is not marked:\n%s", chart)
	}
}

func TestStepGoingBackStartsANewLine(t *testing.T) {
	through := LineChart{Lines: []Line{{X: []float64{0, 10, 5, 10}, Y: []float64{0, 0, 1, 1}}}}
	apart := LineChart{Lines: []Line{{X: []float64{0, 10}, Y: []float64{0, 0}},
		{X: []float64{5, 10}, Y: []float64{1, 1}}}}
	if a, b := shown(through.View, 50, 10), shown(apart.View, 50, 10); a != b {
		t.Errorf("joined across the step back:\n%s\nwant\n%s", a, b)
	}
}

func TestLinesAreToldApartWithoutColour(t *testing.T) {
	a, b := series(1, 2, 3), series(3, 2, 1)
	a.Name, b.Name = "basic", "enhanced"
	chart := shown(LineChart{Lines: []Line{a, b}}.View, 60, 10)
	if !strings.Contains(chart, "A basic") || !strings.Contains(chart, "B enhanced") ||
		strings.Count(chart, "A") != 2 || strings.Count(chart, "B") != 2 {
		t.Errorf("letters are missing in legend or plot:\n%s", chart)
	}
}

func TestTableCutsAndDropsColumns(t *testing.T) {
	table := Table{
		Columns: []Column{{Title: "class", Flex: true}, {Title: "n", Right: true, Priority: 2},
			{Title: "recall", Right: true, Priority: 1}},
		Rows: [][]Cell{
			{{Text: "slope drain damaged"}, {Text: "148"}, {Text: "50 %"}},
			{{Text: "Toe drain"}, {Text: "52"}, {Text: Missing}},
			{{Text: "rock toe"}, {Text: "366"}, {Text: "90 %"}},
		},
	}
	for _, c := range []struct {
		w    int
		want string
	}{
		{40, "class                  n  recall\nslope drain damaged  148    50 %       ↓"},
		{28, "class            n  recall\nslope drain …  148    50 % ↓"},
		{16, "class          n\nslope drai…  148"},
	} {
		table.Cursor = nil
		if got := trimmed(shown(table.View, c.w, 2)); got != c.want {
			t.Errorf("%d cells:\n%s\nwant\n%s", c.w, got, c.want)
		}
	}
	table.Cursor = &List{}
	if table.Click(2, 10); table.Selected() != 1 {
		t.Errorf("a click on the second line selected %d", table.Selected())
	}
}

func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestFuzzyPrefersBeginningsAndRows(t *testing.T) {
	texts := []string{"previous view", "next view", "save", "new run", "resume run"}
	for _, c := range []struct{ pattern, want string }{{"nv", "next view"}, {"nr", "new run"}, {"resume", "resume run"},
		{"SAVE", "save"}, {"prevvi", "previous view"}} {
		best, score := "", -1
		for _, text := range texts {
			if s, ok := Fuzzy(c.pattern, text); ok && s > score {
				best, score = text, s
			}
		}
		if best != c.want {
			t.Errorf("%q finds %q, want %q", c.pattern, best, c.want)
		}
	}
	if _, ok := Fuzzy("xyz", "next view"); ok {
		t.Error("letters that are not there were found")
	}
}

func press(keys ...rune) (msgs []tea.Msg) {
	for _, key := range keys {
		msg := tea.KeyPressMsg{Code: key}
		if key >= ' ' && key < 0x7f {
			msg.Text = string(key)
		}
		msgs = append(msgs, msg)
	}
	return msgs
}

func TestPromptRefusesWithAReasonAndRemembers(t *testing.T) {
	p := NewPrompt("EPOCHS", "3")
	p.Check = func(s string) error {
		if s == "3x" {
			return errors.New("3x is no whole number")
		}
		return nil
	}
	feed := func(keys ...rune) (outcome Outcome) {
		for _, msg := range press(keys...) {
			outcome, _ = p.Update(msg)
		}
		return outcome
	}
	if outcome := feed('x', tea.KeyEnter); outcome != Editing || p.Error == "" || p.Value() != "3x" {
		t.Errorf("outcome %d, error %q, value %q", outcome, p.Error, p.Value())
	}
	if outcome := feed(tea.KeyBackspace, tea.KeyEnter); outcome != Accepted || p.Error != "" || p.Value() != "3" {
		t.Errorf("outcome %d, error %q, value %q", outcome, p.Error, p.Value())
	}
	p.SetValue("dra")
	if feed(tea.KeyUp); p.Value() != "3" {
		t.Errorf("↑ gives %q", p.Value())
	}
	if feed(tea.KeyDown); p.Value() != "dra" {
		t.Errorf("↓ gives %q", p.Value())
	}
	p.Suggest([]string{"drains/", "demo/"})
	if feed('i', tea.KeyTab); p.Value() != "drains/" {
		t.Errorf("tab gives %q", p.Value())
	}
	if outcome := feed(tea.KeyEscape); outcome != Cancelled {
		t.Errorf("esc gives %d", outcome)
	}
}

func TestCursorOfALongTextStaysInSight(t *testing.T) {
	p := NewPrompt("P", strings.Repeat("斜面 drain ", 20))
	for range 260 {
		for w := 6; w < 40; w += 3 {
			view := p.View(NewTheme(true, false), w)
			if Width(view) != w || !strings.Contains(view, "\x1b[7m") {
				t.Fatalf("at %d cells, %d wide: %q", w, Width(view), view)
			}
		}
		p.Update(tea.KeyPressMsg{Code: tea.KeyLeft})
	}
}

func TestChoiceFiltersAndSkipsWhatIsOff(t *testing.T) {
	c := NewChoice("Presets", true, Option{Text: "basic"}, Option{Text: "enhanced"}, Option{Text: "enhanced-original",
		Off: true})
	for _, msg := range press('e', 'n', 'h') {
		c.Update(msg)
	}
	if c.Chosen() != 1 {
		t.Errorf("chosen %d", c.Chosen())
	}
	c.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	if outcome, _ := c.Update(tea.KeyPressMsg{Code: tea.KeyEnter}); outcome != Editing {
		t.Error("an option that is off was accepted")
	}
}

func TestPicturesKeepTheirShape(t *testing.T) {
	for _, c := range []struct{ pw, ph, w, h, cols, rows int }{
		{640, 640, 80, 20, 40, 20}, {640, 480, 40, 40, 40, 15}, {100, 1000, 80, 20, 4, 20}, {1000, 1, 80, 20, 80, 1},
		{0, 5, 80, 20, 0, 0},
	} {
		if cols, rows := PictureSize(c.pw, c.ph, c.w, c.h); cols != c.cols || rows != c.rows {
			t.Errorf("%d×%d in %d×%d: %d×%d, want %d×%d", c.pw, c.ph, c.w, c.h, cols, rows, c.cols, c.rows)
		}
	}
}

func TestPixelsBecomeTheNearestGlyph(t *testing.T) {
	white, black := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}
	img := image.NewRGBA(image.Rect(0, 0, 4, 4))
	for y := range 4 {
		for x := range 4 {
			img.Set(x, y, black)
			if x == y {
				img.Set(x, y, white)
			}
		}
	}
	r := NewRaster(img)
	if scaled := r.Scale(2, 2); scaled.at(0, 0) != (color.RGBA{128, 128, 128, 255}) || scaled.at(1, 0) != black {
		t.Errorf("the means are %v", scaled.RGB)
	}
	if mask, ink, ground := twoColours([4]color.RGBA{black, white, white, black}); mask != 6 || ink != white ||
		ground != black {
		t.Errorf("the diagonal is %04b, %v on %v", mask, ink, ground)
	}
	if got := ansi.Strip(strings.Join(NewPicture(Quadrants, r.Scale(2, 2), 1, 1).Lines, "\n")); got != "▞" {
		t.Errorf("grey on the diagonal is drawn as %q", got)
	}
}

func TestOutlineAndItsLabelAreDrawnInsideThePicture(t *testing.T) {
	r := NewRaster(image.NewRGBA(image.Rect(0, 0, 80, 80)))
	o := Outline{X0: 0.25, Y0: 0.25, X1: 0.75, Y1: 0.75, Colour: color.RGBA{255, 0, 0, 255}, Label: "1"}
	got := ansi.Strip(strings.Join(NewPicture(ASCII, r, 16, 8, o).Lines, "\n"))
	want := strings.Join([]string{
		"                ", "                ",
		"    1───────┐   ", "    │       │   ", "    │       │   ", "    │       │   ", "    └───────┘   ",
		"                "}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPictureModeSaysWhy(t *testing.T) {
	for _, c := range []struct {
		want    config.Images
		profile colorprofile.Profile
		mode    PictureMode
	}{
		{"auto", colorprofile.TrueColor, Quadrants}, {"auto", colorprofile.ANSI256, Halves},
		{"auto", colorprofile.ASCII, ASCII}, {"auto", colorprofile.NoTTY, Words},
		{"ascii", colorprofile.TrueColor, ASCII}, {"words", colorprofile.TrueColor, Words},
		{"blocks", colorprofile.TrueColor, Quadrants}, {"blocks", colorprofile.ASCII, ASCII},
	} {
		if mode, why := ChoosePictures(c.want, c.profile); mode != c.mode || why == "" {
			t.Errorf("%s on %v: %v because %q, want %v", c.want, c.profile, mode, why, c.mode)
		}
	}
}

func TestRightEndOfATitleIsWholeOrNotThere(t *testing.T) {
	for _, c := range []struct {
		titles []string
		right  string
		w      int
		want   string
	}{
		{[]string{"Tokens a second"}, "17,312", 40, "╭ Tokens a second ──────────── 17,312 ─╮"},
		{[]string{"Tokens a second"}, "17,312", 27, "╭ Tokens a seco…  17,312 ─╮"},
		{[]string{"Tokens a second"}, "17,312", 22, "╭ Tokens a second ───╮"},
		{[]string{"Weighted loss · 0003-enhanced"}, "smoothing 0.9 (, .)", 46,
			"╭ Weighted loss · 0003-enhanced ─────────────╮"},
		{[]string{"Constants", "Events", "Log"}, "≠ not the default", 41, "╭ [Constants] Events Log ───────────────╮"},
		{[]string{"斜坡排水沟 damaged"}, "3 of 38", 26, "╭ 斜坡排水沟 …  3 of 38 ─╮"},
	} {
		p := Panel{Titles: c.titles, Right: c.right}
		top, _, _ := strings.Cut(ansi.Strip(p.View(plain, "", c.w, 3)), "\n")
		if top != c.want || Width(top) != c.w {
			t.Errorf("%v at %d is %q, want %q", c.titles, c.w, top, c.want)
		}
	}
}

// On sixteen colours nothing may be white on a light ground or black on a dark one, and focus, muted text and the
// selection must differ.
func TestBasicThemeNamesTheTerminalsOwnColours(t *testing.T) {
	for _, dark := range []bool{true, false} {
		theme := NewBasicTheme(dark)
		hidden := map[color.Color]bool{ansi.White: true, ansi.BrightWhite: true}
		if dark {
			hidden = map[color.Color]bool{ansi.Black: true}
		}
		for name, style := range map[string]Style{"muted": theme.Muted, "accent": theme.Accent,
			"warning": theme.Warning, "bar": theme.Bar, "border": theme.Border, "focus": theme.Focus,
			"key": theme.Key} {
			ink := style.Look().GetForeground()
			if _, basic := ink.(ansi.BasicColor); !basic || hidden[ink] {
				t.Errorf("dark %v: %s is %v", dark, name, ink)
			}
		}
		same := func(a, b Style) bool { return a.Render("x") == b.Render("x") }
		if same(theme.Muted, theme.Accent) || same(theme.Border, theme.Focus) || !theme.Selected.Look().GetReverse() ||
			!same(theme.Heat(0.5), Style{}) {
			t.Errorf("dark %v: styles that must differ do not", dark)
		}
	}
}

func TestFaintSeriesGiveWayInALegend(t *testing.T) {
	c := LineChart{Lines: []Line{{Name: "raw", Y: []float64{1}, Faint: true}, {Name: "smooth", Y: []float64{2}},
		{Name: "valid", Y: []float64{3}, Glyph: "◆"}}}
	for w, want := range map[int]string{60: "┈ raw 1.00   ━ smooth 2.00   ◆ valid 3.00",
		30: "━ smooth 2.00   ◆ valid 3.00", 20: "━ smooth   ◆ valid", 12: "━ smooth   …"} {
		if got := ansi.Strip(c.legend(plain, w)[0]); got != want {
			t.Errorf("in %d cells %q, want %q", w, got, want)
		}
	}
}

func TestProbabilityHasTheDigitsThatMeanSomething(t *testing.T) {
	for p, want := range map[float64]string{0: "< 0.001", 0.0009: "< 0.001", 0.0215: "0.021", 0.0999: "0.100",
		0.27: "0.27", 1: "1.00"} {
		if got := Probability(p); got != want {
			t.Errorf("%g is %q, want %q", p, got, want)
		}
	}
}

func TestALongTableAsksForTheLinesThatAreSeen(t *testing.T) {
	theme := NewTheme(true, false)
	columns := []Column{{Title: "sample", Flex: true}, {Title: "n", Right: true}}
	for _, at := range []int{0, 60_000, 99_999} {
		asked := 0
		long := Table{Columns: columns, Cursor: &List{Index: at}, Len: 100_000, Row: func(i int) []Cell {
			asked++
			return []Cell{{Text: fmt.Sprintf("picture-%06d", i)}, {Text: fmt.Sprint(i)}}
		}}
		screen := long.View(theme, 40, 12)
		if asked > 400 {
			t.Errorf("%d lines are made for a screen of 12", asked)
		}
		if !strings.Contains(ansi.Strip(screen), fmt.Sprintf("▸picture-%06d", at)) || long.Selected() != at {
			t.Errorf("line %d is not seen as the selected one:\n%s", at, screen)
		}
	}
	short := Table{Columns: columns}
	short.Rows = [][]Cell{{{Text: "a"}, {Text: "1"}}, {{Text: "bc"}, {Text: "22"}}}
	long := Table{Columns: columns, Len: 2, Row: func(i int) []Cell { return short.Rows[i] }}
	if a, b := short.View(theme, 30, 5), long.View(theme, 30, 5); a != b {
		t.Errorf("the same lines, otherwise drawn:\n%s\n%s", a, b)
	}
	if empty := (Table{Columns: columns, Row: func(int) []Cell { panic("no line") }}); empty.View(theme, 30, 5) == "" {
		t.Error("an empty table has no heading")
	}
}

// A wide panel is filled by bars of one width, whose bins are joined alike; a narrow one has a bar for each cell.
func TestBarsFillAWidePanel(t *testing.T) {
	g := Histogram{Counts: make([]float64, 60)}
	for w, want := range map[int][2]int{40: {40, 1}, 60: {60, 1}, 61: {60, 1}, 112: {30, 3}, 130: {60, 2}, 8: {8, 1}} {
		if n, each := g.columns(w); n != want[0] || each != want[1] {
			t.Errorf("%d cells: %d bars of %d, not %d of %d", w, n, each, want[0], want[1])
		}
	}
}

// A colour that means something is never white on white: on a light background it is darkened, on a dark one it stays.
func TestInkIsSeenOnALightBackground(t *testing.T) {
	for _, c := range []color.RGBA{{255, 255, 255, 255}, {240, 228, 66, 255}, {0, 114, 178, 255}} {
		for _, dark := range []bool{true, false} {
			ink := color.RGBAModel.Convert(NewTheme(dark, true).Ink(c).Look().GetForeground()).(color.RGBA)
			if seen := luminance(ink) < 0.56; !dark && !seen || dark && ink != c || luminance(c) < 0.5 && ink != c {
				t.Errorf("%v on dark=%v is written in %v", c, dark, ink)
			}
		}
	}
}
