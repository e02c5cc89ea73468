package infer

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/views"
	"finetui/views/widget"
)

func (v *ask) answerTitle() string {
	if len(v.asked()) > 1 {
		return "Answers"
	}
	return "Answer"
}

// sideWidth is how wide a panel must be for two answers beside each other.
const sideWidth = 64

// drawAnswers draws what the subjects of the mode said to the present question.
func (v *ask) drawAnswers(t *widget.Theme, w, h int) string {
	asked := v.asked()
	if len(asked) == 1 {
		return v.drawAnswer(t, asked[0], w, h)
	}
	if w >= sideWidth {
		left := (w - 1) / 2
		line := strings.TrimSuffix(strings.Repeat(t.Border.Render("│")+"\n", h), "\n")
		return widget.Columns(v.drawAnswer(t, asked[0], left, h), line, v.drawAnswer(t, asked[1], w-1-left, h))
	}
	above := (h + 1) / 2
	return v.drawAnswer(t, asked[0], w, above) + "\n" + v.drawAnswer(t, asked[1], w, h-above)
}

// drawAnswer is one subject's answer: who says it, what, how it is to be read, how fast it came.
func (v *ask) drawAnswer(t *widget.Theme, who, w, h int) string {
	if h <= 0 {
		return ""
	}
	a := v.answerParts(t, who, w-2)
	a.fit(w-2, h)
	if len(a.head) == 0 && len(v.asked()) > 1 && len(a.text) > 0 {
		a.text[0] = widget.Cut(t.Accent.Render(subjectName(who)+": ")+a.text[0], w-2)
	}
	if room := h - len(a.head) - len(a.reading) - len(a.pace); len(a.text) > room {
		first := min(v.scroll, len(a.text)-room)
		a.text = slices.Clone(a.text[first : first+room])
		a.text[room-1] = widget.Cut(a.text[room-1], w-5) + t.Muted.Render(" …")
	}
	return widget.Block(indent(slices.Concat(a.head, a.text, a.reading, a.pace)), w, h)
}

// answerLines are the lines of one answer: who, what, how it is read, how fast it came; and that in two words.
type answerLines struct {
	head, text, reading, pace []string
	speed                     string
}

// fit leaves out what matters least until a line of the text has room among h: the pace, all but the first line of the
// name and of the reading, then these. Of a pace that is left out the speed stands at the end of a line of w cells that
// has the room.
func (a *answerLines) fit(w, h int) {
	over := func() bool { return len(a.head)+len(a.reading)+len(a.pace)+min(len(a.text), 1) > h }
	for _, part := range []struct {
		lines *[]string
		least int
	}{{&a.pace, 0}, {&a.head, 1}, {&a.reading, 1}, {&a.head, 0}, {&a.reading, 0}} {
		if over() && len(*part.lines) > part.least {
			*part.lines = (*part.lines)[:part.least]
		}
	}
	if len(a.pace) > 0 || a.speed == "" {
		return
	}
	for _, lines := range [][]string{a.head, a.reading, a.text[:min(len(a.text), 1)]} {
		if len(lines) > 0 && widget.Width(lines[0])+2+widget.Width(a.speed) <= w {
			lines[0] = widget.Ends(lines[0], a.speed, w)
			return
		}
	}
}

func (v *ask) answerParts(t *widget.Theme, who, w int) (lines answerLines) {
	key, can := v.key(who)
	if !can {
		why := noRun
		if err := v.now.faults[who]; err != nil {
			why = "✗ " + printable.Error(err)
		}
		return answerLines{text: toned(t.Warning, wrapped(why, w))}
	}
	a := v.given[key]
	title := key.subject
	if a != nil {
		title = a.title
	}
	lines.head = toned(t.Accent, wrapped(title, w))
	if run := v.now.settings[adapter]; v.mode == baseOnly && run != nil { // it came after the pane was opened
		lines.head = append(lines.head, toned(t.Muted, wrapped(views.KeyOf("subject")+" asks "+run.Name+" instead",
			w))...)
	}
	if a == nil {
		lines.text = toned(t.Muted, v.earlier(who, key, w))
		return lines
	}
	lines.text = toned(t.Strong, wrapped(a.text, w))
	switch a.state {
	case loading:
		lines.text = toned(t.Muted, wrapped(t.Busy+" "+a.loading.What+" …", w))
		if a.loading.Total > 0 {
			lines.text = []string{widget.Cut(a.loading.View(t, w), w)}
		}
		return lines
	case failed:
		lines.text = toned(t.Warning, wrapped("✗ "+printable.Error(a.err), w))
		return lines
	case speaking:
		lines.text[len(lines.text)-1] += t.Accent.Render("▌")
		lines.pace = toned(t.Muted, wrapped(a.pace()+" · esc stops", w))
		return lines
	case stopped:
		lines.reading = []string{t.Warning.Render("! stopped before its end")}
	default:
		lines.reading = v.reading(t, a, w)
	}
	if strings.TrimSpace(a.text) == "" {
		lines.text = toned(t.Muted, wrapped("it said nothing: its first token was the end of the answer", w))
	}
	lines.pace = toned(t.Muted, wrapped(a.pace(), w))
	if speed := a.speed(); speed > 0 {
		lines.speed = t.Muted.Render(inSecond(speed))
	}
	return lines
}

// earlier is what stands where nothing was asked yet: how to ask, and what was answered in the evaluation.
func (v *ask) earlier(who int, key answerKey, w int) []string {
	lines := wrapped("enter asks", w)
	if kept, there := v.now.answers[who][key.about]; there && v.own == "" {
		answer := kept.Answer
		if a := v.now.worded[who][key.about]; a != nil {
			answer = a.Answer
		}
		lines = append(lines, wrapped("in its evaluation it said “"+answer+"”", w)...)
	}
	return lines
}

// reading says which class an answer is taken for and, with the truth shown, whether that is right.
func (v *ask) reading(t *widget.Theme, a *answer, w int) []string {
	x, there := v.sample(base)
	if there = there && v.path == ""; !there {
		x = recipe.Sample{}
	}
	parsed, class := v.verdict(x, a.text)
	known := there && v.truth
	if there && x.Told() {
		return v.worth(t, a, x, class, w)
	}
	classes := v.classes()
	readAs := ""
	if class != eval.Unparsed && eval.Normalize(a.text) != eval.Normalize(parsed) {
		readAs = "read as " + parsed
	}
	style, sentence := t.Muted, readAs
	switch {
	case class == eval.Unparsed && known:
		style, sentence = t.Warning, "✗ names no class; it is "+x.Answer
	case class == eval.Unparsed:
		style, sentence = t.Warning, fmt.Sprintf("! unparsed: it names none of the %d classes", len(classes))
	case known && class == x.Class:
		style, sentence = t.OK, "✓ right"
	case known:
		style, sentence = t.Warning, fmt.Sprintf("✗ wrong: it is %s%s", x.Answer,
			half(classes[class], classes[x.Class]))
	}
	if known && readAs != "" {
		sentence += "; " + readAs
	}
	if sentence == "" {
		return nil
	}
	return toned(style, wrapped(sentence, w))
}

// worth says which exercise an answer in free words names and, with the truth shown, how near it comes to that.
func (v *ask) worth(t *widget.Theme, a *answer, x recipe.Sample, class, w int) []string {
	if truth, timed := eval.FeedbackIn(x.Answer); timed {
		return v.inTime(t, a, truth, w)
	}
	classes := v.classes()
	style, sentence := t.Muted, ""
	switch {
	case class == eval.Unparsed:
		style, sentence = t.Warning, fmt.Sprintf("! names none of the %d exercises", len(classes))
	case !v.truth:
		sentence = "names " + classes[class].Name
	case class == x.Class:
		style, sentence = t.OK, "✓ names the exercise"
	default:
		style, sentence = t.Warning, "✗ names "+classes[class].Name+"; it is "+classes[x.Class].Name
	}
	lines := toned(style, wrapped(sentence, w))
	if a.worth != nil && v.truth {
		lines = append(lines, toned(t.Text, wrapped(fmt.Sprintf("METEOR %.2f · ROUGE-L %.2f", a.worth.METEOR,
			a.worth.ROUGEL), w))...)
	}
	return lines
}

// inTime says how much of what is said comes when it is expected.
func (v *ask) inTime(t *widget.Theme, a *answer, truth []eval.Feedback, w int) []string {
	given, _ := eval.FeedbackIn(a.text)
	matched := len(eval.MatchFeedback(truth, given))
	style, sentence := t.OK, fmt.Sprintf("✓ %d of %d at their moment, less than %g s away", matched, len(truth),
		eval.FeedbackWithin)
	switch {
	case !v.truth && len(given) > 0:
		style, sentence = t.Muted, widget.Count(len(given))+" with their second"
	case len(given) == 0:
		style, sentence = t.Warning, "! no line has its second, as in “2.5 s: Keep your back straight.”"
	case matched < len(truth) || matched < len(given):
		style, sentence = t.Warning, fmt.Sprintf("! %d of %d at their moment, less than %g s away; %d at none", matched,
			len(truth), eval.FeedbackWithin, len(given)-matched)
	}
	return toned(style, wrapped(sentence, w))
}

// half says what of a wrong answer is right all the same.
func half(answered, truth dataset.Class) string {
	switch {
	case answered.Object == truth.Object:
		return " (the right object in the wrong condition)"
	case answered.Condition == truth.Condition:
		return " (the right condition of the wrong object)"
	}
	return ""
}

// inSecond is a speed in tokens a second.
func inSecond(speed float64) string { return widget.Number(speed) + " tokens/s" }

// pace is how fast an answer came.
func (a *answer) pace() string {
	if a.tokens == 0 && a.total == 0 {
		return ""
	}
	text := fmt.Sprintf("%d tokens", a.tokens)
	if a.tokens == 1 {
		text = "1 token"
	}
	if v := a.speed(); v > 0 {
		text += " · " + inSecond(v)
	}
	if a.tokens > 0 {
		text += " · first after " + widget.Duration(a.first)
	}
	return text
}

// scrollAnswers moves through answers that are longer than their panel; sideways it goes to another sample.
func (v *ask) scrollAnswers(m widget.Move, page int) {
	most := v.longest()
	switch {
	case m == widget.MoveLeft || m == widget.MoveRight || most <= page-3:
		v.moveSample(m, page)
	case m == widget.Up:
		v.scroll = max(v.scroll-1, 0)
	case m == widget.Down:
		v.scroll = min(v.scroll+1, most)
	case m == widget.PageUp:
		v.scroll = max(v.scroll-page, 0)
	case m == widget.PageDown:
		v.scroll = min(v.scroll+page, most)
	case m == widget.First:
		v.scroll = 0
	case m == widget.Last:
		v.scroll = most
	}
}

// longest is how many lines the longest of the present answers takes.
func (v *ask) longest() int {
	w, _ := v.views.Board().Inside("answer")
	if len(v.asked()) > 1 && w >= sideWidth {
		w = (w - 1) / 2
	}
	most := 0
	for _, who := range v.asked() {
		if key, can := v.key(who); can && v.given[key] != nil {
			most = max(most, len(wrapped(v.given[key].text, w-2)))
		}
	}
	return most
}
