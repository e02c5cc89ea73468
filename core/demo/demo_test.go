package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// row is a label as a reader sees it: class and bounding box.
type row struct {
	class          int
	x0, y0, x1, y1 float64
}

// readSet parses the labels of a set on its own, without the packages that wrote it.
func readSet(t *testing.T, dir string) map[string]map[string][]row {
	t.Helper()
	set := map[string]map[string][]row{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "labels", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		split := filepath.Base(filepath.Dir(filepath.Dir(f)))
		if set[split] == nil {
			set[split] = map[string][]row{}
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		rows := []row{}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 7 || len(fields)%2 == 0 {
				t.Fatalf("%s: %q is no polygon", f, line)
			}
			class, err := strconv.Atoi(fields[0])
			if err != nil {
				t.Fatal(err)
			}
			r := row{class, 2, 2, -2, -2}
			for i := 1; i < len(fields); i += 2 {
				x, errX := strconv.ParseFloat(fields[i], 64)
				y, errY := strconv.ParseFloat(fields[i+1], 64)
				if errX != nil || errY != nil || x < 0 || x > 1 || y < 0 || y > 1 {
					t.Fatalf("%s: %q", f, line)
				}
				r.x0, r.y0, r.x1, r.y1 = min(r.x0, x), min(r.y0, y), max(r.x1, x), max(r.y1, y)
			}
			rows = append(rows, r)
		}
		set[split][filepath.Base(f)] = rows
	}
	return set
}

func TestTheSetHasThePublishedNumbers(t *testing.T) {
	for _, seed := range []uint64{0, 7, 42} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { checkNumbers(t, labelsOnly(t, published, seed)) })
	}
}

// labelsOnly writes the labels of a set without drawing its pictures.
func labelsOnly(t *testing.T, b blueprint, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	images, err := b.plan(seed)
	if err != nil {
		t.Fatal(err)
	}
	arrange(images, seed+b.stream)
	for i, p := range images {
		at := filepath.Join(dir, p.split, "labels")
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("%04d.txt", i)), p.labels(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func checkNumbers(t *testing.T, dir string) {
	set := readSet(t, dir)
	wantCounts := map[string][9]int{
		"train": {44, 57, 58, 119, 282, 202, 75, 118, 174}, "valid": {4, 13, 11, 23, 49, 41, 10, 17, 40},
		"test": {4, 8, 7, 11, 35, 14, 12, 13, 24}}
	wantImages := map[string]int{"train": 218, "valid": 47, "test": 25}
	var n, sum, squares, relations, pairs, least, most int
	least = 99
	var heights, total [9]float64
	worst := 0.
	for split, want := range wantCounts {
		var counts [9]int
		if len(set[split]) != wantImages[split] {
			t.Errorf("%s has %d images, want %d", split, len(set[split]), wantImages[split])
		}
		for _, rows := range set[split] {
			k := len(rows)
			if k == 0 {
				continue
			}
			n, sum, squares = n+1, sum+k, squares+k*k
			least, most = min(least, k), max(most, k)
			for i, a := range rows {
				counts[a.class]++
				heights[a.class] += (a.y0 + a.y1) / 2
				total[a.class]++
				for _, b := range rows[:i] {
					relations++
					if a.class == 4 && b.class == 5 || a.class == 5 && b.class == 4 {
						pairs++
					}
					worst = max(worst, bounds{a.x0, a.y0, a.x1, a.y1}.overlap(bounds{b.x0, b.y0, b.x1, b.y1}))
				}
			}
		}
		if counts != want {
			t.Errorf("%s has %v, want %v", split, counts, want)
		}
	}
	mean := float64(sum) / float64(n)
	sd := math.Sqrt(float64(squares)/float64(n) - mean*mean)
	if n != 288 || sum != 1465 || fmt.Sprintf("%.4f %.4f", mean, sd) != "5.0868 3.3525" || least != 1 || most != 18 {
		t.Errorf("%d images with %d objects, mean %.4f, sd %.4f, from %d to %d", n, sum, mean, sd, least, most)
	}
	if relations != 4612 || pairs != 444 {
		t.Errorf("%d relations, %d pairs of rock toe damaged and slope drain", relations, pairs)
	}
	for c, want := range []string{"0.66", "0.79", "0.77", "0.53", "0.69", "0.44", "0.51", "0.52", "0.57"} {
		got := heights[c] / total[c]
		if fmt.Sprintf("%.2f", got) != want || math.Abs(got-math.Round(got*100)/100) > .002 {
			t.Errorf("%s lies at %.4f, want %s", Classes[c], got, want)
		}
	}
	t.Logf("greatest overlap of two boxes: %.2f of the smaller", worst)
	if worst > .6 {
		t.Errorf("a box is covered to %.2f by another", worst)
	}
}

func TestMakeWritesTheSameBytesForTheSameSeed(t *testing.T) {
	small := blueprint{splits: []split{{name: "train", images: 4, empty: 1, counts: [classCount]int{1, 1, 1, 1, 1, 1, 1,
		1, 1}}}, most: 18}
	hash := func(seed uint64, workers int) string {
		dir := filepath.Join(t.TempDir(), "set")
		if err := build(context.Background(), dir, small, Options{Seed: seed, Workers: workers}, nil); err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			fmt.Fprintln(sum, strings.TrimPrefix(path, dir), len(data))
			sum.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sum.Sum(nil))
	}
	one := hash(5, 1)
	if hash(5, 3) != one {
		t.Error("the same seed gave other bytes")
	}
	if hash(6, 1) == one {
		t.Error("another seed gave the same bytes")
	}
}

// The long tail has the published pictures, with fewer labels; what has no label left is not there.
func TestTheLongTailTakesLabelsAwayAndLeavesPictures(t *testing.T) {
	images := func() []photo {
		images, err := longTail.plan(7)
		if err != nil {
			t.Fatal(err)
		}
		arrange(images, 7+longTail.stream)
		return images
	}
	all, thin := images(), images()
	longTail.thin(thin, 7)
	var train, valid [classCount]int
	for i, p := range thin {
		for k, o := range p.objects {
			if before := all[i].objects[k]; before.class != o.class || before.x != o.x || before.y != o.y {
				t.Fatalf("picture %d is another", i)
			}
		}
		rows := strings.Fields(strings.ReplaceAll(string(p.labels()), "\n", " ; "))
		switch {
		case p.split == "test":
			if !p.out {
				t.Error("a picture of test is written")
			}
		case p.split == "train" && (len(rows) == 0) != p.out:
			t.Errorf("picture %d with %d labels is out: %v", i, len(rows), p.out)
		}
		for line := range strings.Lines(string(p.labels())) {
			class, _ := strconv.Atoi(strings.Fields(line)[0])
			switch p.split {
			case "train":
				train[class]++
			case "valid":
				valid[class]++
			}
		}
	}
	if want := [9]int{3, 5, 5, 33, 282, 122, 10, 32, 84}; train != want {
		t.Errorf("train has %v, want %v", train, want)
	}
	if want := published.splits[1].counts; valid != want {
		t.Errorf("valid has %v, want %v", valid, want)
	}
	if text := string(dataYAML(longTail)); strings.Contains(text, "test") || !strings.Contains(text, "train") {
		t.Errorf("data.yaml: %s", text)
	}
}

func TestTheBalancedSetHasAsManyOfEachClass(t *testing.T) {
	set := readSet(t, labelsOnly(t, balanced(Each), TestSeed))
	var counts [9]int
	for _, rows := range set["test"] {
		for _, r := range rows {
			counts[r.class]++
		}
	}
	if want := [9]int{200, 200, 200, 200, 200, 200, 200, 200, 200}; counts != want || len(set) != 1 {
		t.Errorf("%d splits with %v, want one with %v", len(set), counts, want)
	}
	if n := len(set["test"]); n < 300 || n > 400 {
		t.Errorf("in %d images, the published set has five objects to an image", n)
	}
}

func TestMakeExtraKeepsTheShares(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "extra")
	var last int
	err := MakeExtra(context.Background(), dir, 60, Options{Seed: 1, Canvas: 168},
		func(done, total int, _ string) { last = total - done })
	if err != nil {
		t.Fatal(err)
	}
	if last != 0 {
		t.Errorf("progress ended %d short", last)
	}
	var counts [9]int
	set := readSet(t, dir)
	for name, rows := range set["test"] {
		for _, r := range rows {
			counts[r.class]++
		}
		f, err := os.Open(filepath.Join(dir, "test", "images", strings.TrimSuffix(name, ".txt")+".jpg"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.DecodeConfig(f)
		f.Close()
		if err != nil || m.Width != 168 || m.Height != 168 {
			t.Errorf("%s: %v %v", name, m, err)
		}
	}
	if want := [9]int{2, 3, 3, 6, 15, 11, 4, 6, 10}; counts != want || len(set) != 1 {
		t.Errorf("%d splits with %v, want one with %v", len(set), counts, want)
	}
	if got, want := extra(500).splits[0].counts, [9]int{18, 27, 26, 52, 125, 88, 33, 50, 81}; got != want {
		t.Errorf("500 objects are %v, want %v", got, want)
	}
}

func TestMakeLeavesAFilledFolderAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Make(context.Background(), dir, Options{}, nil); err == nil ||
		!strings.Contains(err.Error(), "not empty") {
		t.Errorf("error %v", err)
	}
}

func TestMakeStoppedLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	err := Make(ctx, filepath.Join(parent, "set"), Options{Canvas: 168}, func(done, total int, what string) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	left, err := os.ReadDir(parent)
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestOutlinesTellNothingOfTheCondition compares the shapes of one object type over its conditions.
func TestOutlinesTellNothingOfTheCondition(t *testing.T) {
	images, err := published.plan(3)
	if err != nil {
		t.Fatal(err)
	}
	arrange(images, 3)
	aspects := map[int][]float64{}
	for _, p := range images {
		for _, o := range p.objects {
			if len(p.objects) > 3 && len(p.objects) <= 7 {
				b := o.bounds()
				aspects[o.class] = append(aspects[o.class], (b.y1-b.y0)/(b.x1-b.x0))
			}
		}
	}
	median := func(c int) float64 { s := slices.Sorted(slices.Values(aspects[c])); return s[len(s)/2] }
	for _, pair := range [][2]int{{rockToe, rockToeDamaged}, {slopeDrain, slopeDrainDamaged},
		{slopeDrain, slopeDrainBlocked}} {
		if a, b := median(pair[0]), median(pair[1]); math.Abs(a-b) > .2*a {
			t.Errorf("%s has aspect %.2f, %s %.2f", Classes[pair[0]], a, Classes[pair[1]], b)
		}
	}
}

func BenchmarkMake(b *testing.B) {
	for b.Loop() {
		if err := Make(context.Background(), filepath.Join(b.TempDir(), "set"), Options{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTheLongTailTakesPicturesThatWereJustDrawn compares a long tail that is drawn after its published set with one
// that is drawn by itself.
func TestTheLongTailTakesPicturesThatWereJustDrawn(t *testing.T) {
	ctx, opts := context.Background(), Options{Seed: 3, Canvas: smallestCanvas}
	dir := t.TempDir()
	alone, after := filepath.Join(dir, "alone"), filepath.Join(dir, "after")
	if err := MakeLongTail(ctx, alone, opts, nil); err != nil {
		t.Fatal(err)
	}
	sets := Sets{Published: filepath.Join(dir, "published"), LongTail: after}
	if err := sets.Draw(ctx, opts, func(string) {}, nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := filepath.WalkDir(alone, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(alone, path)
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(after, name))
		if n++; err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s is another file", name)
		}
		return err
	})
	if err != nil || n < 400 {
		t.Errorf("%d files, %v", n, err)
	}
}
