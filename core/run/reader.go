package run

import (
	"path/filepath"
	"time"
)

// Reader reads a run's metrics into a History as they grow: it is how everybody reads them, who waits for a run, who
// follows one and who draws one, so that what a later row takes back is gone for all of them. Where nothing was added
// it reads nothing. What it has read of a long file it keeps in an index, so that the next Reader reads only what is
// new. It is for one goroutine.
type Reader struct {
	History History

	tail   Tail
	from   *adoptedTail // the rows of an adopted run, in place of tail; nil: it is none
	each   func(Row)    // of Rows; nil: only the history is wanted
	index  string       // path of the index; "": none is kept
	loaded bool
	kept   int64 // the offset that the index holds
}

// Reader returns a reader of the whole history.
func (r *Run) Reader() *Reader { return r.reader(false) }

// BriefReader returns a reader of what a list of runs shows (History.Brief): last step, checks and checkpoints.
func (r *Run) BriefReader() *Reader { return r.reader(true) }

// Rows returns a reader that hands every row to each as it stands in the file, also one that a later row takes back
// (History), beginning behind so many bytes of metrics (Written; 0: all). It keeps no index: all rows are read.
func (r *Run) Rows(written int64, each func(Row)) *Reader {
	if r.log != nil {
		return &Reader{from: r.adoptedTail(), each: each, loaded: true}
	}
	reader := &Reader{tail: *r.Tail(), each: each, loaded: true}
	reader.tail.Offset = min(written, r.Written())
	return reader
}

func (r *Run) reader(brief bool) *Reader {
	if r.log != nil {
		return &Reader{History: History{Brief: brief}, from: r.adoptedTail(), loaded: true}
	}
	name := r.Label() + ".curves"
	if brief {
		name = r.Label() + ".brief"
	}
	return &Reader{History: History{Brief: brief}, tail: *r.tail(brief),
		index: filepath.Join(filepath.Dir(r.Dir), indexFolder, name)}
}

// Read takes in what has come since the last Read, until a time or all of it (zero time), and says whether there was
// anything and whether there is more.
func (r *Reader) Read(until time.Time) (changed, more bool, err error) {
	if !r.loaded {
		r.loaded = true
		changed = r.load()
	}
	for {
		batch, err := r.next()
		if err != nil {
			return changed, false, err
		}
		if len(batch.Rows) > 0 || batch.Bad > 0 || batch.Reset {
			r.History.Add(batch)
			changed = true
		}
		if r.each != nil {
			for _, row := range batch.Rows {
				r.each(row)
			}
		}
		if batch.Reset {
			r.kept = 0
		}
		if !batch.More || !until.IsZero() && !time.Now().Before(until) {
			more = batch.More
			break
		}
	}
	if !more {
		r.keep()
	}
	return changed, more, nil
}

// next reads the next rows of the run's files.
func (r *Reader) next() (Batch, error) {
	if r.from != nil {
		return r.from.Read()
	}
	return r.tail.Read()
}
