package dataset

import (
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"
)

// Objects numbers the objects of a split from 0, in the order of the data set. It holds the pictures and clips alone: a
// million objects take no more memory than what they lie in.
type Objects struct {
	set    *Dataset
	items  []int          // that hold an object
	starts []int          // the number of each one's first object, and at the end how many there are
	byID   map[string]int // places in items
}

// Objects are those of a split ("": of all splits).
func (d *Dataset) Objects(split string) *Objects {
	l := &Objects{set: d, starts: []int{0}}
	for i := range d.Items {
		item := &d.Items[i]
		if n := len(item.Objects); n > 0 && (split == "" || item.Split == split) {
			l.items, l.starts = append(l.items, i), append(l.starts, l.Len()+n)
		}
	}
	l.byID = make(map[string]int, len(l.items))
	for place, i := range l.items {
		l.byID[d.Items[i].ID] = place
	}
	return l
}

// Len is how many there are.
func (l *Objects) Len() int { return l.starts[len(l.items)] }

// At is the object of a number.
func (l *Objects) At(n int) Ref {
	place := sort.SearchInts(l.starts, n+1) - 1
	return Ref{l.items[place], n - l.starts[place]}
}

// Item is what the object of a number lies in.
func (l *Objects) Item(n int) *Item { return &l.set.Items[l.At(n).Item] }

// Find is the number of the object with an ID.
func (l *Objects) Find(id string) (n int, there bool) {
	name, object, ok := cutObjectID(id)
	place, there := l.byID[name]
	if !ok || !there || object >= l.starts[place+1]-l.starts[place] {
		return 0, false
	}
	return l.starts[place] + object, true
}

// All goes through them.
func (l *Objects) All() iter.Seq2[int, Ref] {
	return func(yield func(int, Ref) bool) {
		for place, i := range l.items {
			for o := range l.set.Items[i].Objects {
				if !yield(l.starts[place]+o, Ref{i, o}) {
					return
				}
			}
		}
	}
}

// ObjectID names an object of an item: "split/name#object", the object counted from 0.
func ObjectID(item string, object int) string { return fmt.Sprintf("%s#%d", item, object) }

// cutObjectID is what ObjectID was made of.
func cutObjectID(id string) (item string, object int, ok bool) {
	at := strings.LastIndexByte(id, '#')
	if at < 0 {
		return "", 0, false
	}
	object, err := strconv.Atoi(id[at+1:])
	ok = err == nil && object >= 0 && ObjectID(id[:at], object) == id
	return id[:at], object, ok
}
