package dataset

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"finetui/core/filehash"
	"finetui/ml/cores"
)

// desk is what one worker needs to read item after item: memory that is used again.
type desk struct {
	text    []byte   // a label file
	picture []byte   // the beginning of a picture
	objects []Object // of one item
	slab    []Object // room for the objects of the next items: one piece of memory for many

	labels, pictures folder
	seen             identity // of the item that is read, before it was
}

// keep moves the objects of one item to where they stay.
func (d *desk) keep(objects []Object) []Object {
	const slab = 1024
	n := len(objects)
	if n == 0 {
		return nil
	}
	if n > slab/4 {
		return append(make([]Object, 0, n), objects...)
	}
	if cap(d.slab)-len(d.slab) < n {
		d.slab = make([]Object, 0, slab)
	}
	start := len(d.slab)
	d.slab = append(d.slab, objects...)
	return d.slab[start : start+n : start+n]
}

// sights is what looks at the picture files of all items tell of them without decoding.
type sights struct {
	ids     []identity
	now     time.Time // when they were that
	glances []glance
}

func (s *sights) stat(i int) filehash.Stat { return s.ids[i].picture }

// fresh says that the stat of a picture may not tell its next change.
func (s *sights) fresh(i int) bool { return filehash.Fresh(s.stat(i), s.now) }

// readItems reads the label files and the headers of the pictures on all cores, those that kept does not know. It
// returns what a look at each picture file tells.
func readItems(ctx context.Context, set *Dataset, l *listing, kept keeper, report Progress) (*sights, error) {
	items := set.Items
	findings, glances := make([][]Finding, len(items)), make([]glance, len(items))
	ids, now := l.seen, time.Now()
	if ids == nil {
		ids = make([]identity, len(items))
	}
	if len(items) < keepFrom {
		kept = keeper{}
	}
	err := share(ctx, len(items), "", nil, func() func(i int) {
		d := &desk{}
		return func(i int) { d.identify(&items[i], &ids[i]) }
	})
	if err != nil {
		return nil, err
	}
	names := kept.names(items) // before reading: a missing label file loses its name
	taken, exact := kept.take(items, names, ids, func(i int, found []Finding, seen glance) {
		findings[i], glances[i] = found, seen
	})
	var left []int
	for i := range items {
		if !taken[i] {
			left = append(left, i)
		}
	}
	err = share(ctx, len(left), "reading labels and pictures", report, func() func(i int) {
		d := &desk{picture: make([]byte, headBytes)}
		labels := func(int) []Finding { return nil }
		if l.labels != nil {
			labels = l.labels(d)
		}
		return func(i int) {
			at := left[i]
			d.seen = ids[at]
			findings[at], glances[at] = readItem(d, &items[at], set)
			findings[at] = append(findings[at], labels(at)...)
		}
	})
	if err != nil {
		return nil, err
	}
	if !exact {
		kept.keep(items, names, ids, now, func(i int) ([]Finding, glance) { return findings[i], glances[i] })
	}
	for _, found := range findings {
		set.Findings = append(set.Findings, found...)
	}
	return &sights{ids, now, glances}, nil
}

// beside is the key of Beside.
type beside struct{}

// Beside asks for work that leaves a core to others and gives way to them: to a screen that answers keys meanwhile.
func Beside(ctx context.Context) context.Context { return context.WithValue(ctx, beside{}, true) }

func isBeside(ctx context.Context) bool { return ctx.Value(beside{}) != nil }

// Behind does work that gives way to all others on the machine, and waits for it.
func Behind(work func()) {
	ended := make(chan any)
	go func() {
		defer func() { ended <- recover() }()
		cores.GiveWay()
		work()
	}()
	if fault := <-ended; fault != nil {
		panic(fault) // for whoever looks after the caller
	}
}

// workers is how many work for n things at a time.
func workers(ctx context.Context, n int) int {
	most := min(cores.Count(), 8)
	if isBeside(ctx) {
		most = max(1, most-1)
	}
	return min(most, n)
}

// share spreads work on n things over all cores; each worker gets a function of its own from worker, for memory that it
// uses again. Progress is told a few hundred times at most. It stops with ctx, and returns ctx's error.
func share(ctx context.Context, n int, what string, report Progress, worker func() func(i int)) error {
	var next atomic.Int64
	var team sync.WaitGroup
	var lock sync.Mutex
	done, piece := 0, max(1, min(64, n/256))
	step := max(1, n/400)
	for range workers(ctx, n) {
		team.Go(func() {
			if isBeside(ctx) {
				cores.GiveWay()
			}
			work := worker()
			for ctx.Err() == nil {
				first := int(next.Add(int64(piece))) - piece
				if first >= n {
					return
				}
				last := min(first+piece, n)
				for i := first; i < last; i++ {
					work(i)
				}
				if report == nil {
					continue
				}
				lock.Lock()
				before := done
				if done += last - first; (done/step > before/step || done == n) && ctx.Err() == nil {
					report(done, n, what)
				}
				lock.Unlock()
			}
		})
	}
	team.Wait()
	return ctx.Err()
}

// readItem fills in what the picture of an item tells: its size.
// Without a picture, the size that the labels told stays.
func readItem(d *desk, item *Item, set *Dataset) (findings []Finding, seen glance) {
	if item.Media == "" || item.Clip != nil {
		return nil, seen
	}
	facts, err := inspectPicture(place{item.Media, &d.pictures, d.seen.picture}, d.picture)
	item.setSize(facts.width, facts.height)
	item.Orientation = uint8(facts.orientation)
	if err != nil {
		item.Broken = true
		findings = append(findings, newFinding(UnreadableImage, set.Short(item.Media), 0, "%v", bare(err)))
	}
	return findings, facts.glance
}
