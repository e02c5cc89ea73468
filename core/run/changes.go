package run

import (
	"context"
	"time"
)

// Changes tells when something in some folders has changed, where the system reports it, so that nobody has to look
// again and again at what stands still. It tells neither what has changed nor how often: one signal waits at most. A
// process that dies changes no file; whoever waits for that has to look.
type Changes struct {
	C <-chan struct{} // nil where the system reports nothing
	w *folderWatch    // likewise
}

// NewChanges watches nothing yet. Where the system reports no changes it never signals.
func NewChanges() *Changes {
	w, signal := newFolderWatch()
	return &Changes{C: signal, w: w}
}

// Watch adds folders to those that are watched; watching one again costs a system call. It returns whether every change
// in all of them is reported: not of a folder that does not exist, nor on a file system that others change over a
// network, and then the caller has to look now and then.
func (c *Changes) Watch(folders ...string) (reported bool) {
	reported = c.w != nil
	for _, folder := range folders {
		reported = c.w.add(folder) && reported
	}
	return reported
}

// Wait waits until somebody wakes it, until the least time has gone by if there was a change, or for the most. An error
// is that of ctx.
func (c *Changes) Wait(ctx context.Context, wake <-chan struct{}, least, most time.Duration) error {
	start, end, changed := time.Now(), time.NewTimer(most), c.C
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
			return nil
		case <-end.C:
			return nil
		case <-changed:
			changed = nil // one is enough
			end.Reset(max(least-time.Since(start), 0))
		}
	}
}

// Close ends watching.
func (c *Changes) Close() { c.w.close() }
