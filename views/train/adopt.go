package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/views"
	"finetui/views/widget"
)

// watchKey is the constant that names the folders of other trainers' runs.
const watchKey = "PROJECT.WATCH"

// adopter asks for a folder in which runs of another trainer are, and notes it in PROJECT.WATCH.
type adopter struct {
	*shared
	file    *config.File // the project's constants; nil: there are none
	prompt  *widget.Prompt
	looking views.Request
	saving  views.Request
	refused error
}

// found is a folder with runs: as PROJECT.WATCH names it, and how many.
type found struct {
	folder string
	runs   int
}

func (p *adopter) open() bool { return p.prompt != nil }

func (p *adopter) can() bool { return p.control.Adopt != nil && p.file != nil }

// ask opens the question.
func (p *adopter) ask() tea.Cmd {
	p.prompt, p.refused = widget.NewPrompt("folder", ""), nil
	p.prompt.Hint = "a run of another trainer, or what holds several"
	return nil
}

// typed gives keys to the question.
func (p *adopter) typed(msg tea.Msg) tea.Cmd {
	outcome, cmd := p.prompt.Update(msg)
	switch outcome {
	case widget.Cancelled:
		p.looking.Close()
		p.prompt = nil
	case widget.Accepted:
		folder, adopt := strings.TrimSpace(p.prompt.Value()), p.control.Adopt
		if folder == "" || p.looking.Pending() {
			return cmd
		}
		p.refused = nil
		return tea.Batch(cmd, views.Ask(&p.looking, func(ctx context.Context) (found, error) {
			name, runs, err := adopt(ctx, folder)
			return found{name, runs}, err
		}))
	}
	return cmd
}

// came takes what the folder holds: where there are runs it is noted, and the file is saved where nothing else in it
// waits for that.
func (p *adopter) came(msg views.Answer[found]) tea.Cmd {
	if !p.looking.Takes(msg.Ticket) {
		return nil
	}
	p.looking.Close()
	if p.refused = msg.Err; msg.Err != nil || p.prompt == nil {
		return nil
	}
	watched := p.file.Config.Project.Watch
	if slices.Contains(watched, msg.Value.folder) {
		p.prompt = nil
		return views.Say("%s is in %s already", widget.Clean(msg.Value.folder), watchKey)
	}
	waiting := p.file.Changed()
	all := append(slices.Clone(watched), msg.Value.folder)
	if p.refused = p.file.Set(watchKey, strings.Join(all, ", ")); p.refused != nil {
		return nil
	}
	p.prompt = nil
	file := p.file
	tell := func() tea.Msg { return views.ConfigChanged{File: file} }
	text := dataset.Counted(msg.Value.runs, "run", "runs") + " of " + widget.Clean(msg.Value.folder)
	if waiting {
		return tea.Batch(tell, views.Say("%s: %s is saved in the pane Config, with what else was changed there", text,
			watchKey))
	}
	now := file.Writing()
	return tea.Batch(tell, views.Say("%s: its folder stands in %s", text, watchKey),
		views.Ask(&p.saving, func(context.Context) (config.Writing, error) { return now, now.Save() }))
}

// saved takes note of the file that was written.
func (p *adopter) saved(msg views.Answer[config.Writing]) tea.Cmd {
	if !p.saving.Takes(msg.Ticket) {
		return nil
	}
	p.saving.Close()
	if msg.Err != nil {
		return views.Fail(fmt.Errorf("%s is not saved: %w", watchKey, msg.Err))
	}
	p.file.Wrote(msg.Value)
	file := p.file
	return func() tea.Msg { return views.ConfigChanged{File: file} }
}

// over lays the question over the screen.
func (p *adopter) over(t *widget.Theme, screen string, w, h int) string {
	bw := min(w-4, 84)
	lines := strings.Split(p.prompt.View(t, bw-4), "\n")[:1]
	switch {
	case p.looking.Pending():
		lines = append(lines, t.Muted.Render("looking for runs …"))
	case p.refused != nil:
		lines = append(lines, widget.Hang(t.Warning.Render("✗ "), widget.Clean(p.refused.Error()), t.Warning, bw-4)...)
	default:
		lines = append(lines, widget.Hang("", "HF Trainer, TRL, axolotl, LLaMA-Factory, ms-swift, NeMo AutoModel, "+
			"Ultralytics, TensorBoard: known by what the files hold, and only read.", t.Muted, bw-4)...)
	}
	box := widget.Panel{Titles: []string{"Runs of another trainer"}, Focused: true}.View(t,
		" "+strings.Join(lines, "\n "), bw, len(lines)+2)
	return widget.Overlay(screen, box, (w-bw)/2, max((h-len(lines)-4)/2, 0))
}

// status is what the keys do.
func (p *adopter) status() string {
	return "enter looks there and notes it in " + watchKey + "   esc leaves"
}
