package config

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// parses is how many texts were parsed while do ran.
func parses(do func()) int64 {
	before := Parsed()
	do()
	return Parsed() - before
}

func TestAnEditParsesItsTextOnce(t *testing.T) {
	f := load(t, sample)
	text := f.Snapshot
	for _, c := range []struct {
		name string
		do   func() error
		want int64
	}{
		{"one constant", func() error { return f.Set("TRAIN.EPOCHS", "7") }, 1},
		{"eight at once, four of them new", func() error {
			return f.Override([]string{"TRAIN.EPOCHS=8", "TRAIN.KEEP=2", "LORA.R=4", "LORA.TARGETS=q_proj",
				"EVAL.SPLIT=test",
				"EVAL.MAX_NEW_TOKENS=9", "TRAIN.LEARNING_RATE=1e-3", "TRAIN.KEEP=3"})
		}, 1},
		{"the value it has", func() error { return f.Set("TRAIN.EPOCHS", "8") }, 0},
		{"values that are only tried", func() error {
			_, err := Changed(f.Config, Change{Key: "TRAIN.EPOCHS", New: "9"}, Change{Key: "KEYS.quit", New: "Q"})
			return err
		}, 0},
		{"asking for what changed", func() error { f.Changed(); f.Settled(); f.Overridden("LORA.R"); return nil }, 0},
		{"taking it back", func() error { f.Undo(); f.Undo(); return nil }, 0},
	} {
		if n := parses(func() {
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
		}); n != c.want {
			t.Errorf("%s: %d texts were parsed, want %d", c.name, n, c.want)
		}
	}
	if f.Snapshot != text {
		t.Error("undoing everything gives another snapshot than the first one")
	}
}

func TestChangesAtOnceAreTheBytesOfOneAfterTheOther(t *testing.T) {
	texts := []string{"", "# nothing", sample, strings.TrimSuffix(sample, "\n"), "TRAIN.EPOCHS = 3\n\n[LORA]\nR = 8",
		strings.ReplaceAll(sample, "\n", "\r\n"), "[TRAIN]\n[LORA]\n[KEYS]\nquit = \"q\"\n"}
	values := []Change{{Key: "TRAIN.EPOCHS", New: "9"}, {Key: "TRAIN.KEEP", New: "2"}, {Key: "TRAIN.SCHEDULE",
		New: "cosine"},
		{Key: "LORA.R", New: "4"}, {Key: "LORA.TARGETS", New: "o_proj"}, {Key: "EVAL.SPLIT", New: "a\n\"b\""},
		{Key: "KEYS.quit", New: "Q"}, {Key: "KEYS.a.b", New: "B"}, {Key: "EVAL.SUCCESS_OVERALL", New: "1"},
		{Key: "PROJECT.NAME", New: "x"}}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		text := texts[rng.IntN(len(texts))]
		var changes []Change
		for _, i := range rng.Perm(len(values))[:rng.IntN(len(values)+1)] {
			changes = append(changes, values[i])
		}
		whole, steps := load(t, text), load(t, text)
		if err := whole.Apply(changes); err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if err := steps.Set(c.Key, c.New); err != nil {
				t.Fatal(err)
			}
		}
		if len(Diff(whole.Config, steps.Config)) > 0 {
			t.Fatalf("%v: values differ", changes)
		}
		if string(whole.Raw()) != string(steps.Raw()) {
			t.Fatalf("%q with %v\nat once\n%s\none by one\n%s", text, changes, whole.Raw(), steps.Raw())
		}
	}
}

func TestASnapshotStaysAsItWasForWhoeverHoldsIt(t *testing.T) {
	f := load(t, sample)
	held, text, keys := f.Snapshot, string(f.Raw()), len(f.Config.Keys)
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for range 200 {
				if held.Config.Train.Epochs != 6 || string(held.Raw()) != text || len(held.Config.Keys) != keys ||
					held.Comment("TRAIN.EPOCHS") != "passes" || held.Root == "" {
					t.Error("it has changed")
					return
				}
			}
		})
	}
	for _, c := range []Change{{Key: "TRAIN.EPOCHS", New: "3"}, {Key: "KEYS.quit", New: "Q"},
		{Key: "LORA.TARGETS", New: ""}} {
		if err := f.Set(c.Key, c.New); err != nil {
			t.Fatal(err)
		}
		if tried, err := Changed(held.Config, c); err != nil || tried == held.Config {
			t.Error(err)
		}
	}
	f.Move("elsewhere/config.toml", "/elsewhere")
	f.Undo()
	reading.Wait()
}
