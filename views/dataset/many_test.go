package dataset

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// manyClasses is a set of 60 classes whose names are wide, long or both, with 12,000 objects of the first.
func manyClasses(t *testing.T) string {
	root := t.TempDir()
	rng := rand.New(rand.NewPCG(7, 8))
	words := []string{"排水沟", "裂缝 damaged", "🚧 cone blocked",
		"a name that nobody will ever be able to read in full damaged", "한국어 클래스"}
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("%q", fmt.Sprintf("%s %d", words[i%len(words)], i)))
	}
	write(filepath.Join(root, "data.yaml"), []byte("train: train/images\nnames: ["+strings.Join(names, ", ")+"]\n"))
	for i := range 4 {
		var rows strings.Builder
		for class := range 60 {
			n := 1
			if class == 0 {
				n = 3000
			}
			for range n {
				fmt.Fprintf(&rows, "%d %.4f %.4f 0.1 0.1\n", class, 0.1+0.8*rng.Float64(), 0.1+0.8*rng.Float64())
			}
		}
		write(filepath.Join(root, "train", "images", fmt.Sprintf("many_%d.png", i)), hill(rng))
		write(filepath.Join(root, "train", "labels", fmt.Sprintf("many_%d.txt", i)), []byte(rows.String()))
	}
	return root
}

func TestManyClassesAreAllReachedAndTheirNumbersStayWhole(t *testing.T) {
	p, d := openFile(t, newProject(t, "DATASET.PATH="+manyClasses(t)), 120, 30)
	d.Wait("the data set", p.settled)
	if !d.Shows("1 of 60") {
		t.Errorf("nothing says that there are more classes:\n%s", d.Screen())
	}
	p.views.Named(overviewView).Boards[0].Focus("objects")
	if d.Press("G"); !d.Shows("60 of 60") {
		t.Errorf("the last kind of object is out of reach:\n%s", d.Screen())
	}
	d.Press("g") // its panel shows the classes by their rank, since each is a kind of its own
	show(p, d, positionView)
	for _, line := range strings.Split(d.Screen(), "\n") {
		if strings.Contains(line, "n · mean") && strings.Contains(line, "…") {
			t.Errorf("a number is cut: %q", line)
		}
	}
	if !d.Shows("1 of 60") || !d.Shows("12,000") {
		t.Errorf("the heights say neither where they are nor how many:\n%s", d.Screen())
	}
	for _, view := range p.views.Names() {
		show(p, d, view)
		drawnWhole(t, p)
	}
}
