package dataset

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/views/viewtest"
)

// cleanSet is a project whose data set has nothing wrong.
func cleanSet(t *testing.T) string {
	dir := t.TempDir()
	write(filepath.Join(dir, "config.toml"), config.Render(demoConfig()))
	root, rng := filepath.Join(dir, "demo", "data"), rand.New(rand.NewPCG(5, 6))
	for i, split := range []string{"train", "train", "train", "valid", "test"} {
		var labels strings.Builder
		for o := range 1 + i {
			fmt.Fprintf(&labels, "%d %.3f %.3f %.3f %.3f\n", min(o, 2), 0.15+0.15*float64(o), 0.3+0.1*float64(i), 0.1,
				0.1+0.02*float64(o))
		}
		name := fmt.Sprintf("slope_%d", i)
		write(filepath.Join(root, split, "labels", name+".txt"), []byte(labels.String()))
		write(filepath.Join(root, split, "images", name+".png"), hill(rng))
	}
	write(filepath.Join(root, "data.yaml"), []byte("train: train/images\nval: valid/images\ntest: test/images\n"+
		"nc: 3\nnames: ['culvert', 'culvert blocked', 'wall']\n"))
	return dir
}

func TestCleanDataShowsWhatIsOutermost(t *testing.T) {
	p, d := openProject(t, cleanSet(t), 120, 30)
	show(p, d, findingsView)
	for _, want := range []string{"✓ Nothing is wrong: every label of 5 pictures was", "Worth a look", "rarest class",
		"most slender object", "5 objects", "Rarest class · "} {
		if !d.Shows(want) {
			t.Errorf("clean data lacks %q:\n%s", want, d.Screen())
		}
	}
	d.Press("down", "down", "down", "down").Wait("the picture", p.settled)
	if !d.Shows("Most objects · test/slope_4") {
		t.Errorf("the picture of the selected one is not shown:\n%s", d.Screen())
	}
	if d.Press("enter").Wait("among the others", p.settled); !p.views.Is(samplesView) || !d.Shows("▸test/slope_4") {
		t.Errorf("enter does not show it among the others:\n%s", d.Screen())
	}
	show(p, d, findingsView)
	if d.Press("S", "S").Wait("split valid", p.settled); !d.Shows("valid/slope_3") || d.Shows("test/slope_4") {
		t.Errorf("the outermost of a split are not its own:\n%s", d.Screen())
	}
	viewtest.Sizes(t, func(w, h int) string { return p.View(theme, w, h) })
}
