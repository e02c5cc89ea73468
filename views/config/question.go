package config

import (
	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/views"
	"finetui/views/widget"
)

// question is a choice that lies over the pane. What is chosen runs; esc leaves everything as it is.
type question struct {
	choice  *widget.Choice
	run     []func() tea.Cmd
	preview []*config.Config // what the constants would be; nil where nothing is shown beforehand
}

func newQuestion(title string) *question { return &question{choice: widget.NewChoice(title, false)} }

// add is one more answer.
func (q *question) add(text, detail string, run func() tea.Cmd) {
	q.choice.Options = append(q.choice.Options, widget.Option{Text: text, Detail: detail})
	q.run = append(q.run, run)
}

func (q *question) chosen() int { return max(q.choice.Chosen(), 0) }

func (q *question) draw(t *widget.Theme, w, h int) (box string, x, y int) {
	bw, bh := q.choice.Size()
	bw, bh = min(bw, w-4), min(bh, h-2)
	x = min(18, (w-bw)/2) // the panels at the right, with the consequences, stay to be seen where there is room
	return q.choice.View(t, bw, bh), x, min(3, (h-bh)/2)
}

// answer gives a key to the question.
func (s *shared) answer(msg tea.Msg) tea.Cmd {
	q := s.question
	before := q.chosen()
	outcome, cmd := q.choice.Update(msg)
	switch outcome {
	case widget.Cancelled:
		s.question = nil
		if q.preview != nil {
			return s.effects.estimate()
		}
	case widget.Accepted:
		s.question = nil
		return q.run[q.chosen()]()
	default:
		if q.preview != nil && q.chosen() != before {
			return tea.Batch(cmd, s.effects.estimate())
		}
	}
	return cmd
}

// openPresets offers the recipes and the project presets, each with how many constants it would change.
func (s *shared) openPresets() tea.Cmd {
	q := newQuestion("Presets")
	now := s.file.Config
	offer := func(text string, after config.Config) {
		list := config.Diff(now, &after)
		detail := changes(len(list))
		if len(list) == 0 {
			detail = "as it is now"
		}
		q.preview = append(q.preview, &after)
		q.add(text, detail, func() tea.Cmd {
			if len(list) == 0 {
				return tea.Batch(s.effects.estimate(), views.Say("everything is as in %s already", text))
			}
			return tea.Batch(s.apply(list), views.Say("%s: %s; u takes it back", text, changes(len(list))))
		})
	}
	for _, name := range recipe.Presets() {
		if after, err := recipe.Changed(now, config.Change{Key: recipe.PresetKey, New: name}); err == nil {
			offer("recipe "+name, *after)
		}
	}
	for _, name := range config.Presets() {
		after := *projects()[name]
		after.View, after.Keys = now.View, now.Keys // a person's, not a project's
		offer("project "+name, after)
	}
	q.choice.Cursor.Index = 0
	s.question = q
	return s.effects.estimate()
}
