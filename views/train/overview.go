package train

import (
	"finetui/views"
	"finetui/views/layout"
)

// overview is the view of the runs and of the selected one at a glance. It has a board for each size of terminal.
type overview struct{ *shared }

func newOverview(s *shared, of *panels) views.View {
	v := &overview{s}
	progress := views.Panel{Name: "progress", Tab: "Run", Title: v.progressTitle, Draw: v.drawProgress}
	all := append([]views.Panel{of.runs, progress, of.loss, of.rate, of.time, of.machine, of.classes}, of.journal...)
	journal := func(w, h int) []layout.Node {
		return []layout.Node{layout.Panel("events", w, h), layout.Panel("checkpoints", w, h), layout.Panel("log", w, h)}
	}
	tiny := views.NewBoard(layout.Column(append([]layout.Node{layout.Panel("runs", 40, 7),
		layout.Panel("loss", 40, 9).Prior(2), layout.Panel("progress", 40, 9).Prior(3).AtMost(0, 9),
		layout.Panel("classes", 40, 8).Prior(1), layout.Panel("time", 40, 7), layout.Panel("rate", 40, 7),
		layout.Panel("machine", 40, 6)}, journal(40, 6)...)...), all...)
	narrow := views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 33, 6).Prior(4),
			layout.Panel("progress", 33, 9).Prior(3).AtMost(0, 9), layout.Panel("time", 33, 6)},
			journal(33, 6)...)...),
		layout.Column(layout.Panel("loss", 45, 10).Prior(3).Weighted(3), layout.Panel("classes", 45, 6).Prior(1),
			layout.Panel("rate", 45, 6), layout.Panel("machine", 45, 6)),
	), all...)
	wide := views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 44, 6).Prior(4),
			layout.Panel("progress", 44, 8).Prior(3).AtMost(0, 8),
			layout.Panel("time", 44, 7).Prior(2).AtMost(0, 7)}, journal(44, 7)...)...).Weighted(5),
		layout.Column(layout.Panel("loss", 56, 10).Prior(3).Weighted(3),
			layout.Row(layout.Panel("rate", 28, 7).AtMost(0, 8), layout.Panel("machine", 28, 7).AtMost(0, 8)).Prior(2),
			layout.Panel("classes", 56, 6).Prior(2)).Weighted(5),
	), all...)
	large := views.NewBoard(layout.Row(
		layout.Column(append([]layout.Node{layout.Panel("runs", 50, 10).Prior(4).Weighted(2),
			layout.Panel("progress", 50, 9).Prior(3).AtMost(0, 9),
			layout.Panel("time", 50, 7).Prior(3).AtMost(0, 8)}, journal(50, 6)...)...).Weighted(2),
		layout.Column(layout.Panel("loss", 80, 14).Prior(3).Weighted(2),
			layout.Row(layout.Panel("rate", 28, 8).AtMost(0, 10),
				layout.Panel("machine", 28, 8).AtMost(0, 10)).Prior(2),
			layout.Panel("classes", 80, 8).Prior(2).Weighted(2)).Weighted(3),
	), all...)
	return views.View{Name: overviewView, Boards: []*views.Board{tiny, narrow, wide, large},
		Pick: func(w, h int) *views.Board {
			switch {
			case w < 80:
				return tiny
			case w < 102:
				return narrow
			case h < 44:
				return wide
			}
			return large
		}}
}
