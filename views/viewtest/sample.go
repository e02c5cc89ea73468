package viewtest

import (
	"context"
	"math"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// Sample is a pane of made-up figures that uses every part of the contract: two boards, a prompt, a stream, layers and
// something unsaved. Tests of the root and of the harness show it; it is also an example of how a pane is written.
type Sample struct {
	Title  string
	Dirty  string // what Unsaved says
	Filter views.Filter
	Tokens []string // of the stream, as they came

	views   *views.Views
	classes widget.Bars
	request views.Request
}

// NewSample is a sample pane of that name; more are views beside its own two.
func NewSample(title string, more ...views.View) *Sample {
	p := &Sample{Title: title}
	p.classes = widget.Bars{Total: 1465, Cursor: &widget.List{}}
	for _, c := range []struct {
		name string
		n    float64
	}{{"rock toe damaged", 366}, {"slope drain", 257}, {"vegetation", 238}, {"rock toe", 153}, {"slope drain damaged",
		148}, {"slope drain blocked", 97}, {"Toe drain- Blocked", 78}, {"Toe drain- Damaged", 76}, {"Toe drain", 52}} {
		p.classes.Items = append(p.classes.Items, widget.Bar{Label: c.name, Value: c.n})
	}
	p.classes.Items[8].Note, p.classes.Items[8].Warn = "rare", true
	p.views = views.NewViews(title, append([]views.View{p.overview(), loss()}, more...)...)
	return p
}

// overview is a view of several panels.
func (p *Sample) overview() views.View {
	node := layout.Row(
		layout.Column(layout.Panel("classes", 40, 8).Prior(1), layout.Panel("samples", 40, 7)).Weighted(3),
		layout.Column(layout.Panel("conditions", 30, 5).AtMost(0, 5), layout.Panel("imbalance", 30, 5).AtMost(0, 5),
			layout.Panel("position", 30, 7)).Weighted(2),
	)
	board := views.NewBoard(node,
		views.Panel{Name: "classes", Tab: "Classes",
			Title: func() string { return "Classes · 9 classes · 1465 objects · 290 images" }, Draw: p.classes.View,
			Move:  func(m widget.Move, page int) { p.classes.Cursor.Move(m, len(p.classes.Items), page) },
			Click: func(_, y, _, h int) tea.Cmd { p.classes.Cursor.Click(y, len(p.classes.Items), h); return nil }},
		views.Panel{Name: "samples", Tab: "Samples", Title: p.samplesTitle, Draw: p.drawTokens},
		views.Panel{Name: "conditions", Tab: "Conditions", Draw: widget.Bars{Total: 1465, Digits: 1,
			Items: []widget.Bar{{Label: "normal", Value: 700}, {Label: "damaged", Value: 590},
				{Label: "blocked", Value: 175, Note: "rare", Warn: true}}}.View},
		views.Panel{Name: "imbalance", Tab: "Imbalance", Draw: p.drawImbalance},
		views.Panel{Name: "position", Tab: "Position",
			Title: func() string { return "Y position · Toe drain · n 52" }, Draw: p.drawPosition},
	)
	return views.View{Name: "Overview", Boards: []*views.Board{board}, Copy: p.selected}
}

// loss is a view of one panel.
func loss() views.View {
	return views.View{Name: "Loss", Boards: []*views.Board{views.NewBoard(layout.Panel("loss", 20, 6),
		views.Panel{Name: "loss", Title: func() string { return "Loss" }, Draw: lossChart().View})}}
}

func (p *Sample) Name() string  { return p.Title }
func (p *Sample) Init() tea.Cmd { return nil }

// Unsaved is what quitting would lose.
func (p *Sample) Unsaved() string { return p.Dirty }

// Capturing says whether the filter is being written.
func (p *Sample) Capturing() bool { return p.Filter.Writing() }

// Status names the views.
func (p *Sample) Status() string {
	if p.Filter.Writing() {
		return p.Filter.Keys()
	}
	return p.views.Status()
}

// Leave ends a zoom, then the filter.
func (p *Sample) Leave() bool {
	return p.views.Leave() || p.Filter.Clear()
}

// Update takes the size, the mouse, the stream, and keys for the open prompt.
func (p *Sample) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case tea.MouseMsg:
		return p.views.Update(msg)
	case views.Batch[string]:
		if p.request.Takes(msg.Ticket) {
			p.Tokens = append(p.Tokens, msg.Values...)
			return msg.Next
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		if p.Filter.Writing() {
			_, cmd := p.Filter.Update(msg)
			return cmd
		}
	}
	return nil
}

// View draws the open board, and the prompt on the last line while it is open.
func (p *Sample) View(t *widget.Theme, w, h int) string {
	drawing := p.views.Draw(t, w, h)
	if p.Filter.Writing() {
		drawing = p.Filter.Over(t, drawing, w, h)
	}
	return drawing
}

// Actions turn the views, and are then the pane's own and the open view's.
func (p *Sample) Actions() []views.Action {
	return slices.Concat(p.views.Turning(), p.own(), p.views.Here())
}

// AllActions are the pane's own, then those of all views.
func (p *Sample) AllActions() []views.Action { return append(p.Actions(), p.views.AllActions()...) }

func (p *Sample) own() []views.Action {
	return []views.Action{
		{Name: "filter", Label: "filter", Help: "show only what contains some text", Group: p.Title,
			Run: func() tea.Cmd { p.Filter.Open("filter", ""); return nil }},
		{Name: "copy", Label: "copy", Help: "copy the class under the cursor", Group: p.Title, Run: p.views.Copy},
		{Name: "stream", Bound: views.To("s"), Help: "let words appear one by one", Group: p.Title, Run: p.stream},
	}
}

// Jumps are the views.
func (p *Sample) Jumps() []views.Jump { return p.views.Jumps() }

// selected is the class under the cursor.
func (p *Sample) selected() string {
	return p.classes.Items[p.classes.Cursor.At(len(p.classes.Items))].Label
}

func (p *Sample) stream() tea.Cmd {
	return views.Listen(&p.request, func(ctx context.Context, emit func(string)) error {
		for _, word := range []string{"The", "rock", "toe", "is", "damaged."} {
			emit(word)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
		}
		return nil
	})
}

func (p *Sample) samplesTitle() string {
	if p.Filter.Text() == "" {
		return "Samples with Toe drain · 3 of 38"
	}
	return "Samples with " + p.Filter.Text()
}

func (p *Sample) drawTokens(t *widget.Theme, w, h int) string {
	text := ""
	for _, token := range p.Tokens {
		text += token + " "
	}
	return widget.Block(text, w, h)
}

func (p *Sample) drawImbalance(t *widget.Theme, w, h int) string {
	return widget.Block(t.Warning.Render(widget.Ratio(366.0/52)+" severe")+"   rock toe damaged 366 : 52 Toe "+
		"drain\nper image 5.09 ± 3.35 (1 … 18)\nsplits train 1129 · valid 208 · test 128", w, h)
}

func (p *Sample) drawPosition(t *widget.Theme, w, h int) string {
	return widget.Histogram{Counts: []float64{0, 0, 1, 2, 5, 11, 16, 10, 5, 2}, From: 0, To: 1,
		Bands: []widget.Band{{Name: "Top", From: 0, To: 0.4}, {Name: "Middle", From: 0.4, To: 0.6},
			{Name: "Bottom", From: 0.6, To: 1}},
		Marks: []widget.Mark{{At: 0.66, Text: "mean 0.66"}}}.Down(t, w, h)
}

func lossChart() widget.LineChart {
	var x, y []float64
	for step := range 400 {
		x = append(x, float64(step))
		y = append(y, 0.3+2.4*math.Exp(-float64(step)/90)+0.15*math.Sin(float64(step*step)))
	}
	y[250] = 6
	return widget.LineChart{XName: "step", IgnoreOutliers: true, Lines: []widget.Line{
		{Name: "loss", X: x, Y: y, Faint: true}, {Name: "smoothed", X: x, Y: widget.Smooth(y, 0.9),
			Tone: widget.Accent},
		{Name: "valid", X: []float64{100, 200, 300, 399}, Y: []float64{1.2, 0.7, 0.5, 0.45}, Glyph: "◆",
			Tone: widget.Accent}}}
}
