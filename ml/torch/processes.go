package torch

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"finetui/ml/wholefile"
)

// Launch says where processes are started, and how many.
type Launch struct {
	Python    Python
	Processes int      // of each machine
	Hosts     []string // machines; none: this one
	// Remote is how a host's command is started: words, of which {host} stands for the host's name and {command} for
	// one line for a shell. Empty: by hand, and log has the commands.
	Remote string
	// Dir is where several processes find the trainer, and leave what they say, a folder for each; of several hosts one
	// that they share.
	Dir string
	Log io.Writer // what launchers, and one process alone, say
}

// total is the number of processes.
func (l Launch) total() int { return l.Processes * max(1, len(l.Hosts)) }

// The files of Launch.Dir.
const (
	scriptFile = "trainer.py"
	hubFile    = "hub.json"
	ranksDir   = "ranks" // torchrun's logs
)

// rank is a process at the other end of a line.
type rank struct {
	number int
	in     *bufio.Writer
	out    *bufio.Reader
	line   []io.Closer
	known  map[string]bool // samples whose pictures the process has
	about
}

// about is what a process of several says of itself.
type about struct {
	Password    string
	Rank, World int
	PID         int
	Host        string
	Boot        string // of its machine
	Log         string // the file that has what it says
	process     *os.Process
}

func newRank(number int, in io.Writer, out io.Reader, line ...io.Closer) *rank {
	return &rank{number: number, in: bufio.NewWriterSize(in, 1<<20), out: bufio.NewReaderSize(out, 1<<16), line: line,
		known: map[string]bool{}}
}

// name is a process in a sentence.
func (r *rank) name(of int) string {
	return fmt.Sprintf("rank %d of %d (process %d on %s)", r.number, of, r.PID, r.Host)
}

// lastWords is the last line that a process said, in quotes, and where it stands.
func (r *rank) lastWords() string {
	text, err := tail(r.Log, 1<<14)
	if err != nil {
		return "what it said last lies on its machine in " + r.Log
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return "it said nothing in " + r.Log + ", as one that is killed from outside, by the system for its memory too"
	}
	return fmt.Sprintf("it said last: %.300q, in %s", last, r.Log)
}

// tail is the end of a file.
func tail(path string, most int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Size() > most {
		_, err = f.Seek(-most, io.SeekEnd)
	}
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return string(text), err
}

// launcher is a process that was started here: Python, torchrun, or what starts torchrun elsewhere.
type launcher struct {
	*exec.Cmd
	ended chan struct{} // closed when it has ended, with err why
	err   error
}

// begin starts a command in a session of its own. It is told to end when this process is gone, where the system can.
func begin(c *exec.Cmd) (*launcher, error) {
	l := &launcher{Cmd: c, ended: make(chan struct{})}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	started := make(chan error)
	go func() {
		defer close(l.ended)
		outlive(c) // holds this goroutine's thread, after which the system asks
		err := c.Start()
		if started <- err; err == nil {
			l.err = c.Wait()
		}
	}()
	return l, <-started
}

// end waits for a launcher, and kills it and its group where it takes longer than patience.
func (l *launcher) end(patience time.Duration) {
	select {
	case <-l.ended:
	case <-time.After(patience):
		syscall.Kill(-l.Process.Pid, syscall.SIGKILL) // it leads its group, and has not been waited for
		<-l.ended
	}
}

// startOne starts one process on a pipe.
func (t *Trainer) startOne(l Launch) error {
	c := exec.Command(l.Python.Path, "-u", "-c", script)
	c.Stderr, c.Env = l.Log, environment()
	theirIn, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	defer theirOut.Close()
	c.Stdin, c.Stdout = theirIn, theirOut
	t.ranks = []*rank{newRank(0, in, out, in, out)}
	started, err := begin(c)
	if err != nil {
		return errors.Join(err, in.Close(), out.Close())
	}
	t.launchers = append(t.launchers, started)
	return nil
}

// environment is this process's, with what keeps libraries off the network, and threads that wait off the cores.
func environment() []string { return append(os.Environ(), settings...) }

var settings = []string{"HF_HUB_OFFLINE=1", "OMP_WAIT_POLICY=PASSIVE"}

// startSeveral lets torchrun start several processes, which come to a socket of this one.
func (t *Trainer) startSeveral(ctx context.Context, l Launch) error {
	address, err := reachable(l.Hosts)
	if err != nil {
		return err
	}
	hub, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return err
	}
	defer hub.Close()
	password := rand.Text()
	if err := l.write(hub.Addr().(*net.TCPAddr), password); err != nil {
		return err
	}
	t.cleanup = func() error { return os.Remove(filepath.Join(l.Dir, hubFile)) }
	commands, err := l.commands(address)
	if err != nil {
		return err
	}
	for i, words := range commands {
		if len(l.Hosts) > 0 && l.Remote == "" {
			fmt.Fprintf(l.Log, "start on %s: %s\n", l.Hosts[i], shell(words))
			continue
		}
		if len(l.Hosts) > 0 {
			words = remote(l.Remote, l.Hosts[i], words)
		}
		fmt.Fprintf(l.Log, "%s\n", shell(words))
		c := exec.Command(words[0], words[1:]...)
		c.Stdout, c.Stderr, c.Env = l.Log, l.Log, environment()
		started, err := begin(c)
		if err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
		t.launchers = append(t.launchers, started)
	}
	return t.gather(ctx, hub, password, l)
}

// reachable is the address of this machine that the hosts can reach it by.
func reachable(hosts []string) (string, error) {
	if len(hosts) == 0 {
		return "127.0.0.1", nil
	}
	route, err := net.Dial("udp", net.JoinHostPort(hostName(hosts[len(hosts)-1]), "9")) // sends nothing
	if err != nil {
		return "", fmt.Errorf("TORCH.HOSTS: %w", err)
	}
	defer route.Close()
	return route.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

// write puts the trainer, and how it comes to us, into the folder.
func (l Launch) write(at *net.TCPAddr, password string) error {
	if err := os.MkdirAll(filepath.Join(l.Dir, ranksDir), 0o755); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"host": at.IP.String(), "port": at.Port, "password": password})
	if err != nil {
		return err
	}
	err = wholefile.Write(filepath.Join(l.Dir, scriptFile), []byte(script))
	if err != nil {
		return err
	}
	return wholefile.Create(filepath.Join(l.Dir, hubFile), 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// commands are what starts the processes, one for each machine.
func (l Launch) commands(address string) (list [][]string, err error) {
	words := append([]string{"env", "OMP_NUM_THREADS=1"}, settings...) // until the trainer says how many
	words = append(words, l.Python.Path, "-m", "torch.distributed.run", "--nproc-per-node", strconv.Itoa(l.Processes),
		"--max-restarts", "0", "--log-dir", filepath.Join(l.Dir, ranksDir), "--redirects", "3")
	program := []string{filepath.Join(l.Dir, scriptFile), filepath.Join(l.Dir, hubFile)}
	if len(l.Hosts) == 0 {
		return [][]string{append(append(words, "--standalone", "--local-addr", address), program...)}, nil
	}
	meeting := l.Hosts[0]
	if _, _, err := net.SplitHostPort(meeting); err != nil {
		const usual = "29500" // torchrun's own
		meeting = net.JoinHostPort(meeting, usual)
	}
	words = append(words, "--nnodes", strconv.Itoa(len(l.Hosts)), "--rdzv-backend", "c10d", "--rdzv-id",
		filepath.Base(filepath.Dir(l.Dir)), "--rdzv-endpoint", meeting)
	for range l.Hosts {
		list = append(list, append(words[:len(words):len(words)], program...))
	}
	return list, nil
}

// remote is a command as a template starts it on a host.
func remote(template, host string, words []string) (list []string) {
	for _, word := range strings.Fields(template) {
		word = strings.ReplaceAll(word, "{host}", hostName(host))
		list = append(list, strings.ReplaceAll(word, "{command}", shell(words)))
	}
	return list
}

// hostName is a host without a port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// shell is a command as a line for a shell.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsFunc(w, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+", c)
		}) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// gather waits for all processes to come.
func (t *Trainer) gather(ctx context.Context, hub net.Listener, password string, l Launch) error {
	total := l.total()
	t.ranks = make([]*rank, total)
	came, gone := make(chan *rank), make(chan *launcher)
	done := make(chan struct{})
	defer close(done)
	go accept(hub, password, total, came, done)
	for _, started := range t.launchers {
		go func() {
			<-started.ended
			select {
			case gone <- started:
			case <-done:
			}
		}()
	}
	for n := 0; n < total; {
		select {
		case r := <-came:
			if t.ranks[r.number] != nil {
				r.line[0].Close()
				continue
			}
			t.ranks[r.number] = r
			n++
		case started := <-gone:
			return fmt.Errorf("%s ended (%v) when %d of %d processes were there: the run's log.txt and %s have what "+
				"they said last", filepath.Base(started.Path), started.err, n, total, filepath.Join(l.Dir, ranksDir))
		case <-ctx.Done():
			return fmt.Errorf("%d of %d processes were there: %w", n, total, context.Cause(ctx))
		}
	}
	return nil
}

// accept sends every process that knows the password to came, until done.
func accept(hub net.Listener, password string, total int, came chan<- *rank, done <-chan struct{}) {
	for {
		line, err := hub.Accept()
		if err != nil {
			return // it is closed
		}
		go func() {
			line.SetReadDeadline(time.Now().Add(time.Minute))
			r := newRank(0, line, io.LimitReader(line, 1<<12), line)
			text, err := r.out.ReadBytes('\n')
			if err == nil {
				err = json.Unmarshal(text, &r.about)
			}
			if err != nil || subtle.ConstantTimeCompare([]byte(r.Password), []byte(password)) != 1 ||
				r.World != total || r.Rank < 0 || r.Rank >= total {
				line.Close()
				return
			}
			line.SetReadDeadline(time.Time{})
			r.number = r.Rank
			r.out.Reset(line) // it says nothing more before it is asked
			if here, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil &&
				strings.TrimSpace(string(here)) == r.Boot {
				r.process, _ = os.FindProcess(r.PID) // a handle: the number may be another's later
			}
			select {
			case came <- r:
			case <-done:
				line.Close()
			}
		}()
	}
}

// hang closes the lines to the processes, which then end.
func (t *Trainer) hang() (err error) {
	for _, r := range t.ranks {
		if r == nil {
			continue
		}
		for _, c := range r.line {
			err = errors.Join(err, c.Close())
		}
		r.line = nil
	}
	return err
}

// kill ends every process at once, as far as they are on this machine; others end since nobody is at the other end of
// their line.
func (t *Trainer) kill() {
	t.hang()
	t.killHere()
}

// killHere ends the processes that are known to be on this machine.
func (t *Trainer) killHere() {
	for _, r := range t.ranks {
		if r != nil && r.process != nil {
			r.process.Kill()
		}
	}
}

// Interrupt ends the processes of this machine in whatever they are at: what is being asked of them fails.
func (t *Trainer) Interrupt() {
	t.killHere()
	if len(t.ranks) == 1 {
		t.launchers[0].Process.Kill()
	}
}

// Close ends the processes and waits for them.
func (t *Trainer) Close() error {
	err := t.hang()
	for _, l := range t.launchers {
		l.end(patience)
	}
	if len(t.launchers) == 1 && len(t.ranks) == 1 && t.broken == nil {
		err = errors.Join(err, t.launchers[0].err)
	}
	if t.cleanup != nil {
		err = errors.Join(err, t.cleanup())
	}
	return err
}

// patience is how long processes that are to end may take to.
const patience = 20 * time.Second
