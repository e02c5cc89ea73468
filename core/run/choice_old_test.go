package run

import (
	"os"
	"path/filepath"
	"testing"

	"finetui/core/config"
)

// What a run is scored by is what its program took, where its config.toml says nothing: loss, or what run.json notes.
func TestARunOfAnOlderProgramKeepsItsChoice(t *testing.T) {
	for _, c := range []struct {
		name, text string
		old        bool
		noted      config.BestBy
		want       config.BestBy
	}{
		{"new, nothing said", "", false, "", config.BestByLast},
		{"old, nothing said", "", true, "", config.BestByLoss},
		{"old, noted", "", true, config.BestByMacroF1, config.BestByMacroF1},
		{"old, said", "BEST_BY = \"accuracy\"\n", true, config.BestByAccuracy, config.BestByAccuracy},
		{"new, said", "BEST_BY = \"accuracy\"\n", false, "", config.BestByAccuracy},
	} {
		w := newRun(t)
		text := "[MODEL]\nBASE = \"tiny\"\n\n[TRAIN]\n" + c.text
		if err := os.WriteFile(filepath.Join(w.Dir(), configFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := w.Update(func(i *Info) { i.LatestOfEquals, i.BestBy, i.Frozen = !c.old, c.noted, nil }); err != nil {
			t.Fatal(err)
		}
		file, err := open(t, w.Dir()).Config()
		if err != nil {
			t.Fatal(err)
		}
		if got := file.Config.Train.BestBy; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
