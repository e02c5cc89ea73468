package viewtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Terminal is a real program in a pseudo-terminal, its screen kept by an emulator that also answers its questions.
type Terminal struct {
	t      testing.TB
	w, h   int
	file   *os.File
	cmd    *exec.Cmd
	mutex  sync.Mutex // guards the screen and last
	screen *vt.Emulator
	last   time.Time     // when the program wrote something
	wrote  chan struct{} // the program has written something
	ended  chan struct{}
	err    error // of the program, after ended
}

// Start runs a command in a terminal of w×h with 24-bit colours. It is killed when the test ends.
func Start(t testing.TB, w, h int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=", "TERM_PROGRAM=", "TMUX=")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Fatal(err)
	}
	s := &Terminal{t: t, w: w, h: h, file: file, cmd: cmd, screen: vt.NewEmulator(w, h),
		wrote: make(chan struct{}, 1), ended: make(chan struct{})}
	go s.answer()
	go s.show()
	t.Cleanup(s.Close)
	return s
}

// show feeds the program's output to the emulator until the program ends.
func (s *Terminal) show() {
	buffer := make([]byte, 1<<15)
	for {
		n, err := s.file.Read(buffer)
		s.mutex.Lock()
		_, _ = s.screen.Write(buffer[:n])
		s.last = time.Now()
		s.mutex.Unlock()
		select {
		case s.wrote <- struct{}{}:
		default:
		}
		if err != nil { // EIO: the other side is closed
			break
		}
	}
	s.err = s.cmd.Wait()
	close(s.ended)
}

// answer carries the emulator's replies to the program.
func (s *Terminal) answer() {
	buffer := make([]byte, 1024)
	for {
		n, err := s.screen.Read(buffer)
		if err != nil {
			return
		}
		_, _ = s.file.Write(buffer[:n])
	}
}

// Send writes what a keyboard would: "\x1b[A", "q", "\r".
func (s *Terminal) Send(keys string) {
	s.t.Helper()
	if _, err := s.file.WriteString(keys); err != nil {
		s.t.Fatalf("the program no longer reads: %v\n%s", err, s.Screen())
	}
}

// Answer is how long it takes from a key until the screen shows a text.
func (s *Terminal) Answer(keys, text string) time.Duration {
	s.t.Helper()
	select {
	case <-s.wrote:
	default:
	}
	start := time.Now()
	s.Send(keys)
	for limit := time.After(time.Minute); ; {
		select {
		case <-s.wrote:
			if took := time.Since(start); strings.Contains(s.Screen(), text) {
				return took
			}
		case <-limit:
			s.t.Fatalf("the terminal never showed %q after %q but\n%s", text, keys, s.Screen())
		}
	}
}

// Resize changes the terminal's size, which the program is told by a signal.
func (s *Terminal) Resize(w, h int) {
	s.t.Helper()
	s.mutex.Lock()
	s.w, s.h = w, h
	s.screen.Resize(w, h)
	s.mutex.Unlock()
	if err := pty.Setsize(s.file, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
		s.t.Fatal(err)
	}
}

// Screen is what the terminal shows now.
func (s *Terminal) Screen() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return plain(s.screen, s.w, s.h)
}

// AltScreen says whether the program is on the alternate screen, as a workbench is until it ends.
func (s *Terminal) AltScreen() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.screen.IsAltScreen()
}

// WaitFor waits until the screen shows a text.
func (s *Terminal) WaitFor(text string) {
	s.t.Helper()
	s.WaitUntil(fmt.Sprintf("%q", text), func() bool { return strings.Contains(s.Screen(), text) })
}

// WaitUntil waits until the screen shows what is looked for: as Driver.Wait, until nothing is written for longer than any
// machine takes, or much too long.
func (s *Terminal) WaitUntil(what string, shown func() bool) {
	s.t.Helper()
	for began := time.Now(); !shown(); time.Sleep(10 * time.Millisecond) {
		s.mutex.Lock()
		quiet := time.Since(s.last)
		s.mutex.Unlock()
		if waited := time.Since(began); waited > patience || min(waited, quiet) > silence {
			s.t.Fatalf("the terminal never showed %s but\n%s", what, s.Screen())
		}
	}
}

// WaitExit waits for the program's end and is its exit code.
func (s *Terminal) WaitExit() int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		s.t.Fatalf("the program did not end; the screen is\n%s", s.Screen())
		return -1
	}
}

// Close takes the terminal away from the program, as closing its window does, and waits for its end.
func (s *Terminal) Close() {
	_ = s.file.Close()
	select {
	case <-s.ended:
	case <-time.After(2 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	if pipe, ok := s.screen.InputPipe().(io.Closer); ok { // ends answer; Emulator.Close would race with it
		_ = pipe.Close()
	}
}
