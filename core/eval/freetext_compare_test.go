package eval

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"finetui/core/eval/textmetric"
)

// twoCoaches answer n squats: on the first onlyFirst the second names another exercise, on the next onlySecond the
// first does, and on the rest both answer alike; each says its own words after the exercise.
func twoCoaches(t *testing.T, n, onlyFirst, onlySecond int, first, second string) (a, b *FreeTextResult) {
	t.Helper()
	var one, two []FreeTextItem
	for i := range n {
		it := FreeTextItem{ID: fmt.Sprint("s", i), Truth: "squats - the heels lift off the floor"}
		x, y := it, it
		x.Answer, y.Answer = "squats - "+first, "squats - "+second
		if i < onlyFirst {
			y.Answer = "lunges - " + second
		} else if i < onlyFirst+onlySecond {
			x.Answer = "lunges - " + first
		}
		one, two = append(one, x), append(two, y)
	}
	o := coached
	o.Subject = "basic"
	a = scoreFreeText(t, one, o)
	o.Subject = "enhanced"
	return a, scoreFreeText(t, two, o)
}

func compareFreeText(t *testing.T, a, b *FreeTextResult, constants ...string) *FreeTextComparison {
	t.Helper()
	c, err := CompareFreeText(a, b, constants, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFreeTextComparisonSays(t *testing.T) {
	const poor, good = "heels", "the heels lift off the floor"
	for _, c := range []struct {
		onlyFirst, onlySecond int
		first, second         string
		constants             []string
		says, not             []string
	}{
		{0, 0, good, good, nil, []string{"cannot be told apart by the exercise that they name", "p 1.000",
			"right on the same items", "a difference of 0.000 (95 %: 0.000 to 0.000); the interval holds 0"},
			[]string{"identifies more"}},
		{2, 20, good, good, []string{"LORA.R 8 → 16"}, []string{"enhanced identifies more exercises: of 60 items " +
			"basic alone names the right one on 2, enhanced alone on 20 (McNemar's exact p < 0.001)",
			"Exercise identified 66.7 % → 96.7 %, a difference of +30.0 points",
			"They differ in one thing: LORA.R 8 → 16."}, []string{"Left out"}},
		{20, 2, good, good, nil, []string{"basic identifies more exercises", "−30.0 points"}, nil},
		{3, 4, poor, good, []string{"A 1 → 2", "B 3 → 4"}, []string{"told apart by the exercise", "METEOR 0.",
			"a difference of +0.", "does not say which of them"}, []string{"holds 0"}},
		{3, 4, good, poor, nil, []string{"a difference of −0."}, nil},
	} {
		a, b := twoCoaches(t, 60, c.onlyFirst, c.onlySecond, c.first, c.second)
		text := compareFreeText(t, a, b, c.constants...).Text()
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%d to %d: no %q in\n%s", c.onlyFirst, c.onlySecond, want, text)
			}
		}
		for _, no := range c.not {
			if strings.Contains(text, no) {
				t.Errorf("%d to %d: says %q in\n%s", c.onlyFirst, c.onlySecond, no, text)
			}
		}
	}
}

// Items differ far more from each other than the two subjects do on any of them: only a paired interval sees that.
func TestDifferencesOfFreeTextArePaired(t *testing.T) {
	a, b := twoCoaches(t, 12, 0, 0, "heels", "heels")
	for i := range a.Items {
		a.Items[i].METEOR, b.Items[i].METEOR = float64(i)/16, float64(i)/16+0.125
		a.Items[i].ROUGEL, b.Items[i].ROUGEL = float64(i%2), float64((i+1)%2)
	}
	c := compareFreeText(t, a, b)
	if d := c.METEOR; !near(d.Difference, 0.125) || !near(d.Interval[0], 0.125) || !near(d.Interval[1], 0.125) ||
		!d.told() {
		t.Errorf("%+v", d)
	}
	if d := c.ROUGEL; d.Difference != 0 || d.Interval[0] >= 0 || d.Interval[1] <= 0 || d.told() {
		t.Errorf("%+v", d)
	}
	back := compareFreeText(t, b, a)
	if !near(back.METEOR.Difference, -c.METEOR.Difference) || back.P != c.P {
		t.Errorf("%+v", back.METEOR)
	}
	again := compareFreeText(t, a, b)
	if *again.ROUGEL.Interval != *c.ROUGEL.Interval {
		t.Error("the same seed gives another interval")
	}
}

func TestExercisesAreComparedInTheOrderOfTheirItems(t *testing.T) {
	a, b := scoreFreeText(t, coach(), coached), scoreFreeText(t, coach(), coached)
	c := compareFreeText(t, a, b)
	var got []string
	for _, e := range c.Exercises {
		got = append(got, fmt.Sprint(e.Name, " ", e.Value.N, " ", e.Value.Identified, " of ", e.Value.Named))
	}
	if want := "[squats 5 [4 4] of 5 Lunges 2 [2 2] of 2 elbow plank 1 [0 0] of 0]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if c.Named != 7 || c.BothIdentified != 6 || c.NeitherIdentified != 1 || c.N != 8 {
		t.Errorf("%+v", c)
	}
	if squats, _ := a.Exercises.Get("squats"); !near(c.Exercises[0].Value.METEOR[1], squats.METEOR) {
		t.Errorf("%v, alone %v", c.Exercises[0].Value.METEOR, squats.METEOR)
	}
}

func TestFreeTextItemsWithoutAPartnerAreNamed(t *testing.T) {
	a, b := twoCoaches(t, 20, 3, 4, "heels", "heels")
	a.Items[0].ID, b.Items[19].ID = "gone", "new\x1b[2J"
	b.Items[5].Truth = "squats - another truth"
	b.Items[6].Status, b.Items[6].Error = NoAnswer, "out of memory"
	c := compareFreeText(t, a, b)
	if c.N != 16 || fmt.Sprint(c.OnlyInFirst, c.OnlyInSecond, c.TruthDiffers, c.Unanswered) !=
		"[gone s19] [s0 new\x1b[2J] [s5] [s6]" {
		t.Errorf("%d %q %q %q %q", c.N, c.OnlyInFirst, c.OnlyInSecond, c.TruthDiffers, c.Unanswered)
	}
	text := c.Text()
	for _, want := range []string{"Left out: 6 items, 2 only in basic, 2 only in enhanced, 1 with another truth, 1 " +
		"without an answer.", "only in basic: gone, s19", "only in enhanced: s0, new␛[2J", "another truth: s5",
		"no answer: s6"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for i := range b.Items {
		b.Items[i].ID = "valid" + b.Items[i].ID
	}
	_, err := CompareFreeText(a, b, nil, 1)
	if err == nil || !strings.Contains(err.Error(), "no answered item in common") {
		t.Error(err)
	}
}

func TestMeteorWithAndWithoutSynonymsIsNotCompared(t *testing.T) {
	items := []FreeTextItem{{ID: "1", Truth: "squats - lift", Answer: "squats - put"},
		{ID: "2", Truth: "squats - down", Answer: "squats - down"}}
	licence := "  1 This is WordNet 9.9 for tests\n"
	index := licence + "put v 1 0 1 0 00000034\nlift v 1 0 1 0 00000034\n"
	files := fstest.MapFS{}
	for _, part := range []string{"noun", "verb", "adj", "adv"} {
		files["index."+part] = &fstest.MapFile{Data: []byte(index)}
		files["data."+part] = &fstest.MapFile{Data: []byte(licence + "00000034 35 v 02 put 0 lift 0 000 | move up\n")}
		files[part+".exc"] = &fstest.MapFile{}
	}
	w, err := textmetric.OpenWordNet(files)
	if err != nil {
		t.Fatal(err)
	}
	with := coached
	with.Meteor = textmetric.Meteor{WordNet: w}
	a, b := scoreFreeText(t, items, coached), scoreFreeText(t, items, with)
	if a.METEOR >= b.METEOR || b.Synonyms != w.Name() {
		t.Fatalf("%v without synonyms, %v with %s", a.METEOR, b.METEOR, b.Synonyms)
	}
	c := compareFreeText(t, a, b)
	if c.METEOR.Difference != 0 || !near(c.METEOR.Means[1], a.METEOR) || c.Synonyms != textmetric.NoSynonyms ||
		!strings.Contains(c.Text(), "without any for both") {
		t.Errorf("%+v\n%s", c.METEOR, c.Text())
	}
	if same := compareFreeText(t, b, b); same.Synonyms != w.Name() || !near(same.METEOR.Means[0], b.METEOR) {
		t.Errorf("%+v by %s", same.METEOR, same.Synonyms)
	}
	if b.Items[0].METEOR < 0.9 {
		t.Error("the comparison changed the result")
	}
}

func TestFreeTextComparisonIsWrittenWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "compare.json")
	a, b := twoCoaches(t, 1, 0, 0, "heels", "heels")
	c := compareFreeText(t, a, b)
	if c.METEOR.Interval != nil || !strings.Contains(c.Text(), "from one item") {
		t.Error(c.Text())
	}
	if err := c.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"kind": "free_text_comparison"`) ||
		!strings.Contains(string(text), `"schema": 1`) {
		t.Errorf("%s %v", text, err)
	}
}

// The verdict names the measures by which two differ, and those by which they do not; two runs of one recipe differ by
// none.
func TestFreeTextVerdict(t *testing.T) {
	const poor, good = "heels", "the heels lift off the floor"
	for _, c := range []struct {
		onlyFirst, onlySecond int
		first, second         string
		constants             []string
		differs               bool
		words                 string
	}{
		{0, 0, good, good, nil, false, "not told apart by the exercise identified, METEOR or ROUGE-L"},
		{2, 20, good, good, nil, true, "they differ by the exercise identified, METEOR and ROUGE-L"},
		{0, 0, poor, good, nil, true,
			"they differ by METEOR and ROUGE-L, and are not told apart by the exercise identified"},
		{2, 20, poor, good, []string{}, false, "one recipe, two runs: what lies between them is chance"},
	} {
		a, b := twoCoaches(t, 60, c.onlyFirst, c.onlySecond, c.first, c.second)
		got := compareFreeText(t, a, b, c.constants...)
		if c.constants != nil {
			var err error
			if got, err = CompareFreeText(a, b, c.constants, 1); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.Text(), "identifies more") || !strings.Contains(got.Text(), "no gain") {
				t.Errorf("two runs of one recipe: %s", got.Text())
			}
		}
		if differs, words := got.Verdict(); differs != c.differs || words != c.words {
			t.Errorf("%+v: %v, %q", c, differs, words)
		}
	}
}

// What is to be borne in mind is the same in the lines of eval and beside the figures on a screen.
func TestNotesOfFreeTextStandInItsText(t *testing.T) {
	items := []FreeTextItem{{ID: "a", Truth: "squats - 好", Answer: "squats - 好"}, {ID: "b", Truth: "stand up",
		Answer: "stand"}, {ID: "c", Truth: "squats - lower", Answer: "squats - lower"}, {ID: "d",
		Truth: "squats - lower", Error: "the clip is broken"}}
	r := scoreFreeText(t, items, coached)
	notes := r.Notes()
	if len(notes) < 3 {
		t.Fatalf("notes %q", notes)
	}
	for _, note := range notes {
		if !strings.Contains(r.Text(), note+"\n") {
			t.Errorf("%q is not in\n%s", note, r.Text())
		}
	}
}
