package dataset

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
)

// desk is what one worker needs to read item after item: memory that is used again.
type desk struct {
	text    []byte // a label file
	picture []byte // the beginning of a picture
	rows    rows
	slab    []Object // room for the objects of the next items: one piece of memory for many
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

// readItems reads the label files and the headers of the pictures on all cores. It returns what a glance at each picture
// file tells.
func readItems(ctx context.Context, set *Dataset, plan *yoloPlan, rules rowRules, report Progress) ([]glance, error) {
	findings := make([][]Finding, len(set.Items))
	glances := make([]glance, len(set.Items))
	err := share(ctx, len(set.Items), "reading labels and pictures", report, func() func(i int) {
		d := &desk{picture: make([]byte, headBytes)}
		return func(i int) { findings[i], glances[i] = readItem(d, &set.Items[i], plan, rules) }
	})
	if err != nil {
		return nil, err
	}
	for _, found := range findings {
		set.Findings = append(set.Findings, found...)
	}
	return glances, nil
}

// share spreads work on n things over all cores; each worker gets a function of its own from worker, for memory that it
// uses again. Progress is told a few hundred times at most. It stops with ctx, and returns ctx's error.
func share(ctx context.Context, n int, what string, report Progress, worker func() func(i int)) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	var lock sync.Mutex
	done, piece := 0, max(1, min(64, n/256))
	step := max(1, n/400)
	for range min(runtime.GOMAXPROCS(0), 8, n) {
		workers.Go(func() {
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
				if done += last - first; done/step > before/step || done == n {
					report(done, n, what)
				}
				lock.Unlock()
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}

// readItem fills in the objects and the size of one item.
func readItem(d *desk, item *Item, plan *yoloPlan, rules rowRules) (findings []Finding, seen glance) {
	label := plan.short(item.Labels)
	text, buffer, err := readSmall(item.Labels, d.text)
	d.text = buffer
	switch {
	case err == nil:
		d.rows.parse(string(text), label, rules)
		item.Objects, findings, item.Rows = d.keep(d.rows.objects), d.rows.findings, d.rows.counts()
	case errors.Is(err, fs.ErrNotExist):
		item.Labels = ""
		findings = append(findings, newFinding(MissingLabel, plan.short(item.Media), 0, "no label file %s", label))
	case errors.Is(err, errFolder):
		item.Labels = ""
		findings = append(findings, newFinding(LabelIsAFolder, label, 0, "a folder stands where the label file belongs"))
	default:
		item.Labels = ""
		findings = append(findings, newFinding(UnreadableLabel, label, 0, "%v", bare(err)))
	}
	facts, err := inspectPicture(item.Media, d.picture)
	item.Width, item.Height, item.Orientation = facts.width, facts.height, facts.orientation
	if err != nil {
		item.Broken = true
		findings = append(findings, newFinding(UnreadableImage, plan.short(item.Media), 0, "%v", err))
	}
	return findings, facts.glance
}
