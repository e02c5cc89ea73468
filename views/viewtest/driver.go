package viewtest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// Driver plays the root for a pane, or the terminal for a whole model: it sends keys, runs the commands that come back
// and delivers their answers, all in the test's own goroutine, so that a test sees one state after another.
type Driver struct {
	t       testing.TB
	w, h    int
	update  func(tea.Msg) tea.Cmd
	view    func() string
	answers chan tea.Msg
	running int
	seen    []tea.Msg // messages that commands came to, oldest first
}

// Open starts a pane at w×h as the root does: its size, its Init, and then its answers until nothing is left.
func Open(t testing.TB, p views.Pane, w, h int) *Driver {
	t.Helper()
	return OpenProject(t, p, nil, nil, w, h)
}

// OpenProject is Open for a pane that shows the data set of a project: read reads it.
func OpenProject(t testing.TB, p views.Pane, file *config.File, read views.ReadDataset, w, h int) *Driver {
	t.Helper()
	owner := &views.DatasetOwner{Read: read}
	theme := widget.NewTheme(true, true)
	d := &Driver{t: t, w: w, h: h, answers: make(chan tea.Msg, 64)}
	d.view = func() string { return p.View(theme, d.w, d.h) }
	update := func(msg tea.Msg) tea.Cmd {
		key, isKey := msg.(tea.KeyPressMsg)
		if !isKey || p.Capturing() {
			return p.Update(msg)
		}
		if action, ok := views.Find(p.Actions(), key.String()); ok {
			return action.Run()
		}
		if leaver, ok := p.(views.Leaver); ok && key.String() == "esc" && leaver.Leave() {
			return p.Update(views.Left{})
		}
		return p.Update(msg)
	}
	with := func(tell *views.Dataset, cmd tea.Cmd) tea.Cmd {
		if tell == nil {
			return cmd
		}
		return tea.Batch(p.Update(*tell), cmd)
	}
	d.update = func(msg tea.Msg) tea.Cmd {
		cmd := update(msg)
		if read == nil {
			return cmd
		}
		return tea.Batch(cmd, with(owner.Update(msg)))
	}
	d.start(p.Init())
	if read != nil && file != nil {
		d.start(with(owner.Follow(file)))
	}
	return d.Send(tea.WindowSizeMsg{Width: w, Height: h})
}

// OpenModel starts a whole model, such as the root, on a terminal of w×h.
func OpenModel(t testing.TB, m tea.Model, w, h int) *Driver {
	t.Helper()
	d := &Driver{t: t, w: w, h: h, answers: make(chan tea.Msg, 64)}
	d.view = func() string { return m.View().Content }
	d.update = func(msg tea.Msg) tea.Cmd {
		var cmd tea.Cmd
		m, cmd = m.Update(msg)
		return cmd
	}
	d.start(m.Init())
	return d.Send(tea.WindowSizeMsg{Width: w, Height: h})
}

// Send delivers messages, and what comes of them until it is quiet.
func (d *Driver) Send(msgs ...tea.Msg) *Driver {
	d.t.Helper()
	for _, msg := range msgs {
		if size, ok := msg.(tea.WindowSizeMsg); ok {
			d.w, d.h = size.Width, size.Height
		}
		d.start(d.update(msg))
		d.settle()
	}
	return d
}

// Press presses keys, named as in [KEYS]: "tab", "G", "ctrl+p".
func (d *Driver) Press(keys ...string) *Driver {
	d.t.Helper()
	for _, key := range keys {
		d.Send(Key(key))
	}
	return d
}

// Type writes text, a key for each character.
func (d *Driver) Type(text string) *Driver {
	d.t.Helper()
	for _, r := range text {
		d.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return d
}

// Click presses the left button on a cell.
func (d *Driver) Click(x, y int) *Driver {
	d.t.Helper()
	return d.Send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
}

// silence is how long nothing arrives before a wait is given up, and patience how long a wait lasts at most.
const silence, patience = 30 * time.Second, 5 * time.Minute

// Wait delivers what arrives until done: for streams and work that takes its time. It is given up when nothing arrives
// for longer than any machine takes over a message, and where messages come on and on without an end.
func (d *Driver) Wait(what string, done func() bool) *Driver {
	d.t.Helper()
	quiet, late := time.NewTimer(silence), time.After(patience)
	defer quiet.Stop()
	for !done() {
		select {
		case msg := <-d.answers:
			d.deliver(msg)
			quiet.Reset(silence)
			continue
		case <-quiet.C:
		case <-late:
		}
		d.t.Fatalf("waited in vain for %s; the screen is\n%s", what, d.Screen())
	}
	return d
}

// Screen is what the terminal shows now.
func (d *Driver) Screen() string { return Draw(d.view(), d.w, d.h) }

// Styled is Screen with marks around what stands out; see DrawStyled.
func (d *Driver) Styled() string { return DrawStyled(d.view(), d.w, d.h) }

// Shows says whether the screen has a text on one of its lines.
func (d *Driver) Shows(text string) bool { return strings.Contains(d.Screen(), text) }

// Seen are the messages that commands have come to, oldest first: toasts, quitting, the clipboard.
func (d *Driver) Seen() []tea.Msg { return d.seen }

// Golden compares the screen with testdata/name.txt.
func (d *Driver) Golden(name string) *Driver {
	d.t.Helper()
	Golden(d.t, name, d.Screen())
	return d
}

// start runs a command beside the test; batches and sequences each on their own.
func (d *Driver) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.running++
	go func() { d.answers <- cmd() }()
}

// settle delivers answers until no command runs, or none has answered for 20 ms: timers and streams go on.
func (d *Driver) settle() {
	for d.running > 0 {
		select {
		case msg := <-d.answers:
			d.deliver(msg)
		case <-time.After(20 * time.Millisecond):
			return
		}
	}
}

func (d *Driver) deliver(msg tea.Msg) {
	d.running--
	if msg == nil {
		return
	}
	if cmds, ok := commands(msg); ok {
		for _, cmd := range cmds {
			d.start(cmd)
		}
		return
	}
	d.seen = append(d.seen, msg)
	d.start(d.update(msg))
}

// commands are those of a batch or a sequence; bubbletea keeps the type of the latter to itself.
func commands(msg tea.Msg) ([]tea.Cmd, bool) {
	v := reflect.ValueOf(msg)
	if v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
		return v.Convert(reflect.TypeFor[[]tea.Cmd]()).Interface().([]tea.Cmd), true
	}
	return nil, false
}

// Key is the press of a key by its name: "a", "G", "enter", "shift+tab", "ctrl+p".
func Key(name string) tea.KeyPressMsg {
	codes := map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace,
		"delete": tea.KeyDelete,
		"up":     tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome,
		"end":  tea.KeyEnd,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	rest, mod := name, tea.KeyMod(0)
	for prefix, m := range map[string]tea.KeyMod{"ctrl+": tea.ModCtrl, "alt+": tea.ModAlt, "shift+": tea.ModShift} {
		if len(rest) > len(prefix) && strings.Contains(rest, prefix) {
			rest, mod = strings.Replace(rest, prefix, "", 1), mod|m
		}
	}
	if code, ok := codes[rest]; ok {
		return tea.KeyPressMsg{Code: code, Mod: mod}
	}
	r := []rune(rest)[0]
	if mod != 0 {
		return tea.KeyPressMsg{Code: r, Mod: mod}
	}
	return tea.KeyPressMsg{Code: r, Text: rest}
}
