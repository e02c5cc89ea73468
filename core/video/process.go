package video

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a program may go without a sign of progress: a line, or a part of a frame.
var patience = time.Minute

// errStalled is the end of a program that made no progress.
var errStalled = errors.New("no progress")

// failed is the end of a program that said why.
type failed struct{ complaints string }

func (f *failed) Error() string { return "FFmpeg: " + firstComplaint(f.complaints) }

// outlet is where a program writes: its standard output first, then descriptors 3, 4 …
type outlet func(r io.Reader) error

// run starts one of FFmpeg's programs and reads its outlets until they end, each in a goroutine. When ctx is done, the
// program makes no progress for a while, or an outlet fails, the program's process group is killed; it is always waited
// for. What it said on standard error comes back in every case. Errors: *NoFFmpeg, ctx's, errStalled, that of an
// outlet, *failed.
func run(ctx context.Context, program string, args []string, outlets ...outlet) (complaints string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", &NoFFmpeg{program}
	}
	cmd := exec.Command(path, args...)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second // what it started may hold the pipe of its complaints
	said := &tail{}
	cmd.Stderr = said
	readers := make([]*os.File, len(outlets))
	writers := make([]*os.File, len(outlets))
	closeAll := func(files []*os.File) {
		for _, f := range files {
			if f != nil {
				f.Close()
			}
		}
	}
	for i := range outlets {
		if readers[i], writers[i], err = os.Pipe(); err != nil {
			closeAll(readers)
			closeAll(writers)
			return "", err
		}
		widen(writers[i])
	}
	defer closeAll(readers)
	if len(outlets) > 0 {
		cmd.Stdout, cmd.ExtraFiles = writers[0], writers[1:]
	}
	err = cmd.Start()
	closeAll(writers)
	if err != nil {
		return "", err
	}
	why := &reason{pid: cmd.Process.Pid, give: func() { closeAll(readers) }}
	var reading sync.WaitGroup
	beats := make(chan struct{}, 1)
	for i, read := range outlets {
		reading.Go(func() {
			from := beating{readers[i], beats}
			err := read(from)
			if err == nil {
				_, err = io.Copy(io.Discard, from) // it would wait for a reader
			}
			if err != nil {
				why.end(err)
			}
		})
	}
	over := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, beats, over, why)
	}()
	reading.Wait()
	err = cmd.Wait()
	close(over)
	<-watched
	if first := why.get(); first != nil {
		return said.String(), first
	}
	if err != nil {
		return said.String(), &failed{said.String()}
	}
	return said.String(), nil
}

// watch ends the program when the context is done or the beats stop.
func watch(ctx context.Context, beats, over <-chan struct{}, why *reason) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			why.end(ctx.Err())
			return
		case <-beats:
			timer.Reset(patience)
		case <-timer.C:
			why.end(errStalled)
			return
		}
	}
}

// reason is why a program was ended before its time: the first one counts.
type reason struct {
	pid  int
	give func() // gives up the pipes, which something that left the group may hold
	lock sync.Mutex
	err  error
}

func (r *reason) end(err error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.err == nil {
		r.err = err
		syscall.Kill(-r.pid, syscall.SIGKILL)
		r.give()
	}
}

func (r *reason) get() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.err
}

// beating reports each read that brought something.
type beating struct {
	from  io.Reader
	beats chan<- struct{}
}

func (b beating) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if n > 0 {
		select {
		case b.beats <- struct{}{}:
		default:
		}
	}
	return n, err
}

// environment is ours without what makes FFmpeg write reports or colours.
func environment() []string {
	env := []string{"AV_LOG_FORCE_NOCOLOR=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FFREPORT=") && !strings.HasPrefix(v, "AV_LOG_FORCE") {
			env = append(env, v)
		}
	}
	return env
}

// tail keeps the beginning of what a program complains about, where the cause stands.
type tail struct{ kept bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const room = 16 << 10
	if left := room - t.kept.Len(); left > 0 {
		t.kept.Write(p[:min(len(p), left)])
	}
	return len(p), nil
}

func (t *tail) String() string { return t.kept.String() }

// speaker is the beginning of a complaint: the part of FFmpeg that speaks, with its address.
var speaker = regexp.MustCompile(`^(\[[^\]]* @ 0x[0-9a-f]+\] ?)+`)

// firstComplaint is the first line that FFmpeg said, without addresses and the file's name.
func firstComplaint(complaints string) string {
	for line := range strings.Lines(complaints) {
		line = speaker.ReplaceAllString(strings.TrimSpace(line), "")
		if strings.HasPrefix(line, "file:/") {
			if at := strings.LastIndex(line, ": "); at > 0 {
				line = line[at+2:]
			}
		}
		if line != "" {
			return line
		}
	}
	return "it says nothing"
}

func (f *failed) first() string { return firstComplaint(f.complaints) }
