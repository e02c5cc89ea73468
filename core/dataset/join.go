package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/filehash"
)

// Joined is a set that joined that of DATASET.PATH.
type Joined struct {
	Name    string  `json:"name"`
	Path    string  `json:"path"`  // of its labels
	Share   float64 `json:"share"` // of its train split, drawn by a hash of the names
	Items   int     `json:"items"` // pictures and clips that joined
	Samples int     `json:"samples"`
	Train   int     `json:"train"` // of the samples, in the train split
	Of      int     `json:"of"`    // train samples that it has
	Sum     string  `json:"sum"`   // SHA-256 of the file of its labels; "" of a folder
}

// Entry is the set as DATASET.SETS names it.
func (j Joined) Entry() string { return config.Mixed{Name: j.Name, Share: j.Share}.String() }

// joinSets adds the sets of the registry to the one that was read.
func joinSets(ctx context.Context, d *Dataset, cfg config.Dataset, root string, report Progress) error {
	if cfg.NoSets() {
		return nil
	}
	r := openRegistry(ctx, root, len(cfg.Sets) > 0)
	if r == nil {
		return nil
	}
	picks, passed, err := r.choose(cfg.Sets)
	if err != nil {
		return err
	}
	d.SetsFrom = r.folder
	d.Findings = append(d.Findings, r.findings...)
	for i := range passed {
		d.Findings = append(d.Findings, r.passedOver(&passed[i]))
	}
	for _, p := range picks {
		if same(p.annotation, below(root, cfg.Path)) {
			d.Findings = append(d.Findings, newFinding(SetRepeated, d.Short(p.annotation), 0,
				"the set %s is DATASET.PATH itself", p.name))
			continue
		}
		more := cfg
		more.Path, more.Format, more.Splits, more.Media = p.annotation, config.FormatAuto, nil, p.data
		other, err := readOne(ctx, more, root, []string{r.folder, d.Root}, report)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &config.Unusable{Key: "DATASET.SETS", Cause: err, Text: fmt.Sprintf("the set %s cannot join: %s",
				p.name,
				strings.TrimPrefix(err.Error(), "DATASET.PATH: "))}
		}
		joined := Joined{Name: p.name, Path: p.annotation, Share: p.share}
		if isFile(p.annotation) {
			sum, err := filehash.In(root).Sum(ctx, p.annotation, nil)
			if err != nil {
				return err
			}
			joined.Sum = fmt.Sprintf("%x", sum)
		}
		d.take(other, &joined, root, p.named, cfg.Splits)
	}
	return nil
}

func same(a, b string) bool {
	x, err := filepath.EvalSymlinks(a)
	y, other := filepath.EvalSymlinks(b)
	return err == nil && other == nil && x == y
}

// take adds a set that joins, as much of it as its share says. One that joins by itself does not answer again what
// DATASET.PATH answers in words: it may be what convert made of it, before it was corrected.
func (d *Dataset) take(other *Dataset, j *Joined, root string, named bool, splits []string) {
	before := len(d.Classes)
	classes := d.classesOf(other)
	at, ids := showing(d.Items, root), hashTable{}
	for i := range other.Items {
		if other.Items[i].Split == trainSplit {
			j.Of += len(other.Items[i].Objects)
		}
	}
	own := func(i int, o *Object) bool {
		return !named && o.Text != nil && d.Items[i].Set == 0 && slices.ContainsFunc(d.Items[i].Objects,
			func(o Object) bool { return o.Text != nil })
	}
	var repeated tally
	var objects []Object // of one item; used again
	drawn := drawItems(other.Items, j.Name, j.Share)
	for i := range other.Items {
		item := other.Items[i]
		if !drawn[i] || len(splits) > 0 && !slices.ContainsFunc(splits, func(s string) bool {
			return config.SplitName(s) == item.Split
		}) {
			continue
		}
		objects = append(objects[:0], item.Objects...)
		item.Objects = objects
		for o := range item.Objects {
			item.Objects[o].Class = classes[item.Objects[o].Class]
		}
		for i := range at.all(item.shown(root)) {
			before := len(item.Objects)
			item.Objects = slices.DeleteFunc(item.Objects, func(o Object) bool {
				return own(i, &o) || d.says(i, &o)
			})
			for range before - len(item.Objects) {
				repeated.add(0, item.ID)
			}
			if len(item.Objects) > 0 && d.Items[i].Split != item.Split && item.Clip == nil && item.Media != "" {
				d.Findings = append(d.Findings, newFinding(SameImage, d.Short(item.Media), 0,
					"of %s in the set %s, and of %s", item.Split, j.Name, d.Items[i].Split))
			}
		}
		if len(item.Objects) == 0 && len(other.Items[i].Objects) > 0 {
			continue // it is there
		}
		if item.Spelling != nil { // it no longer is what the ID says
			item.Spelling = &Spelling{Whole: item.Written()}
		}
		id := item.Split + "/" + j.Name + "/" + item.Name()
		item.ID, item.Set = id, uint16(len(d.Sets)+1)
		if ids.n == 0 { // it is the first that joins
			for i := range d.Items {
				ids.putID(d.Items[:i], d.Items[i].ID)
			}
		}
		for n := 2; !ids.putID(d.Items, item.ID); n++ {
			item.ID = fmt.Sprintf("%s#%d", id, n)
		}
		item.Objects = slices.Clone(item.Objects)
		d.Items = append(d.Items, item)
		if !slices.Contains(d.Splits, item.Split) {
			d.Splits = append(d.Splits, item.Split)
		}
		j.Items++
		j.Samples += len(item.Objects)
		if item.Split == trainSplit {
			j.Train += len(item.Objects)
		}
	}
	if j.Items == 0 { // what adds nothing adds no class to answer with either
		d.Classes = d.Classes[:before]
	}
	for _, f := range other.Findings {
		if f.File != "" {
			f.File = d.Short(below(other.Root, filepath.FromSlash(f.File)))
		}
		d.Findings = append(d.Findings, f)
	}
	file := d.Short(j.Path)
	if repeated.n > 0 {
		d.Findings = append(d.Findings, repeated.finding(SetRepeated, file, "%s there before, as %s",
			"sample of the set "+
				j.Name+" was", "samples of the set "+j.Name+" were"))
	}
	d.Findings = append(d.Findings, newFinding(SetJoined, file, 0, "the set %s joins with %s: %d of %d train samples%s",
		j.Name, Counted(j.Samples, "sample", "samples"), j.Train, j.Of, shareText(j.Share)))
	d.Sets = append(d.Sets, *j)
}

// shows finds items by what they show.
type shows struct {
	items []Item
	root  string
	at    hashTable
	first []int32 // item, of each thing that is shown
	next  []int32 // item that shows the same, of each; 0 where it is the last
}

func showing(items []Item, root string) *shows {
	s := &shows{items: items, root: root, next: make([]int32, len(items))}
	for i := len(items) - 1; i >= 0; i-- {
		shown := items[i].shown(root)
		if thing := s.thing(shown); thing >= 0 {
			s.next[i], s.first[thing] = s.first[thing], int32(i)
			continue
		}
		s.at.put(hashOfText(shown), len(s.first))
		s.first = append(s.first, int32(i))
	}
	return s
}

func (s *shows) thing(shown string) int32 {
	return s.at.find(hashOfText(shown), func(i int32) bool { return s.items[s.first[i]].shown(s.root) == shown })
}

// all are the numbers of the items that show something, in their order.
func (s *shows) all(shown string) iter.Seq[int] {
	return func(yield func(int) bool) {
		thing := s.thing(shown)
		if thing < 0 {
			return
		}
		for i := s.first[thing]; yield(int(i)) && s.next[i] != 0; i = s.next[i] {
		}
	}
}

// shown is what an item shows, by which other sets know it: its file or, of one that is not there, the path that its
// labels write. One that leads out of their folder is from root, as convert writes it.
func (item *Item) shown(root string) string {
	if item.Media != "" {
		return item.Media
	}
	written := path.Clean(strings.ReplaceAll(item.path(), `\`, "/"))
	if strings.HasPrefix(written, "../") {
		return path.Join(filepath.ToSlash(root), written)
	}
	return written
}

func shareText(share float64) string {
	if share == 1 {
		return ""
	}
	return fmt.Sprintf(", drawn by its share of %g", share)
}

// classesOf are the classes of another set among those of this one, which it adds to. A name is known by its spelling,
// and an exercise or an answer in words by any of its spellings.
func (d *Dataset) classesOf(other *Dataset) []int {
	exact, folded := map[string]int{}, map[string]int{}
	for i, class := range d.Classes {
		exact[class.Name] = i
		if _, taken := folded[ExerciseKey(class.Name)]; !taken {
			folded[ExerciseKey(class.Name)] = i
		}
	}
	classes := make([]int, len(other.Classes))
	for i, class := range other.Classes {
		at, is := exact[class.Name]
		if !is {
			at, is = folded[ExerciseKey(class.Name)]
		}
		if !is {
			at = len(d.Classes)
			d.Classes = append(d.Classes, class)
		}
		classes[i] = at
	}
	return classes
}

// says tells whether an item has an object with the same answer, in the
// same place, to the same question or to none that is known.
func (d *Dataset) says(item int, o *Object) bool {
	return slices.ContainsFunc(d.Items[item].Objects, func(other Object) bool {
		asked, before := question(o), question(&other)
		return d.answer(&other) == d.answer(o) && other.Box == o.Box &&
			(asked == before || asked == "" || before == "")
	})
}

func question(o *Object) string {
	if o.Text == nil {
		return ""
	}
	return o.Text.Question
}

func (d *Dataset) answer(o *Object) string {
	if o.Text != nil {
		return o.Text.Answer
	}
	return d.Classes[o.Class].Name
}

// drawItems draws a share of the train split's items; those of other splits are all drawn. An item's place in the draw
// is a hash of its set and its ID: it comes out alike everywhere, and a smaller share is part of a larger one.
func drawItems(items []Item, set string, share float64) []bool {
	drawn := make([]bool, len(items))
	type ticket struct {
		sum  [sha256.Size]byte
		item int
	}
	var train []ticket
	for i := range items {
		if items[i].Split != trainSplit || share == 1 {
			drawn[i] = true
			continue
		}
		train = append(train, ticket{sha256.Sum256([]byte(set + "\x00" + items[i].ID)), i})
	}
	slices.SortFunc(train, func(a, b ticket) int { return bytes.Compare(a.sum[:], b.sum[:]) })
	for _, t := range train[:int(math.Round(share*float64(len(train))))] {
		drawn[t.item] = true
	}
	return drawn
}
