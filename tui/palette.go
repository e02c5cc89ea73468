package main

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// offer is something that can be done from anywhere: an action of some pane, which is shown first.
type offer struct {
	pane   int // -1: the root's own
	action views.Action
}

// offers are all actions of all panes, once each: the open pane's first, then the root's own, then the others'. Moving
// the cursor is none, and to turn the views of another pane is none either: each view has its name.
func (r *root) offers() []offer {
	var offers []offer
	seen := map[string]bool{}
	add := func(pane int, actions []views.Action) {
		for _, a := range actions {
			turns := strings.HasSuffix(a.Name, "_view") || strings.HasSuffix(a.Name, "_section") ||
				a.Group == views.Panels
			if turns && pane >= 0 && pane != r.open {
				continue
			}
			if key := strconv.Itoa(pane) + a.Name + a.Help; a.Group != views.Moving && !seen[key] {
				seen[key] = true
				offers = append(offers, offer{pane, a})
			}
		}
	}
	if r.pane() != nil {
		add(r.open, r.pane().Actions())
	}
	add(-1, r.own())
	for i, pane := range r.panes {
		if !pane.Capturing() {
			add(i, pane.AllActions())
		}
	}
	actions := make([]views.Action, len(offers))
	for i, o := range offers {
		actions[i] = o.action
	}
	for i, a := range views.Bind(actions, r.keys) {
		offers[i].action = a
	}
	return offers
}

// take shows where an action works and runs it there.
func (r *root) take(o offer) tea.Cmd {
	var arrive tea.Cmd
	if o.pane >= 0 {
		arrive = r.front(o.pane)
	}
	if o.action.Show != nil {
		o.action.Show()
	}
	if !o.action.On() {
		return tea.Batch(arrive, views.Warn("“%s” cannot be done here now", o.action.Help))
	}
	return tea.Batch(arrive, o.action.Run())
}

// place is the name of an offer's pane where it is not the open one.
func (r *root) place(o offer) string {
	if o.pane < 0 || o.pane == r.open {
		return ""
	}
	return r.panes[o.pane].Name() + " · "
}

// palette finds an action of any pane, a view, a run or a constant by some of its letters.
type palette struct {
	root   *root
	take   []func() tea.Cmd
	choice *widget.Choice
}

func newPalette(r *root) *palette {
	p := &palette{root: r}
	var options []widget.Option
	add := func(option widget.Option, take func() tea.Cmd) {
		options, p.take = append(options, option), append(p.take, take)
	}
	for _, o := range r.offers() {
		if o.action.On() {
			add(widget.Option{Text: strings.ReplaceAll(o.action.Name, "_", " "), Detail: r.place(o) + o.action.Help,
				Key: o.action.KeyText()},
				func() tea.Cmd { return r.take(o) })
		}
	}
	for i, pane := range r.panes {
		jumper, ok := pane.(views.Jumper)
		if !ok || pane.Capturing() {
			continue
		}
		for _, jump := range jumper.Jumps() {
			add(widget.Option{Text: jump.Text, Detail: jump.Detail}, func() tea.Cmd {
				arrive := r.front(i)
				return tea.Batch(arrive, jump.Go())
			})
		}
	}
	p.choice = widget.NewChoice("Commands, views, runs, constants", true, options...)
	return p
}

func (p *palette) update(msg tea.Msg) (bool, tea.Cmd) {
	outcome, cmd := p.choice.Update(msg)
	switch outcome {
	case widget.Accepted:
		p.root.over = nil
		return false, p.take[p.choice.Chosen()]()
	case widget.Cancelled:
		return false, nil
	}
	return true, cmd
}

func (p *palette) draw(t *widget.Theme, w, h int) (string, int, int) {
	bw, bh := p.choice.Size()
	bw, bh = min(bw, w-8), min(bh, h-4)
	return p.choice.View(t, bw, bh), (w - bw) / 2, 2
}
