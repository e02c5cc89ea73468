package infer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/views/widget"
)

// drawVerdict says in words whether the goal is met, and the figures of the whole split.
func (v *scores) drawVerdict(t *widget.Theme, w, h int) string {
	var lines []string
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w-2))...) }
	r := v.result()
	if r == nil {
		say(t.Muted, "The goal, the intervals and what they allow to say stand here after an evaluation.")
		return widget.Block(indent(lines), w, h)
	}
	if v.batch.request.Pending() {
		lines = append(lines, v.batch.bar(t, w-2))
	}
	if err := v.now.texted[v.main()]; err != nil {
		say(t.Warning, "✗ "+printable.Error(err))
	}
	if v.byTimes() {
		lines = append(lines, v.timesVerdict(t, v.coaching.times(), w-2)...)
		v.bearInMind(t, say)
		return widget.Block(indent(lines), w, h)
	}
	if text := v.texts(); v.byWords() {
		lines = append(lines, v.wordsVerdict(t, text, w-2)...)
		v.bearInMind(t, say)
		return widget.Block(indent(lines), w, h)
	}
	style, sentence := goal(t, r.Success)
	say(style, sentence)
	say(t.Muted, fmt.Sprintf("asked: %s overall, %s in each condition", widget.Percent(r.Success.Overall.AtLeast, 0),
		widget.Percent(conditionGoal(r.Success), 0)))
	lines = append(lines, gauges(t, r.Success, w-2)...)
	say(t.Text, fmt.Sprintf("macro-F1 %.3f (%s) over %d classes", r.MacroF1, fraction(r.MacroF1Interval),
		r.MacroF1Classes)+others(r))
	say(t.Text, fmt.Sprintf("balanced accuracy %s (%s)", widget.Percent(r.BalancedAccuracy, 1),
		span(r.BalancedAccuracyInterval)))
	if r.Unparsed > 0 {
		say(t.Warning, fmt.Sprintf("! %s of %s answers unparsed; f lists them", widget.Count(r.Unparsed),
			widget.Count(r.N)))
	} else {
		say(t.Text, "every answer names a class")
	}
	if few := tooFew(r); few != "" {
		say(t.Warning, "! too few to tell: "+few)
	}
	say(t.Muted, fmt.Sprintf("perfect answers would score %s · MCC %.2f · kappa %.2f · %.3f s an answer",
		widget.Percent(r.SelfTest, 0), r.MCC, r.Kappa, r.SecondsPerAnswer))
	if conditions, objects := r.Grouped(); len(conditions)+len(objects) > 0 {
		say(t.Muted, "exact: the share of a group answered with its very class, not another of the group")
	}
	v.bearInMind(t, say)
	return widget.Block(indent(lines), w, h)
}

// bearInMind says what else is to be known of the evaluation that is shown: what has changed since, and when it was.
func (v *scores) bearInMind(t *widget.Theme, say func(style widget.Style, text string)) {
	k, who := v.kept(), v.main()
	if changed := v.now.changed[who]; len(changed) > 0 {
		say(t.Warning, "! constants have changed since ("+strings.Join(changed, "; ")+"): b evaluates again")
	}
	if k.Older {
		say(t.Warning, "! the run has a better checkpoint since; b evaluates that one")
	}
	for _, note := range v.now.settings[who].Notes {
		say(t.Warning, "! "+note)
	}
	say(t.Muted, "evaluated "+k.When.Format("2 Jan 15:04"))
}

// tooFew names the classes with so few objects that their recall can be nearly anything, the vaguest first.
func tooFew(r *eval.Result) string {
	var list []eval.Named[eval.Group]
	for _, g := range r.Classes {
		if g.Value.Support > 0 && vague(g.Value.Interval) {
			list = append(list, g)
		}
	}
	slices.SortStableFunc(list, func(a, b eval.Named[eval.Group]) int {
		return cmp.Compare(width(b.Value.Interval), width(a.Value.Interval))
	})
	const most = 6
	var parts []string
	for _, g := range list[:min(most, len(list))] {
		parts = append(parts, fmt.Sprintf("%s, %d of %d right: %s", widget.Clean(g.Name), g.Value.Right, g.Value.Support,
			span(g.Value.Interval)))
	}
	if more := len(list) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more classes", more))
	}
	return strings.Join(parts, "; ")
}

// others is macro-F1 over the closed list where some of its classes have no true item.
func others(r *eval.Result) string {
	if r.MacroF1Classes == len(r.ClosedList) {
		return ""
	}
	return fmt.Sprintf(", %.3f over all %d", r.MacroF1AllClasses, len(r.ClosedList))
}

// goal says whether success was reached, and how sure that is.
func goal(t *widget.Theme, s eval.Success) (widget.Style, string) {
	certain := s.Overall.Certain
	var missed []string
	if !s.Overall.Met {
		missed = append(missed, "overall "+widget.Percent(s.Overall.Accuracy, 1))
	}
	for _, c := range s.Conditions {
		certain = certain && c.Value.Certain
		if !c.Value.Met {
			missed = append(missed, widget.Clean(c.Name)+" "+widget.Percent(c.Value.Accuracy, 1))
		}
	}
	switch {
	case len(missed) == len(s.Conditions)+1:
		return t.Warning, "✗ goal not met, neither overall nor in any condition"
	case len(missed) > 0:
		return t.Warning, "✗ goal not met: " + strings.Join(missed, ", ")
	case !certain:
		return t.OK, "✓ goal met, but an interval reaches below it"
	}
	return t.OK, "✓ goal met, and every interval lies above it"
}

func conditionGoal(s eval.Success) float64 {
	for _, c := range s.Conditions {
		return c.Value.AtLeast
	}
	return s.Overall.AtLeast
}

// gauges are the targets as bars with their goals.
func gauges(t *widget.Theme, s eval.Success, w int) []string {
	wide := len("overall")
	for _, c := range s.Conditions {
		wide = max(wide, widget.Width(widget.Clean(c.Name)))
	}
	wide = min(wide, w/3)
	digits := widget.Width(widget.Count(s.Overall.Support))
	line := func(name string, target eval.Target) string {
		text := fmt.Sprintf("%s %9s of %s", widget.Right(widget.Percent(target.Accuracy, 1), 7), span(target.Interval),
			widget.Right(widget.Count(target.Support), digits))
		mark := "✓ "
		if !target.Met {
			mark = "✗ "
		}
		return widget.Gauge{Label: mark + widget.Left(widget.Clean(name), wide), Share: target.Accuracy,
			Goal: target.AtLeast, Text: text}.View(t, w)
	}
	lines := []string{line("overall", s.Overall)}
	for _, c := range s.Conditions {
		lines = append(lines, line(c.Name, c.Value))
	}
	return lines
}
