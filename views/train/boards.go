package train

import (
	"strings"

	"finetui/views"
	"finetui/views/widget"
)

// The panels that several views have.

func (p *Pane) runsPanel() views.Panel {
	return views.Panel{Name: "runs", Tab: "Runs", Title: p.runsTitle, Right: p.runsNote, Draw: p.drawRuns,
		Move: p.move, Click: p.clickRun}
}

func (p *Pane) lossPanel() views.Panel {
	return views.Panel{Name: "loss", Tab: "Loss", Title: p.lossTitle, Right: p.lossNote, Draw: p.drawLoss}
}

func (p *Pane) ratePanel() views.Panel {
	return views.Panel{Name: "rate", Tab: "Rate", Title: title("Learning rate"), Right: p.lastOf(rate, ""),
		Draw: p.drawTrain(rate, fromZero)}
}

func (p *Pane) timePanel() views.Panel {
	return views.Panel{Name: "time", Tab: "Step time", Right: p.stepTimeNote, Draw: p.drawStepTime}
}

func (p *Pane) machinePanel() views.Panel {
	return views.Panel{Name: "machine", Tab: "Machine", Draw: p.drawMachine}
}

func (p *Pane) classesPanel() views.Panel {
	return views.Panel{Name: "classes", Tab: "Classes", Title: p.classesTitle, Right: p.classesNote,
		Draw: p.drawClasses, Move: p.moveClass}
}

// journalPanels are what a run wrote down: its events, checkpoints and log.
func (p *Pane) journalPanels() []views.Panel {
	return []views.Panel{p.linesPanel("events", "Events", p.eventLines, p.eventsNote),
		p.linesPanel("checkpoints", "Checkpoints", p.checkpointLines, nil),
		p.linesPanel(logPanel, "Log", p.logLinesOf, nil)}
}

func title(s string) func() string { return func() string { return s } }

// fromZero is a scale that begins at nothing.
func fromZero(c *widget.LineChart) { c.FromZero, c.YText = true, tickText }

// tickText is a number without zeros at its end.
func tickText(v float64) string {
	text := widget.Number(v)
	if strings.Contains(text, ".") && !strings.Contains(text, "e") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func (p *Pane) runsNote() string {
	if p.paused {
		return "‖ display paused"
	}
	return ""
}

func (p *Pane) progressTitle() string {
	e := p.selected()
	if e == nil {
		return "Run"
	}
	if e.run.Info.Recipe == "" {
		return "Run · " + e.run.Label()
	}
	return "Run · " + e.run.Label() + " · " + e.run.Info.Recipe + " on " + e.run.Info.Base
}
