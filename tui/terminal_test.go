package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/creack/pty"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/viewtest"
)

// A slowTerminal answers every question of a program a while after it was put.
type slowTerminal struct {
	t     *testing.T
	file  *os.File
	cmd   *exec.Cmd
	said  chan string // all that the program wrote, at its end
	asked chan struct{}
	owed  chan int // answers that had not been given when the program ended
}

var replies = map[string]string{
	"\x1b[?2026$p": "\x1b[?2026;2$y", "\x1b[?2027$p": "\x1b[?2027;0$y", "\x1b]11;?": "\x1b]11;rgb:0000/0000/0000\x1b\\",
	"\x1b[?u": "\x1b[?0u", "\x1b[c": "\x1b[?62;22c",
}

func startSlow(t *testing.T, delay time.Duration, cmd *exec.Cmd) *slowTerminal {
	t.Helper()
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=", "TERM_PROGRAM=",
		"SSH_TTY=", "TMUX=")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 30})
	if err != nil {
		t.Fatal(err)
	}
	s := &slowTerminal{t: t, file: file, cmd: cmd, said: make(chan string, 1), asked: make(chan struct{}, 64),
		owed: make(chan int, 1)}
	given := make(chan struct{}, 64)
	go func() {
		var all strings.Builder
		questions, buffer := 0, make([]byte, 1<<16)
		for {
			n, err := file.Read(buffer)
			all.Write(buffer[:n])
			for question, answer := range replies {
				for range strings.Count(string(buffer[:n]), question) {
					questions++
					s.asked <- struct{}{}
					time.AfterFunc(delay, func() {
						if _, err := file.WriteString(answer); err == nil {
							given <- struct{}{}
						}
					})
				}
			}
			if err != nil {
				break
			}
		}
		s.owed <- questions - len(given)
		s.said <- all.String()
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = file.Close() })
	return s
}

// wait waits for the program's end and is its exit code.
func (s *slowTerminal) wait() int {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		s.t.Fatal("the program does not end")
		return -1
	}
}

func TestNoAnswerOfTheTerminalComesAfterTheEnd(t *testing.T) {
	for _, delay := range []time.Duration{0, 60 * time.Millisecond, 250 * time.Millisecond} {
		s := startSlow(t, delay, self("workbench"))
		<-s.asked // it draws, and has asked
		if _, err := s.file.WriteString("q"); err != nil {
			t.Fatal(err)
		}
		if code := s.wait(); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		if owed := <-s.owed; owed > 0 {
			t.Errorf("with answers %v late, %d came after the end", delay, owed)
		}
	}
}

func TestSignalsLeaveACleanTerminal(t *testing.T) {
	for sent, code := range map[syscall.Signal]int{syscall.SIGHUP: 129, syscall.SIGQUIT: 131, syscall.SIGTERM: exitDone,
		syscall.SIGINT: exitInterrupted} {
		if sent == syscall.SIGHUP && signal.Ignored(sent) {
			continue // this test runs under nohup, and so would the workbench
		}
		s := startSlow(t, 0, self("workbench"))
		<-s.asked
		if err := s.cmd.Process.Signal(sent); err != nil {
			t.Fatal(err)
		}
		if got := s.wait(); got != code {
			t.Errorf("%v: exit code %d", sent, got)
		}
		said := <-s.said
		for mode, last := range map[string]string{"?1049": "l", "?25": "h", "?2004": "l", "?1002": "l", "?1006": "l"} {
			on, off := strings.LastIndex(said, "\x1b["+mode+"h"), strings.LastIndex(said, "\x1b["+mode+"l")
			if (on > off) != (last == "h") {
				t.Errorf("%v leaves mode %s on", sent, mode)
			}
		}
		if strings.Contains(said, "goroutine") {
			t.Errorf("%v prints %q", sent, said[max(len(said)-200, 0):])
		}
	}
}

// TestAStopThatNobodyWouldEndChangesNothing stops a workbench that is no shell's job, as the system would not.
func TestAStopThatNobodyWouldEndChangesNothing(t *testing.T) {
	s := startSlow(t, 0, self("workbench"))
	<-s.asked
	if err := s.cmd.Process.Signal(syscall.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	if _, err := s.file.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if code := s.wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestALostTerminalEndsTheWorkbenchAlsoWhereHangupsAreIgnored(t *testing.T) {
	inner := self("workbench")
	cmd := exec.Command("sh", append([]string{"-c", `trap '' HUP; exec "$0" "$@"`, inner.Path}, inner.Args[1:]...)...)
	cmd.Env = inner.Env
	s := startSlow(t, 0, cmd)
	<-s.asked
	_ = s.file.Close()
	if code := s.wait(); code != exitHangup {
		t.Errorf("exit code %d", code)
	}
}

// fakeTmux puts a program called tmux on the PATH that runs a shell script.
func fakeTmux(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func TestColoursAreThoseOfTmuxsTerminal(t *testing.T) {
	_, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	for _, c := range []struct {
		want     config.Colors
		features string
		environ  []string
		profile  colorprofile.Profile
	}{
		{"auto", "bpaste,256,RGB,title", []string{"TMUX=/tmp/x,1,0", "TERM=tmux-256color"}, colorprofile.TrueColor},
		{"auto", "bpaste,256,title", []string{"TMUX=/tmp/x,1,0", "TERM=tmux-256color", "COLORTERM=truecolor"},
			colorprofile.ANSI256},
		{"auto", "RGB", []string{"TMUX=/tmp/x,1,0", "NO_COLOR=please"}, colorprofile.ASCII},
		{"auto", "", []string{"TERM=xterm-256color", "COLORTERM=truecolor"}, colorprofile.TrueColor},
		{"auto", "", []string{"TERM=linux"}, colorprofile.ANSI},
		{"16", "RGB", []string{"TMUX=/tmp/x,1,0"}, colorprofile.ANSI},
		{"truecolor", "", []string{"TERM=screen"}, colorprofile.TrueColor},
		{"none", "", []string{"TERM=xterm-direct"}, colorprofile.ASCII},
	} {
		fakeTmux(t, "echo "+c.features)
		if got, why := colours(c.want, tty, append(c.environ, "PATH="+os.Getenv("PATH"))); got != c.profile {
			t.Errorf("%s in %q with %q: %v, since %s", c.want, c.environ, c.features, got, why)
		}
	}
	if got, _ := colours("auto", nil, nil); got != colorprofile.NoTTY {
		t.Errorf("without a terminal: %v", got)
	}
}

func TestCopyingInTmuxFillsItsBuffer(t *testing.T) {
	t.Setenv("TMUX", "/tmp/x,1,0")
	dir := fakeTmux(t, `echo "$@" > "$0.said"; cat > "$0.text"`)
	d := viewtest.OpenModel(t, samples(), 120, 32).Press("y")
	d.Wait("the toast", func() bool { return d.Shows("copied 16 characters to tmux's buffer") })
	text, _ := os.ReadFile(filepath.Join(dir, "tmux.text"))
	said, _ := os.ReadFile(filepath.Join(dir, "tmux.said"))
	if string(text) != "rock toe damaged" || string(said) != "load-buffer -w -\n" {
		t.Errorf("tmux %q got %q", said, text)
	}
	fakeTmux(t, "exit 1")
	d = viewtest.OpenModel(t, samples(), 120, 32).Press("y")
	d.Wait("the toast", func() bool { return d.Shows("sent 16 characters to the terminal's clipboard") })
}

func TestWithoutUTF8TheScreenIsASCII(t *testing.T) {
	for value, want := range map[string]bool{"": true, "C": false, "POSIX": false, "de_DE.ISO-8859-1": false,
		"en_US.UTF-8": true, "C.utf8": true} {
		if got := utf8Locale(func(name string) string { return map[string]string{"LANG": value}[name] }); got != want {
			t.Errorf("LANG=%q: UTF-8 %v", value, got)
		}
	}
	r := samples()
	r.ascii = true
	d := viewtest.OpenModel(t, r, 120, 32).Send(figures(), views.Show{Pane: "data"})
	for i, line := range strings.Split(d.Screen(), "\n") {
		for _, c := range line {
			if c > 126 {
				t.Fatalf("line %d: %q", i, line)
			}
		}
	}
	if !d.Shows("+ Conditions ---") {
		t.Errorf("the frames are lost:\n%s", d.Screen())
	}
}
