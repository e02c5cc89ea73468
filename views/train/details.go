package train

import (
	"fmt"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/core/trainerlog"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// details is the view of what the selected run was started from and what it wrote down.
type details struct{ *shared }

func newDetails(s *shared, of *panels) views.View {
	v := &details{s}
	constants := lines{shared: s, name: "constants", tab: "Constants", text: v.constantLines,
		note: func() string {
			if r := v.current(); r != nil && r.run.Tool() != "" {
				return "" // what its defaults are is not known
			}
			return "≠ not the default"
		}}
	all := append([]views.Panel{s.linesPanel("about", "About", v.aboutLines), constants.panel(),
		s.linesPanel("results", "Evaluation", v.resultLines)}, of.journal...)
	board := views.NewBoard(layout.Row(
		layout.Column(layout.Panel("about", 38, 8).Prior(2).AtMost(0, 16), layout.Panel("checkpoints", 38, 5).Prior(1),
			layout.Panel("results", 38, 5)).Weighted(3).Prior(1),
		layout.Panel("constants", 34, 8).Weighted(2),
		layout.Column(layout.Panel("events", 40, 8).Prior(1), layout.Panel("log", 40, 8)).Weighted(3).Prior(1)),
		all...)
	return views.View{Name: detailsView, Boards: []*views.Board{board}, Back: true}
}

// aboutLines are what the run was started from, as run.json tells it.
func (v *details) aboutLines(t *widget.Theme, w int) []string {
	e := v.selected()
	if e == nil {
		return nil
	}
	var lines []string
	say := func(name, value string) {
		if value == "" || value == "0" {
			return
		}
		const nameW = 12
		for i, part := range widget.Wrap(widget.Clean(value), max(w-nameW-3, 10)) {
			if i > 0 {
				name = ""
			}
			lines = append(lines, " "+t.Muted.Render(widget.Left(name, nameW))+" "+part)
		}
	}
	info := e.run.Info
	zone := v.now().Location()
	say("run", e.run.Label())
	if e.run.Fault != nil {
		say("fault", "✗ "+e.fault())
		say("folder", e.run.Dir)
		return lines
	}
	if e.run.Tool() != "" {
		say("trainer", info.Recipe)
	} else {
		say("recipe", info.Recipe)
	}
	say("base", strings.TrimSpace(info.Base+"  "+short(info.BaseFingerprint)))
	say("data", short(info.DataFingerprint))
	say("steps", widget.Count(info.Steps))
	say("samples", widget.Count(info.Samples))
	say("trainable", widget.Count(info.Trainable))
	say("created", dateText(info.Created, zone))
	say("begun", dateText(info.Began, zone))
	if info.Resumed > 0 {
		say("resumed", times(info.Resumed))
	}
	if e.status.Reason != "" && e.run.Tool() != "" {
		say("state", e.status.State+": "+e.status.Reason)
	}
	if d := v.elapsed(e); d > 0 { // else it is not known
		say("at work", widget.Duration(d))
	}
	if info.Process != nil {
		say("process", fmt.Sprintf("%d on %s", info.Process.PID, info.Machine))
	}
	say("program", info.Version)
	say("project", info.Root)
	say("folder", e.run.Dir)
	return lines
}

// short is the beginning of a fingerprint: enough to see whether two are the same.
func short(fingerprint string) string {
	if len(fingerprint) > 12 {
		return fingerprint[:12]
	}
	return fingerprint
}

func dateText(unix float64, zone *time.Location) string {
	if unix == 0 {
		return ""
	}
	return time.UnixMilli(int64(unix * 1000)).In(zone).Format("2006-01-02 15:04:05")
}

// constantSections are those that decide what a run comes to.
var constantSections = []string{"RECIPE", "LORA", "TRAIN", "MODEL"}

// constantLines are the run's constants; those that are not the default's are marked.
func (v *details) constantLines(t *widget.Theme, w int) []string {
	r := v.current()
	switch {
	case r == nil:
		return []string{v.nothing(t, "", w, 1)}
	case r.run.Tool() != "":
		return settingLines(t, r.settings, w)
	case r.config == nil:
		return widget.Hang(t.Warning.Render(" ✗ "), widget.Clean(printable.Error(r.configErr)), t.Warning, w-1)
	}
	usual := config.Default()
	var lines []string
	for _, section := range constantSections {
		lines = append(lines, " "+t.Strong.Render(section))
		for _, f := range config.Fields() {
			if f.Section != section {
				continue
			}
			value, mark := config.Plain(r.config, f.Name()), "  "
			if config.Get(r.config, f.Name()) != config.Get(usual, f.Name()) {
				mark = t.Accent.Render("≠ ")
			}
			lines = append(lines, widget.Hang(" "+mark+t.Muted.Render(widget.Left(f.Key, 17))+" ", widget.Clean(value),
				t.Text, w)...)
		}
	}
	return lines
}

// settingLines are what another trainer was told, file by file.
func settingLines(t *widget.Theme, settings []trainerlog.Setting, w int) (lines []string) {
	if len(settings) == 0 {
		return widget.Hang(" ", "what it was told is not in its folder", t.Muted, w-1)
	}
	file := ""
	for _, s := range settings {
		if s.File != file {
			file = s.File
			lines = append(lines, " "+t.Strong.Render(widget.Clean(file)))
		}
		lines = append(lines, widget.Hang("   "+t.Muted.Render(widget.Left(widget.Clean(s.Key), max(17, w/2-4)))+" ",
			widget.Clean(s.Value), t.Text, w)...)
	}
	return lines
}

// resultLines are the evaluations after training, a block for each split.
func (v *details) resultLines(t *widget.Theme, w int) []string {
	r := v.current()
	switch {
	case r == nil:
		return []string{v.nothing(t, "", w, 1)}
	case r.run.Tool() != "" && r.run.Adapter() == "":
		return widget.Hang(" ", r.run.Tool()+" has saved no adapter here that could be evaluated", t.Muted, w-1)
	case len(r.results) == 0:
		return widget.Hang(" ", "not evaluated yet: finetui eval, or b in Infer", t.Muted, w-1)
	}
	var lines []string
	for _, result := range r.results {
		line := fmt.Sprintf("%s · %s answers · %s right", widget.Clean(result.Split), widget.Count(result.N),
			widget.Percent(result.Accuracy, 1))
		if i := result.AccuracyInterval; i != nil {
			line += fmt.Sprintf(" (%s … %s)", widget.Percent(i[0], 0), widget.Percent(i[1], 0))
		}
		say := func(style widget.Style, indent, text string) {
			lines = append(lines, widget.Hang(indent, text, style, w)...)
		}
		say(t.Strong, " ", line)
		say(t.Text, "   ", fmt.Sprintf("macro-F1 %s · balanced %s · unparsed %d", widget.Number(result.MacroF1),
			widget.Percent(result.BalancedAccuracy, 1), result.Unparsed))
		var conditions []string
		for _, c := range result.Conditions {
			conditions = append(conditions, fmt.Sprintf("%s %s of %d", widget.Clean(c.Name),
				widget.Percent(c.Value.Exact, 0), c.Value.Support))
		}
		say(t.Muted, "   ", strings.Join(conditions, " · "))
	}
	return lines
}
