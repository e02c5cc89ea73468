package infer

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// askView is the view of one question and its answers.
func (p *Pane) askView() views.View {
	return views.View{Name: askView, Boards: []*views.Board{p.askBoard()}, Actions: p.askActions, Leave: p.leaveAnswer,
		Copy: p.answersText, Want: func() tea.Cmd { return tea.Batch(p.drawPictures(), p.askUnasked()) }}
}

// leaveAnswer stops an answer that is being given, then leaves a picture file.
func (p *Pane) leaveAnswer() bool {
	switch {
	case p.ask.request.Pending():
		p.ask.auto = false
		p.stopAnswer()
		return true
	case p.ask.path != "":
		p.ask.path = ""
		return true
	}
	return false
}

func (p *Pane) askBoard() *views.Board {
	pictures := layout.Column(
		layout.Panel("picture", 26, 9).Weighted(3).Prior(1),
		layout.Panel("shown", 26, 8).Weighted(2))
	words := layout.Column(
		layout.Panel("question", 34, 5).AtMost(0, 7).Prior(1),
		layout.Panel("answer", 34, 6).Weighted(2).Prior(2),
		layout.Panel("samples", 34, 6).Weighted(3))
	sample := func(m widget.Move, page int) { p.moveSample(m, page) }
	return views.NewBoard(layout.Row(pictures.Weighted(2), words.Weighted(3)),
		views.Panel{Name: "samples", Tab: "Samples", Title: p.samplesTitle, Draw: p.drawSamples, Move: sample,
			Click: p.clickSample},
		views.Panel{Name: "picture", Tab: "Picture", Title: p.pictureTitle, Draw: p.drawWhole, Move: sample},
		views.Panel{Name: "shown", Tab: "What it sees", Title: p.shownTitle, Draw: p.drawShown, Move: sample},
		views.Panel{Name: "question", Tab: "Question", Title: p.questionTitle, Draw: p.drawQuestion, Move: sample},
		views.Panel{Name: "answer", Tab: "Answer", Title: p.answerTitle, Draw: p.drawAnswers, Move: p.scrollAnswers},
	)
}

func (p *Pane) askActions() []views.Action {
	several := func() bool { return len(p.ask.listed) > 1 }
	set := func(on *bool) func() tea.Cmd {
		return func() tea.Cmd { *on = !*on; return nil }
	}
	return []views.Action{
		{Name: "ask", Label: "ask", Help: "put the question", Group: "Ask", Run: p.askNow},
		{Name: "truth", Label: "truth", Help: "show or hide the truth, and whether the answer is right", Group: "Ask",
			Run: set(&p.ask.truth)},
		{Name: "edit_question", Label: "question", Help: "write another question", Group: "Ask", Run: p.editQuestion},
		{Name: "open_picture", Label: "open", Help: "ask about a picture file; so does pasting its path", Group: "Ask",
			Run: func() tea.Cmd { return p.openPath("") }},
		{Name: "ask_while_browsing", Help: "ask about every sample as it is browsed, or only at enter", Group: "Ask",
			Run: set(&p.ask.auto)},
		{Name: "previous_sample", Help: "go to the sample before", Group: "Ask", Enabled: several,
			Run: p.browse(widget.Up)},
		{Name: "next_sample", Help: "go to the next sample", Group: "Ask", Enabled: several,
			Run: p.browse(widget.Down)},
	}
}

func (p *Pane) samplesTitle() string {
	at, n := slices.Index(p.ask.listed, p.ask.cursor.Index), len(p.ask.listed)
	title := fmt.Sprintf("Samples of %s · %s of %s", p.scene.split, widget.Count(at+1), widget.Count(n))
	if all := len(p.scene.samples[base]); n < all {
		title += fmt.Sprintf(" that pass, of %s", widget.Count(all))
	}
	return title
}

// samplesTable lists the split: what was answered here, else in the last evaluation.
func (p *Pane) samplesTable() widget.Table {
	asked := p.asked()
	table := widget.Table{Columns: []widget.Column{{Title: "sample", Flex: true, Middle: true, Min: 12}},
		Cursor: &widget.List{Index: slices.Index(p.ask.listed, p.ask.cursor.Index)}}
	if p.ask.truth {
		table.Columns = append(table.Columns, widget.Column{Title: "truth", Flex: true, Min: 9, Priority: 1})
	}
	for _, who := range asked {
		title := subjectName(who)
		if setting := p.scene.settings[who]; setting != nil {
			title = setting.Name
		}
		table.Columns = append(table.Columns, widget.Column{Title: title, Flex: true, Min: 9, Priority: 2})
	}
	for _, i := range p.ask.listed {
		x := p.scene.samples[base][i]
		row := []widget.Cell{{Text: p.shortID(x.ID)}}
		if p.ask.truth {
			row = append(row, widget.Cell{Text: x.Answer})
		}
		for _, who := range asked {
			row = append(row, p.saidCell(who, x.ID, x.Class))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// shortID is a sample's ID without its split and, of a long name, without its middle: the object's number stands at
// the end.
func (p *Pane) shortID(id string) string {
	const most = 24
	return widget.CutMiddle(widget.Clean(strings.TrimPrefix(id, p.scene.split+"/")), most)
}

// saidCell is what a subject said about a sample, in few words; with the truth shown also whether it is right.
func (p *Pane) saidCell(who int, id string, truth int) widget.Cell {
	setting := p.scene.settings[who]
	if setting == nil {
		return widget.Cell{Text: widget.Missing, Tone: widget.Muted}
	}
	tone := widget.Muted
	answer, there := p.scene.answers[who][id]
	if a := p.ask.said[saidKey{p.scene.titles[who], id}]; a != nil && a.state == said {
		parsed, class := p.verdict(a.text)
		answer, there, tone = eval.Answer{Answer: a.text, Parsed: parsed, Right: class == truth}, true, widget.Plain
	}
	switch {
	case !there:
		return widget.Cell{Text: "·", Tone: widget.Muted}
	case p.ask.truth:
		return judged(&answer)
	case answer.Parsed == eval.UnparsedLabel:
		return widget.Cell{Text: "“" + answer.Answer + "”", Tone: tone}
	}
	return widget.Cell{Text: answer.Parsed, Tone: tone}
}

func subjectName(who int) string { return [subjectCount]string{"base", "adapter"}[who] }

func (p *Pane) drawSamples(t *widget.Theme, w, h int) string {
	return p.samplesTable().View(t, w, h)
}

func (p *Pane) clickSample(_, y, _, h int) tea.Cmd {
	p.ask.path = ""
	table := p.samplesTable()
	table.Click(y, h)
	p.onListed(func(cursor *widget.List) { cursor.Index = table.Cursor.Index })
	return nil
}

func (p *Pane) pictureTitle() string {
	if p.ask.path != "" {
		return filepath.Base(p.ask.path)
	}
	x, there := p.sample(base)
	if !there {
		return "Picture"
	}
	return fmt.Sprintf("%s · object %d of %d", p.shortID(x.Item.ID), x.Object+1, len(x.Item.Objects))
}

func (p *Pane) shownTitle() string {
	setting := p.scene.settings[p.main()]
	if setting == nil {
		return "What it sees"
	}
	how := map[config.Context]string{config.ContextFull: "the whole picture", config.ContextMarked: "outlined",
		config.ContextCrop:     "cut out",
		config.ContextFullCrop: "outlined, and cut out"}[setting.Project.Config.Recipe.Context]
	if p.ask.path != "" {
		how = "the whole picture"
	}
	return "What it sees · " + how
}

func (p *Pane) drawWhole(t *widget.Theme, w, h int) string { return p.drawPicture(t, whole, w, h) }

func (p *Pane) drawShown(t *widget.Theme, w, h int) string { return p.drawPicture(t, shown, w, h) }

func (p *Pane) questionTitle() string {
	switch {
	case p.ask.question != "":
		return "Question · yours"
	case p.session.Project.Config.Infer.Prompt != "":
		return "Question · INFER.PROMPT"
	}
	return "Question · the recipe's"
}

func (p *Pane) drawQuestion(t *widget.Theme, w, h int) string {
	asked := p.asked()
	prompts := make([]string, len(asked))
	same := true
	for i, who := range asked {
		prompts[i] = p.question(who)
		same = same && prompts[i] == prompts[0]
	}
	var lines []string
	for i, who := range asked {
		if same && i > 0 {
			break
		}
		text := prompts[i]
		if !same {
			text = subjectName(who) + ": " + text
		}
		lines = append(lines, wrapped(text, w-2)...)
	}
	note := p.truthNote(t)
	if note != "" && h > 1 {
		lines = lines[:min(len(lines), h-1)]
	}
	if len(lines) > h {
		lines = append(lines[:h-1], widget.Cut(lines[h-1]+" …", w-2))
	}
	if note != "" {
		lines = append(lines, note)
	}
	return widget.Block(indent(lines), w, h)
}

// truthNote is the truth about the present sample, where it is to be shown.
func (p *Pane) truthNote(t *widget.Theme) string {
	x, there := p.sample(base)
	switch {
	case p.ask.path != "":
		return t.Muted.Render("a picture file: nobody knows the truth")
	case !p.ask.truth:
		return t.Muted.Render("t shows the truth")
	case !there:
		return ""
	}
	return t.Strong.Render("truth: " + widget.Clean(x.Answer))
}

// wrapped is a text from outside in lines of at most w cells; its own line breaks stay.
func wrapped(text string, w int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, widget.Wrap(widget.Clean(paragraph), max(w, 1))...)
	}
	return lines
}

func indent(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(" " + line)
	}
	return b.String()
}
