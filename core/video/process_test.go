package video

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program puts a shell script on PATH as one of FFmpeg's programs. It writes the id of a child that outlives it to pid.
func program(t *testing.T, name, script string) (pid string) {
	t.Helper()
	dir := t.TempDir()
	pid = filepath.Join(dir, "pid")
	text := "#!/bin/sh\nsleep 1000 &\necho $! >" + pid + ".new; mv " + pid + ".new " + pid + "\n" + script
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return pid
}

// gone waits until the process with the id in a file is no more.
func gone(t *testing.T, pid string) {
	t.Helper()
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(id) + "/stat")
		if err != nil && syscall.Kill(id, 0) == syscall.ESRCH || strings.Contains(string(state), ") Z ") {
			return // where no one else waits for it, its entry stays
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", id)
}

func impatient(t *testing.T, limit time.Duration) {
	before := patience
	patience = limit
	t.Cleanup(func() { patience = before })
}

// TestProgramWithoutProgressIsEndedWithWhatItStarted: a program that says nothing, one that says something and then
// nothing, one that closes its outlets and stays.
func TestProgramWithoutProgressIsEndedWithWhatItStarted(t *testing.T) {
	clip := put(t, "a.mp4", strings.Repeat("x", 100))
	for name, script := range map[string]string{
		"silent":        "sleep 1000\n",
		"falls silent":  "echo 'packet|stream_index=0|pts=0'\nsleep 1000\n",
		"closes, stays": "exec >&- 2>&-\nsleep 1000\n",
	} {
		t.Run(name, func(t *testing.T) {
			impatient(t, 300*time.Millisecond)
			pid := program(t, "ffprobe", script)
			_, err := Probe(context.Background(), clip)
			var f *Fault
			if !errors.As(err, &f) || f.Kind != Stalled {
				t.Errorf("%v, want %s", err, Stalled)
			}
			gone(t, pid)
		})
	}
}

func TestCancelledProgramIsEndedWithWhatItStarted(t *testing.T) {
	clip := put(t, "a.mp4", strings.Repeat("x", 100))
	pid := program(t, "ffprobe", "while :; do echo 'packet|stream_index=0|pts=0|flags=K'; sleep 0.01; done\n")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for {
			if _, err := os.Stat(pid); err == nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := Probe(ctx, clip); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	gone(t, pid)
	if _, err := Probe(ctx, clip); !errors.Is(err, context.Canceled) {
		t.Errorf("started though it was cancelled before: %v", err)
	}
}

func TestReportWithoutEndIsEnded(t *testing.T) {
	clip := put(t, "a.mp4", strings.Repeat("x", 100))
	pid := program(t, "ffprobe", "yes 'packet|stream_index=0|pts=0|size=1|flags=K_'\n")
	_, err := Probe(context.Background(), clip)
	var f *Fault
	if !errors.As(err, &f) || f.Kind != Endless {
		t.Errorf("%v, want %s", err, Endless)
	}
	gone(t, pid)
}

func TestOutletThatIsNotReadToItsEndHoldsNobodyUp(t *testing.T) {
	program(t, "ffmpeg", "kill $!; yes | head -c 3000000; echo more >&3; echo last >&3\n")
	var text []byte
	_, err := run(context.Background(), "ffmpeg", nil,
		func(r io.Reader) error { _, err := io.ReadFull(r, make([]byte, 10)); return err },
		func(r io.Reader) (err error) { text, err = io.ReadAll(r); return err })
	if err != nil || string(text) != "more\nlast\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWithoutFFmpegTheErrorSaysHowToInstallIt(t *testing.T) {
	clip := put(t, "a.mp4", strings.Repeat("x", 100))
	t.Setenv("PATH", t.TempDir())
	for _, ask := range []func() error{
		func() error { _, err := Probe(context.Background(), clip); return err },
		func() error {
			_, _, err := Frames(context.Background(), clip, &Info{Frames: 1, W: 1, H: 1}, Exactly(0), nil, nil)
			return err
		},
		func() error { _, err := Open(t.TempDir(), 1<<20).Info(context.Background(), clip); return err },
	} {
		err := ask()
		var none *NoFFmpeg
		if !errors.As(err, &none) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
			t.Errorf("%v", err)
		}
	}
}

func TestComplaintIsShownWithoutAddressesAndName(t *testing.T) {
	for text, want := range map[string]string{
		"[mov,mp4 @ 0x5595] moov atom not found\nfile:/a/b: c.mp4: Invalid data": "moov atom not found",
		"file:/a/b.mp4: Invalid data found when processing input\n":              "Invalid data found when processing input",
		"\n": "it says nothing",
	} {
		if got := firstComplaint(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestClipThatGrowsIsNotTakenForWhole(t *testing.T) {
	clip := film(t, "a.mp4", "-c:v", "libx264")
	real, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Fatal(err)
	}
	program(t, "ffprobe", "echo >>"+clip+"\nkill $! \nexec "+real+` "$@"`+"\n")
	_, err = Probe(context.Background(), clip)
	var f *Fault
	if !errors.As(err, &f) || f.Kind != Endless {
		t.Errorf("%v, want %s", err, Endless)
	}
}
