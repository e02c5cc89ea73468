package views

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Action is one thing the user can do. The same table of actions dispatches keys, makes the help, the palette and the
// hints at the bottom, and gives [KEYS] its names, so none of them can disagree.
type Action struct {
	Name string // what [KEYS] calls it, snake_case: "next_view"
	// keys as tea.KeyPressMsg.String spells them; none: those of Meanings. See Unbound
	Bound   key.Binding
	Label   string         // one or two words for the bottom line; empty: not shown there
	Help    string         // what it does, for help and palette: "show the next view"
	Group   string         // heading in the help
	Enabled func() bool    // nil: always
	Run     func() tea.Cmd // changes the pane, returns what is left to be done
	// brings the view and the panel that it works on to the front; nil: it works whatever is open
	Show func()
}

// In are actions of a view, or of a panel, that show brings to the front: first the view, then the panel in it.
func In(show func(), actions ...Action) []Action {
	actions = slices.Clone(actions)
	for i, a := range actions {
		actions[i].Show = func() {
			show()
			if a.Show != nil {
				a.Show()
			}
		}
	}
	return actions
}

// Then are actions each of which is followed by after: what it has changed may need work.
func Then(after func() tea.Cmd, actions ...Action) []Action {
	actions = slices.Clone(actions)
	for i, a := range actions {
		actions[i].Run = func() tea.Cmd { return tea.Batch(a.Run(), after()) }
	}
	return actions
}

// On says whether the action can be run now.
func (a Action) On() bool { return a.Enabled == nil || a.Enabled() }

// To binds keys.
func To(keys ...string) key.Binding { return key.NewBinding(key.WithKeys(keys...)) }

// Unbound is the binding of what only the palette does.
var Unbound = To([]string{}...)

// Keys are what runs the action: what [KEYS] bound it to, else what its name has in Meanings.
func (a Action) Keys() []string {
	if keys := a.Bound.Keys(); keys != nil {
		return keys
	}
	return builtIn[a.Name].Keys()
}

// Binding is the action's keys and what it does, as the help shows it; it is disabled where the action cannot be run.
func (a Action) Binding() key.Binding {
	b := key.NewBinding(key.WithKeys(a.Keys()...), key.WithHelp(a.KeyText(), a.Help))
	b.SetEnabled(a.On())
	return b
}

// Hint is the action's first key and its label, as the bottom line shows it; it is disabled where there is no key or
// label, or the action cannot be run.
func (a Action) Hint() key.Binding {
	keys := a.Keys()
	if a.Label == "" || len(keys) == 0 || !a.On() {
		return key.NewBinding(key.WithDisabled())
	}
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(KeyText(keys[0]), a.Label))
}

// Has says whether a key runs the action.
func (a Action) Has(pressed string) bool { return slices.Contains(a.Keys(), pressed) }

// KeyText is the action's keys as people read them.
func (a Action) KeyText() string { return KeyText(a.Keys()...) }

// KeyText writes keys for people: arrows as arrows, alternatives with a blank between.
func KeyText(keys ...string) string {
	names := map[string]string{"up": "↑", "down": "↓", "left": "←", "right": "→", "pgdown": "pgdn"}
	text := make([]string, len(keys))
	for i, key := range keys {
		if text[i] = names[key]; text[i] == "" {
			text[i] = key
		}
	}
	return strings.Join(text, " ")
}

// Bind gives actions the keys of [KEYS], name = key; the key replaces all built-in ones. An empty key leaves the
// action to the palette. A key that is given to one action is taken from the others, which keep what else they have.
func Bind(actions []Action, keys map[string]string) []Action {
	if len(keys) == 0 {
		return actions
	}
	bound := slices.Clone(actions)
	for i, a := range bound {
		to, given := keys[a.Name]
		switch {
		case !given:
			bound[i].Bound = To(slices.DeleteFunc(slices.Clone(a.Keys()), func(k string) bool {
				return takenByOther(bound, keys, a.Name, k)
			})...)
		case to == "":
			bound[i].Bound = Unbound
		default:
			bound[i].Bound = To(to)
		}
	}
	return bound
}

func takenByOther(actions []Action, keys map[string]string, name, key string) bool {
	return slices.ContainsFunc(actions, func(a Action) bool { return a.Name != name && keys[a.Name] == key })
}

// CheckKeys says what is wrong with [KEYS], one sentence each: names that none of the actions has.
func CheckKeys(keys map[string]string, actions []Action) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if !slices.ContainsFunc(actions, func(a Action) bool { return a.Name == name }) {
			faults = append(faults, fmt.Sprintf("[KEYS] %s: no action has this name; ? shows the names in grey", name))
		}
	}
	return faults
}

// Find is the first enabled action of a key, or false.
func Find(actions []Action, pressed string) (Action, bool) {
	for _, a := range actions {
		if a.Has(pressed) && a.On() {
			return a, true
		}
	}
	return Action{}, false
}
