package dataset

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"finetui/core/media"
	"finetui/core/project"
	"finetui/views"
	"finetui/views/widget"
)

// film is the frames of the opened clip: those that the model sees, decoded beside the screen.
type film struct {
	key     filmKey
	sight   *project.Sight // nil: not there yet
	err     error          // why it never will be
	done    int            // frames decoded, of total
	total   int
	at      widget.List // the frame that is shown large
	request views.Request
}

// filmKey is everything that the frames of a clip depend on.
type filmKey struct {
	reads, item int
	base        string
	most        int // MODEL.FRAMES
}

// filmed is one message of decoding: how far it is, at last the frames.
type filmed struct {
	done, total int
	sight       *project.Sight
}

// watch asks for the frames of a clip, unless it has them or waits for them. Those of the clip before are given up.
func (p *shared) watch(item int) tea.Cmd {
	c := p.file.Config.Model
	key := filmKey{p.reads, item, c.Base, c.Frames}
	f := &p.film
	if f.key == key {
		return nil
	}
	f.request.Close()
	*f = film{key: key}
	path, file, frames := p.set.Items[item].Media, p.file.Snapshot, p.control.Frames
	if path == "" || frames == nil {
		return nil
	}
	return views.Listen(&f.request, func(ctx context.Context, emit func(filmed)) error {
		sight, err := frames(ctx, file, path, func(done, total int) { emit(filmed{done: done, total: total}) })
		if err == nil {
			emit(filmed{sight: sight})
		}
		return err
	})
}

// filmed takes what the decoding says.
func (p *shared) filmed(msg views.Batch[filmed]) tea.Cmd {
	f := &p.film
	if !f.request.Takes(msg.Ticket) {
		return nil
	}
	for _, step := range msg.Values {
		f.done, f.total = step.done, step.total
		if step.sight != nil {
			f.sight = step.sight
		}
	}
	if msg.Ended {
		f.err = msg.Err
		f.request.Close()
	}
	return msg.Next
}

// frames is how many frames there are to show.
func (f *film) frames() int {
	if f.sight == nil {
		return 0
	}
	return len(f.sight.Frames)
}

// frame is the picture of a frame, from 1 as pictureKey counts.
func (f *film) frame(key pictureKey) *media.Picture {
	if key.frame < 1 || key.frame > f.frames() {
		return nil
	}
	return f.sight.Frames[key.frame-1].Picture
}

// filmGrid divides w×h cells among n frames of pw×ph pixels, each over a line with its time, which are seconds at most.
func filmGrid(n, pw, ph int, seconds float64, w, h int) grid {
	c := widget.NewContact(n, pw, ph, w, h, 1, max(9, widget.Width(media.Clock(seconds))+2))
	return grid{c.Columns, c.Rows, c.W + 1, min(c.H+1, h)}
}
