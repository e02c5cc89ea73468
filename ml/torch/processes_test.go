package torch

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// Processes on one machine meet on a free port of it; those of several machines on the first of them, and each
// machine's command is started as the template says, as one line for a shell.
func TestCommandsForMachines(t *testing.T) {
	l := Launch{Python: Python{Path: "/opt/my python"}, Processes: 4, Dir: "/runs/0001-a/torch"}
	list, err := l.commands("127.0.0.1")
	if err != nil || len(list) != 1 || !slices.Contains(list[0], "--standalone") || l.total() != 4 {
		t.Fatalf("one machine: %q, %v", list, err)
	}
	l.Hosts = []string{"gpu1:29511", "gpu2"}
	if list, err = l.commands("10.0.0.1"); err != nil || len(list) != 2 || l.total() != 8 {
		t.Fatalf("two machines: %q, %v", list, err)
	}
	line := shell(list[1])
	for _, want := range []string{"'/opt/my python' -m torch.distributed.run", "--nproc-per-node 4", "--nnodes 2",
		"--rdzv-endpoint gpu1:29511", "--rdzv-id 0001-a", "/runs/0001-a/torch/trainer.py /runs/0001-a/torch/hub.json"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %s", want, line)
		}
	}
	got := remote("ssh -o BatchMode=yes {host} {command}", "gpu1:29511", list[0])
	if len(got) != 5 || got[3] != "gpu1" || got[4] != line {
		t.Errorf("over ssh: %q", got)
	}
	l.Hosts = []string{"gpu1", "gpu2"}
	if list, _ := l.commands(""); !slices.Contains(list[0], "gpu1:29500") {
		t.Errorf("without a port: %q", list[0])
	}
	if got := shell([]string{"a b", "it's", "", "$x"}); got != `'a b' 'it'\''s' '' '$x'` {
		t.Error(got)
	}
}

// Whoever does not know the password, or is none of the processes, is turned away.
func TestOnlyItsOwnProcessesAreLetIn(t *testing.T) {
	hub, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	came, done := make(chan *rank), make(chan struct{})
	defer close(done)
	go accept(hub, "right", 2, came, done)
	call := func(line string) net.Conn {
		c, err := net.Dial("tcp", hub.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(c, line)
		return c
	}
	for _, line := range []string{`{"password": "wrong", "rank": 0, "world": 2}`, `{"rank": 0, "world": 2}`, "no JSON",
		`{"password": "right", "rank": 2, "world": 2}`, `{"password": "right", "rank": -1, "world": 2}`,
		`{"password": "right", "rank": 0, "world": 3}`} {
		c := call(line)
		if text, err := io.ReadAll(c); err != nil || len(text) > 0 {
			t.Errorf("%s: answered %q, %v", line, text, err)
		}
		c.Close()
	}
	c := call(`{"password": "right", "rank": 1, "world": 2, "pid": 7, "host": "here"}`)
	defer c.Close()
	if r := <-came; r.number != 1 || r.name(2) != "rank 1 of 2 (process 7 on here)" {
		t.Errorf("%+v", r.about)
	}
}

// What processes answer of their samples comes back in the order in which the samples were dealt out.
func TestSharesComeBackInOrder(t *testing.T) {
	same := func(s []int) []int { return s }
	for _, n := range []int{1, 2, 3} {
		for size := range 8 {
			list := make([][]int, n)
			for i := range size {
				list[i%n] = append(list[i%n], i)
			}
			if got := dealt(list, same); len(got) != size || !slices.IsSorted(got) {
				t.Errorf("%d of %d processes: %v", size, n, got)
			}
		}
	}
}

// A process that is gone explains more than one with a fault, and that more than those which only lack the others.
func TestTheCauseIsNamedBeforeWhatFollows(t *testing.T) {
	ranks := []*rank{{number: 0}, {number: 1}, {number: 2}}
	gone := reply{rank: ranks[1], err: io.EOF}
	broken := reply{rank: ranks[2], fault: fault{"bad index", "other"}}
	lonely := reply{rank: ranks[0], fault: fault{"closed", alone}}
	for want, list := range map[string][]reply{"rank 1 of 3": {lonely, broken, gone}, "bad index": {lonely, broken}} {
		tr := &Trainer{ranks: ranks}
		if err := tr.judge("step", list); err == nil || !strings.Contains(err.Error(), want) || tr.broken == nil {
			t.Errorf("%v", err)
		}
	}
}
