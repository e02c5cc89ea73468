package train

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// hostVariable names the folder of runs that the test program shows when it stands for a workbench.
const hostVariable = "FINETUI_TEST_RUNS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostVariable); dir != "" {
		if _, err := tea.NewProgram(&host{pane: New(control(dir)), theme: widget.NewTheme(true,
			true)}).Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// host is the least workbench: one pane that fills the terminal.
type host struct {
	pane  *Pane
	theme *widget.Theme
	w, h  int
}

func (h *host) Init() tea.Cmd { return h.pane.Init() }

func (h *host) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		h.w, h.h = msg.Width, msg.Height
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+c" {
			return h, tea.Quit
		}
		if action, ok := views.Find(h.pane.Actions(), msg.String()); ok && !h.pane.Capturing() {
			return h, action.Run()
		}
	}
	return h, h.pane.Update(msg)
}

func (h *host) View() tea.View {
	view := tea.NewView(h.pane.View(h.theme, h.w, h.h))
	view.AltScreen = true
	return view
}

func TestARunIsWatchedInARealTerminal(t *testing.T) {
	dir := folder(t, doneRun, runningRun)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hostVariable+"="+dir)
	s := viewtest.Start(t, 120, 30, cmd)
	s.WaitFor("410/1455")
	s.WaitFor("◆ valid")
	grow(t, filepath.Join(dir, "0002-enhanced"), 415, 3.33)
	s.WaitFor("raw 3.33")
	s.Send("P")
	s.WaitFor("‖ display paused")
	grow(t, filepath.Join(dir, "0002-enhanced"), 420, 4.44)
	s.Send("P")
	s.WaitFor("raw 4.44")
	s.Resize(80, 22)
	s.Send("J")
	s.WaitFor("▸0001-basic")
	s.Send("n")
	s.WaitFor("New run with the constants")
	s.Send("\x03")
	if code := s.WaitExit(); code != 0 {
		t.Errorf("exit %d", code)
	}
}
