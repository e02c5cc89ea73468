package convert

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
)

// words counts tokens for tests: one a word.
func words(text string) int { return len(strings.Fields(text)) }

// records are conversations of every kind.
var records = []Record{
	{ID: "one", Weight: 1, Channel: "a", Turns: []Turn{
		{Role: User, Parts: []Part{{Kind: Image, Path: "media/a b.png"}, {Text: "What & \"where\"?\n<b>"}}},
		Say(Assistant, "A drain – überall."),
	}},
	{ID: "two", System: "Be brief.", Weight: 2.5, Channel: "b", Turns: []Turn{
		{Role: User, Parts: []Part{{Kind: Image, Path: "../1.jpg"}, {Kind: Image, Path: "2.jpg"}, {Text: "\nBoth?"}}},
		Say(Assistant, "Yes, both of them."),
		Say(User, "Sure?"), {Role: Assistant, Parts: []Part{{Text: "No."}}},
		{Role: User, Parts: []Part{{Text: "And "}, {Kind: Image, Path: "3.jpg"}, {Text: "?"}}}, Say(Assistant, "Yes."),
	}},
	{ID: "three", Weight: 0.6, Turns: []Turn{Say(User, "No picture."), Say(Assistant, "None of them at all.")}},
	{ID: "four", Weight: 1, Turns: []Turn{{Role: User, Parts: []Part{{Kind: Video, Path: "c.mp4"}, {Text: "Seen?"}}},
		Say(Assistant, "Seen.")}},
	{ID: "five", Weight: 1, Turns: []Turn{
		{Role: User, Parts: []Part{{Kind: Video, Path: "c.mp4"}, {Kind: Image, Path: "c.jpg"}, {Text: "Same?"}}},
		Say(Assistant, "Same."),
	}},
	{ID: "six", System: "You are a coach.", Split: "valid", Weight: 1, Turns: []Turn{
		{Role: User, Parts: []Part{{Kind: Video, Path: "./squats/c.mp4"}, {Text: "Right?"}}},
		Say(Assistant, "a - b\nc"),
	}},
}

// What a dialect can carry comes back; what it cannot is what keeps says it loses, or fits refuses.
func TestRoundTripKeepsWhatTheDialectCarries(t *testing.T) {
	refused := map[string][]string{"llava": {"five"}, "trl": {"four", "five", "six"},
		"mobile-videogpt":       {"one", "two", "three", "five"},
		"mobile-videogpt-roles": {"one", "two", "three", "five"}}
	lost := map[string][]string{
		"llava":                 {lostSystem, lostWeight, lostSupervision},
		"llama-factory":         {lostWeight, lostSupervision},
		"trl":                   {lostWeight},
		"axolotl":               {lostWeight, lostSupervision},
		"mobile-videogpt":       {lostSystem, lostWeight, lostSupervision},
		"mobile-videogpt-roles": {lostWeight, lostSupervision},
	}
	for _, d := range dialects {
		var text bytes.Buffer
		rows := &rowWriter{out: &text, lines: d.lines}
		var want []Record
		for _, r := range records {
			kept, gone := d.keeps(r)
			if err := d.fits(kept); (err != nil) != slices.Contains(refused[string(d.name)], r.ID) {
				t.Errorf("%s: %s: %v", d.name, r.ID, err)
			} else if err != nil {
				continue
			}
			if r.ID == "two" && !slices.Equal(gone, lost[string(d.name)]) {
				t.Errorf("%s loses %v, want %v", d.name, gone, lost[string(d.name)])
			}
			for _, row := range d.write(kept, words) {
				rows.row(row)
			}
			want = append(want, kept)
		}
		if err := rows.end(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rows")
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		var got []Record
		if err := Read(path, d.name, words, func(r Record) error { got = append(got, r); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d records, want %d\n%s", d.name, len(got), len(want), &text)
		}
		for i := range want {
			if math.Abs(got[i].Weight-want[i].Weight) > 1e-5 {
				t.Errorf("%s: %s weighs %g, want %g", d.name, want[i].ID, got[i].Weight, want[i].Weight)
			}
			got[i].Weight = want[i].Weight
			if d.together {
				got[i].ID = "" // named by its row
			}
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s:\n got %+v\nwant %+v", d.name, got[i], want[i])
			}
		}
	}
}

// ms-swift sums the scale of each answer token and 1 for each of the two tokens behind it, over the number of tokens.
func TestScalesGiveRowsTheirWeight(t *testing.T) {
	weights, counts := []float64{1, 2, 0.9, 4}, []int{3, 1, 8, 5}
	factor := meanOne(weights, counts)
	var mass, tokens float64
	for i, n := range counts {
		scale, exact := answerScale(weights[i]*factor, n)
		if !exact {
			t.Fatalf("weight %g over %d tokens is not exact", weights[i]*factor, n)
		}
		row := scale*float64(n) + endTokens
		if want := weights[i] * factor * float64(n+endTokens); math.Abs(row-want) > 1e-4 {
			t.Errorf("row %d has %g, want %g", i, row, want)
		}
		mass += row
		tokens += float64(n + endTokens)
	}
	if math.Abs(mass/tokens-1) > 1e-5 {
		t.Errorf("mean over supervised tokens is %g", mass/tokens)
	}
	if scale, exact := answerScale(0.3, 1); exact || scale != 0.3 {
		t.Errorf("0.3 over one token: %g, %v", scale, exact)
	}
}

func TestUnfitRecordsAreNamed(t *testing.T) {
	ask := Say(User, "?")
	for _, c := range []struct {
		turns []Turn
		want  string
	}{
		{nil, "has 0 turns"},
		{[]Turn{ask}, "has 1 turns"},
		{[]Turn{Say(Assistant, "a"), ask}, "turn 1 is the assistant's"},
		{[]Turn{ask, Say(Assistant, " ")}, "without words"},
		{[]Turn{ask, {Role: Assistant, Parts: []Part{{Kind: Image, Path: "a"}, {Text: "a"}}}}, "answer with a picture"},
		{[]Turn{ask, {Role: Assistant, Parts: []Part{{Text: "a"}}}}, "no answer to learn"},
		{[]Turn{Say(User, "<video>"), Say(Assistant, "a")}, `"<video>" in its text`},
	} {
		if err := msSwift.fits(Record{Turns: c.turns}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestBrokenRowsAreNamedByTheirPlace(t *testing.T) {
	answer := `{"role":"assistant","content":"a"}]`
	for _, c := range []struct{ dialect, text, want string }{
		{"llava", `{}`, "no JSON array"},
		{"llava", `[{"conversations":[{"from":"human","value":"<image>\nq"},{"from":"gpt","value":"a"}]}]`,
			"row 1: has more marks <image> than files"},
		{"llava", `[{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}],"image":"a"}]`,
			"row 1: has 1 more files than marks"},
		{"llava", `[{"conversations":[{"from":"system","value":"q"},{"from":"gpt","value":"a"}]}]`, errNoRole.Error()},
		{"llava", `[{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}`, "does not end"},
		{"ms-swift", "\n" + `{"messages":[{"role":"user","content":"q"},` + answer + "}\n{", "line 3: unexpected end"},
		{"ms-swift", `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","loss_scale":2}]}`,
			"give the base's tokenizer"},
		{"llama-factory", `[{"messages":[` + answer + `}]`, "row 1: has 1 turns"},
		{"trl", `{"prompt":[{"role":"user","content":[{"type":"image"}]}],"completion":[` + answer + `}`,
			"more image parts than images"},
		{"trl", `{"prompt":[{"role":"user","content":"q"}],"completion":[` + answer + `,"images":["x"]}`,
			"more images than image parts"},
		{"axolotl", `{"messages":[{"role":"user","content":[{"type":"audio"}]},` + answer + `}`,
			`part of type "audio"`},
		{"gpt", "", "there is no such dialect"},
	} {
		path := filepath.Join(t.TempDir(), "rows")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Read(path, config.Dialect(c.dialect), nil, func(Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.dialect, c.text, err, c.want)
		}
	}
}
