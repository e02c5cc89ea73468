package infer

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// ask is the view of one question and its answers.
type ask struct {
	*shared
	answers
	board  *views.Board
	player *player // of the clip that is asked about

	cursor widget.List // among the samples of the split, whether or not the filter lets them through
	listed chosen      // the samples that it lets through
	of     *snapshot   // whose samples are listed
	path   string      // a picture file that is asked about instead; empty: none
	own    string      // the question that the user wrote; empty: the recipe's
	truth  bool        // the truth is shown
	auto   bool        // samples are asked about as they are browsed
	scroll int         // lines of the answers that are above the panel

	editor           *editor  // open while a question or a path is written
	questions, paths []string // written earlier
}

func newAsk(s *shared) *ask {
	v := &ask{shared: s}
	v.player = newPlayer(s, v.attention)
	v.board = v.newBoard()
	s.openSample = v.open
	return v
}

func (v *ask) view() views.View {
	return views.View{Name: askView, Boards: []*views.Board{v.board}, Actions: v.actions, Leave: v.leave,
		Copy: v.text, Want: v.want, Refresh: v.refresh, List: v.list}
}

// want asks for the pictures and, where samples are asked about as they are browsed, for the answer.
func (v *ask) want() tea.Cmd {
	clip := v.clip()
	v.board.Layout = askLayout(clip != "")
	if clip == "" {
		return tea.Batch(v.drawPictures(v.pictureKeys(), v.player), v.askUnasked())
	}
	w, h := v.board.Inside("picture")
	sheetW, sheetH := v.board.Inside("shown")
	return tea.Batch(v.player.follow(clip), v.drawPictures(v.player.keys(w, h, sheetW, sheetH), v.player),
		v.askUnasked())
}

// clip is the path of the clip that is asked about; "": it is a picture.
func (v *ask) clip() string {
	at, there := v.present()
	if !there {
		return ""
	}
	return v.clipOf(v.motif(at))
}

// playing says whether the keyboard moves through a clip's frames.
func (v *ask) playing() bool {
	focused := v.board.Focused()
	return (focused == "picture" || focused == "shown") && v.clip() != ""
}

// leave stops an answer that is being given, then leaves a picture file.
func (v *ask) leave() bool {
	switch {
	case v.request.Pending():
		v.auto = false
		v.stop()
		return true
	case v.path != "":
		v.path = ""
		return true
	}
	return false
}

// askLayout gives a picture more room than what the model sees of it, and the frames of a clip more than one of them.
func askLayout(clip bool) layout.Node {
	pictures := layout.Column(
		layout.Panel("picture", 26, 9).Weighted(3).Prior(1),
		layout.Panel("shown", 26, 8).Weighted(2))
	if clip {
		pictures = layout.Column(
			layout.Panel("shown", 26, 9).Weighted(4).Prior(1),
			layout.Panel("picture", 26, 8).Weighted(3))
	}
	words := layout.Column(
		layout.Panel("question", 34, 5).AtMost(0, 7).Prior(1),
		layout.Panel("answer", 34, 6).Weighted(2).Prior(2),
		layout.Panel("samples", 34, 6).Weighted(3))
	return layout.Row(pictures.Weighted(2), words.Weighted(3))
}

func (v *ask) newBoard() *views.Board {
	sample := func(m widget.Move, page int) { v.moveSample(m, page) }
	return views.NewBoard(askLayout(false),
		views.Panel{Name: "samples", Tab: "Samples", Title: v.samplesTitle, Draw: v.drawSamples, Move: sample,
			Click: v.clickSample},
		views.Panel{Name: "picture", Tab: "Picture", Title: v.pictureTitle, Right: v.pictureNote, Draw: v.drawWhole,
			Move: v.movePicture},
		views.Panel{Name: "shown", Tab: "What it sees", Title: v.shownTitle, Right: v.shownNote, Draw: v.drawShown,
			Move: v.moveShown, Click: v.clickShown},
		views.Panel{Name: "question", Tab: "Question", Title: v.questionTitle, Draw: v.drawQuestion, Move: sample},
		views.Panel{Name: "answer", Tab: "Answer", Title: v.answerTitle, Draw: v.drawAnswers, Move: v.scrollAnswers},
	)
}

// movePicture moves through the frames of a clip, and else to another sample.
func (v *ask) movePicture(m widget.Move, page int) {
	if v.clip() != "" {
		v.player.step(m, page)
		return
	}
	v.moveSample(m, page)
}

// moveShown moves on the contact sheet of a clip, and else to another sample.
func (v *ask) moveShown(m widget.Move, page int) {
	if v.clip() != "" {
		w, h := v.board.Inside("shown")
		v.player.stepSheet(m, w, h)
		return
	}
	v.moveSample(m, page)
}

func (v *ask) clickShown(x, y, w, h int) tea.Cmd {
	if v.clip() == "" {
		return nil
	}
	return v.player.click(x, y, w, h)
}

func (v *ask) actions() []views.Action {
	several := func() bool { return v.listed.len() > 1 && !v.playing() }
	set := func(on *bool) func() tea.Cmd {
		return func() tea.Cmd { *on = !*on; return nil }
	}
	return []views.Action{
		{Name: "ask", Label: "ask", Help: "put the question", Group: "Ask", Run: v.askNow},
		{Name: "truth", Label: "truth", Help: "show or hide the truth, and whether the answer is right", Group: "Ask",
			Run: set(&v.truth)},
		{Name: "edit_question", Label: "question", Help: "write another question", Group: "Ask", Run: v.editQuestion},
		{Name: "open_picture", Label: "open",
			Help: "ask about the file of a picture or a clip; so does pasting its path", Group: "Ask",
			Run: func() tea.Cmd { return v.openPath("") }},
		{Name: "ask_while_browsing", Help: "ask about every sample as it is browsed, or only at enter", Group: "Ask",
			Run: set(&v.auto)},
		{Name: "previous_sample", Help: "go to the sample before", Group: "Ask", Enabled: several,
			Run: v.browse(widget.Up)},
		{Name: "next_sample", Help: "go to the next sample", Group: "Ask", Enabled: several,
			Run: v.browse(widget.Down)},
	}
}

// refresh stands on the same sample as before where it is still there.
func (v *ask) refresh() {
	if before := v.of; before != v.now {
		v.of = v.now
		switch {
		case before == nil:
		case before.split != v.now.split:
			v.cursor.Index, v.path = 0, ""
		default:
			if at, there := v.now.samples.Find(before.idAt(v.cursor.Index)); there {
				v.cursor.Index = at
			}
		}
	}
}

// list looks for the samples that the filter lets through, and stands on one of them where there is any.
func (v *ask) list() views.Listing {
	filter, set, samples := v.filter.Now(), v.now.session.Project.Data, v.now.samples
	if v.listed = (chosen{some: []int{}}); filter.Text() == "" { // nobody has to look
		v.listed = choose(context.Background(), filter, set, samples)
	}
	return func(ctx context.Context) func() {
		listed := choose(ctx, filter, set, samples)
		return func() {
			v.listed = listed
			v.onListed(func(*widget.List) {})
		}
	}
}

// open goes to the picture and the question of an object, with the truth.
func (v *ask) open(id string) tea.Cmd {
	at, there := v.now.samples.Find(id)
	if !there {
		return views.Warn("%s is no longer in the data set: evaluate again", id)
	}
	v.views.Show(askView)
	v.path, v.truth = "", true
	v.cursor.Index = at
	if v.listed.place(at) < 0 {
		v.filter.Set("")
		v.views.Refresh()
	}
	return nil
}

// sample is the one under the cursor as a subject is asked about it; false where the subject cannot be asked.
func (v *ask) sample(who int) (recipe.Sample, bool) {
	return v.now.sample(who, v.cursor.At(v.now.samples.Len()))
}

// questionTo is what a subject is asked now.
func (v *ask) questionTo(who int) string {
	setting := v.now.settings[who]
	switch {
	case v.own != "":
		return v.own
	case setting == nil:
		return ""
	case v.path != "":
		return setting.FilePrompt(v.path)
	}
	x, _ := v.sample(who)
	return setting.Prompt(x)
}

// setQuestion takes what the user wrote; what is the recipe's own anyway stays the recipe's for every sample.
func (v *ask) setQuestion(text string) {
	v.own = ""
	if text = strings.TrimSpace(text); text != v.questionTo(v.main()) {
		v.own = text
	}
}

// key is what an answer of a subject to the present question is kept under.
func (v *ask) key(who int) (answerKey, bool) {
	setting := v.now.settings[who]
	if setting == nil {
		return answerKey{}, false
	}
	k := answerKey{subject: setting.Title(), about: v.path, prompt: v.questionTo(who)}
	if k.about == "" {
		x, there := v.sample(who)
		if !there {
			return k, false
		}
		k.about = x.ID
	}
	return k, true
}

// moveSample goes to another sample.
func (v *ask) moveSample(m widget.Move, page int) {
	switch m {
	case widget.MoveLeft:
		m = widget.Up
	case widget.MoveRight:
		m = widget.Down
	}
	v.path = ""
	v.scroll = 0
	v.onListed(func(cursor *widget.List) { cursor.Move(m, v.listed.len(), page) })
}

// onListed moves the cursor among the samples that are listed.
func (v *ask) onListed(move func(cursor *widget.List)) {
	cursor := widget.List{Index: max(v.listed.place(v.cursor.Index), 0)}
	move(&cursor)
	if at := cursor.At(v.listed.len()); at >= 0 {
		v.cursor.Index = v.listed.at(at)
	}
}

// browse is an action that moves among the samples.
func (v *ask) browse(m widget.Move) func() tea.Cmd {
	return func() tea.Cmd { v.moveSample(m, 1); return nil }
}

// askUnasked asks about the present sample where auto is on and nobody has.
func (v *ask) askUnasked() tea.Cmd {
	if !v.auto || v.capturing() {
		return nil
	}
	for _, who := range v.asked() {
		if key, can := v.key(who); can && v.given[key] == nil {
			return v.askNow()
		}
	}
	return nil
}

// attention is how closely the subject that is shown has looked at the frames of the clip that is asked about.
func (v *ask) attention() model.Attention {
	key, can := v.key(v.main())
	if list := v.attended[key.newest()]; can && len(list) > 0 {
		return list[0]
	}
	return model.Attention{}
}

// verdict judges an answer by the closed list.
func (v *ask) verdict(x recipe.Sample, text string) (parsed string, class int) {
	if x.Item != nil && x.Told() {
		text = eval.ExercisePart(text)
	}
	class = v.now.parser.Parse(text)
	if class == eval.Unparsed {
		return eval.UnparsedLabel, class
	}
	return v.classes()[class].Name, class
}

// text is the present question and its answers.
func (v *ask) text() string {
	var b strings.Builder
	for _, who := range v.asked() {
		key, can := v.key(who)
		if a := v.given[key]; can && a != nil && a.text != "" {
			fmt.Fprintf(&b, "%s\n%s\n%s: %s\n", key.about, key.prompt, a.title, a.text)
		}
	}
	return b.String()
}
