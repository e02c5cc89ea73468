package dataset

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"finetui/core/level"
)

// listing makes items of those of the splits that are wanted.
func (t *talkSet) listing(ctx context.Context, wanted func(string) bool, report Progress) (*listing, error) {
	t.sayParted()
	l := &listing{root: t.root, clips: true}
	all, unknown := make([]bool, len(t.splits)), &Clip{}
	n := 0
	for i, split := range t.splits {
		all[i] = wanted(split)
	}
	for i := range t.records {
		if all[t.records[i].split] { // splitByGroup may have dealt it
			n++
		}
	}
	t.byFile, t.pairs = hashTable{}, nil
	done := collectLater(n)
	l.items = make([]Item, 0, n)
	of := make([]int32, 0, n) // the items' records
	var ids hashTable
	var others slab
	ids.reserve(n)
	for i := range t.items {
		r, facts := &t.items[i], t.records[i].clipFacts
		if !all[facts.split] {
			continue
		}
		first := t.talkID(i, &others)
		id := first
		for n := 2; !ids.putID(l.items, id); n++ {
			id = fmt.Sprintf("%s#%d", first, n)
		}
		split := t.splits[facts.split]
		item := Item{ID: id, Split: split, Labels: t.files[r.file], Group: t.groups[facts.group], Objects: r.objects,
			Rows: countRows(len(r.objects)+int(r.lost), int(r.lost), -1)}
		if r.clip {
			item.Clip, item.Spelling = unknown, t.spelling(i, id[len(split)+1:])
		} else {
			l.clips = false
		}
		l.items, of = append(l.items, item), append(of, int32(i))
	}
	t.items = nil
	done()
	for _, split := range t.present() {
		if wanted(split) {
			l.splits = append(l.splits, split)
		}
	}
	err := share(ctx, len(l.items), "looking for pictures and clips", report, func() func(i int) {
		finder := t.finder()
		return func(i int) { l.items[i].Media = t.place(finder, t.written(int(of[i]))) }
	})
	if err != nil {
		return nil, err
	}
	for i := range l.items {
		if l.items[i].Media == "" {
			code := MissingImage
			if l.items[i].Clip != nil {
				code = MissingClip
			}
			t.count(code, func() string { return t.written(int(of[i])) })
		}
	}
	l.findings = append(t.findings, t.summed()...)
	names := t.names
	l.classes = func([]Item) []string { return names }
	return l, nil
}

// place is where a file lies; "" where it is missing. A path may lead out of the folder of the records, as those of
// convert do.
func (t *talkSet) place(finder *clipFinder, written string) string {
	if rest := filepath.FromSlash(written); strings.HasPrefix(rest, "..") {
		for _, base := range t.bases {
			if at := filepath.Join(base, rest); isFile(at) {
				return at
			}
		}
	}
	return finder.locate(written)
}

// talkID is the id of an item, if no other has it: its split and the path of its file, from no folder in particular.
func (t *talkSet) talkID(i int, others *slab) string {
	lead := t.splits[t.records[i].split] + "/"
	if isPlain(t.path(i)) {
		return t.id(i, lead, others)
	}
	name := path.Clean("/" + strings.ReplaceAll(t.written(i), `\`, "/"))
	return others.join(lead, readable(strings.TrimPrefix(name, "/")))
}

// summed is what was noted of records, once for each code.
func (t *talkSet) summed() (found []Finding) {
	words := map[string][3]string{
		SeveralFiles:   {"%s several pictures or clips, as %s", "record shows", "records show"},
		NoFile:         {"%s neither a picture nor a clip, as %s", "record shows", "records show"},
		NotHere:        {"%s a file that is on the net or in the record itself, as %s", "record names", "records name"},
		NoMark:         {"%s a file and no mark for it, as %s", "record names", "records name"},
		NothingLearned: {"%s answers that are context only, as %s", "record has", "records have"},
		SeveralTurns:   {"%s several questions, as %s", "record asks", "records ask"},
		SystemTurn:     {"%s a system turn, as %s", "record has", "records have"},
		ScaledAnswer:   {"%s weights of answers, as %s", "record has", "records have"},
		RepeatedPair: {"%s what was asked and answered of its file before, as %s", "record repeats",
			"records repeat"},
	}
	for _, code := range t.order {
		w := words[code]
		found = append(found, t.said[code].finding(code, "", w[0], w[1], w[2]))
	}
	if n := t.said[MissingImage]; n != nil {
		found = append(found, n.finding(MissingImage, "", "%s not there, as %s", "picture is", "pictures are").as(
			level.Error, "add the pictures, or name their folder in DATASET.MEDIA; what is asked of them counts, but "+
				"nothing can be trained on it"))
	}
	if n := t.said[MissingClip]; n != nil {
		found = append(found, n.finding(MissingClip, "", "%s not there, as %s", "clip is", "clips are"))
	}
	if n := t.said[GroupParted]; n != nil {
		found = append(found, n.finding(GroupParted, "", "%s in several splits, as %s", "participant is",
			"participants are"))
	}
	return found
}

// linesOf are the lines of some bytes of a file, in ascending order, from 1; 0 where they cannot be read.
func linesOf(path string, at []int64) []int {
	lines := make([]int, len(at))
	file, err := os.Open(path)
	if err != nil {
		return lines
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 64<<10)
	line, passed := 1, int64(0)
	for i, where := range at {
		for passed < where {
			piece, err := in.Peek(int(min(where-passed, 64<<10)))
			line += bytes.Count(piece, []byte{'\n'})
			_, _ = in.Discard(len(piece)) // it is in the buffer
			if passed += int64(len(piece)); err != nil {
				return lines
			}
		}
		lines[i] = line
	}
	return lines
}
