package main

import (
	"time"

	"charm.land/bubbles/v2/spinner"
	tea "charm.land/bubbletea/v2"

	"finetui/views"
)

// busy turns the spinner in what the open pane draws, as long as it has work under way. Nothing turns otherwise, and
// nothing goes over the line.
type busy struct {
	wheel   spinner.Model
	turning bool
}

// newBusy is a spinner of one cell that turns as often as streams are drawn; in a terminal without UTF-8 of ASCII.
func newBusy(ascii bool) busy {
	look := spinner.MiniDot
	if ascii { // dots would become one and the same letter
		look = spinner.Line
	}
	look.FPS = time.Second / 4
	return busy{wheel: spinner.New(spinner.WithSpinner(look))}
}

// working says whether the open pane has work under way.
func (r *root) working() bool {
	worker, ok := r.pane().(views.Worker)
	return ok && worker.Working()
}

// setBusy sets the spinner going where work has begun.
func (r *root) setBusy() tea.Cmd {
	if r.busy.turning || !r.working() {
		return nil
	}
	r.busy.turning = true
	return r.busy.wheel.Tick
}

// turn shows the spinner's next frame, and lets it rest where the work has ended.
func (r *root) turn(msg spinner.TickMsg) tea.Cmd {
	if r.busy.turning = r.working(); !r.busy.turning {
		return nil
	}
	var next tea.Cmd
	r.busy.wheel, next = r.busy.wheel.Update(msg)
	r.theme.Busy = r.busy.wheel.View()
	return tea.Batch(next, r.redraw.soon())
}
