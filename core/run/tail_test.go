package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/linetail"
)

// growing is a metrics file that a test writes by hand.
type growing struct {
	t    *testing.T
	path string
	tail *Tail
}

func grow(t *testing.T) growing {
	r := created(t)
	return growing{t, filepath.Join(r.Dir, metricsFile), r.Tail()}
}

func (g growing) write(text string) {
	g.t.Helper()
	f, err := os.OpenFile(g.path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		g.t.Fatal(err)
	}
}

func (g growing) expect(steps string, bad int, reset bool) {
	g.t.Helper()
	b, err := g.tail.Read()
	if err != nil {
		g.t.Fatal(err)
	}
	var got []string
	for _, r := range b.Rows {
		got = append(got, fmt.Sprint(r.head().Step))
	}
	if s := strings.Join(got, " "); s != steps || b.Bad != bad || b.Reset != reset {
		g.t.Errorf("steps %q bad %d reset %v, want %q %d %v", s, b.Bad, b.Reset, steps, bad, reset)
	}
}

func line(step int) string { return fmt.Sprintf(`{"kind":"train","step":%d,"loss":1}`, step) + "\n" }

func TestHalfALineIsReadWhenItIsWhole(t *testing.T) {
	g := grow(t)
	g.expect("", 0, false)
	whole := line(2)
	g.write(line(1) + whole[:9])
	g.expect("1", 0, false)
	g.expect("", 0, false)
	g.write(whole[9:20])
	g.expect("", 0, false)
	g.write(whole[20:] + line(3))
	g.expect("2 3", 0, false)
}

func TestGarbageIsCountedAndSkipped(t *testing.T) {
	g := grow(t)
	g.write(line(1) + "{\"kind\":\"tra\n\n\x00\x00\xff\n" + `{"kind":"future","step":7}` + "\n" + `{"step":7}` + "\n" +
		`{"kind":"train","step":"x"}` + "\n[1]\n" +
		`{"kind":"train","step":2,"loss":"0.5","lr":null,"grad_norm":"wide"}` + "\n" +
		`{"kind":"train","step":2,"loss":"0.5","lr":null,"extra":[{}]}` + "\r\n")
	g.expect("1 2", 6, false)
}

func TestCutOrReplacedFileIsReadAnew(t *testing.T) {
	g := grow(t)
	g.write(line(1) + line(2) + line(3))
	g.expect("1 2 3", 0, false)
	if err := os.Truncate(g.path, int64(len(line(1)))); err != nil {
		t.Fatal(err)
	}
	g.expect("1", 0, true)
	g.write(line(9))
	g.expect("9", 0, false)
	other := g.path + ".new"
	if err := os.WriteFile(other, []byte(line(4)+line(5)+line(6)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, g.path); err != nil {
		t.Fatal(err)
	}
	g.expect("4 5 6", 0, true)
}

func TestLongFileIsReadInBoundedPieces(t *testing.T) {
	g := grow(t)
	const n = 30_000
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	g.write(b.String())
	reads, rows := 0, 0
	for {
		batch, err := g.tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range batch.Rows {
			if r.head().Step != rows {
				t.Fatalf("row %d has step %d", rows, r.head().Step)
			}
			rows++
		}
		reads++
		if !batch.More {
			break
		}
	}
	if rows != n || reads < 4 {
		t.Errorf("%d rows in %d reads", rows, reads)
	}
}

func TestLineOfMegabytesIsReadAndALongerOneSkipped(t *testing.T) {
	g := grow(t)
	long := func(n int) string {
		text, _ := json.Marshal(Event{Head: Head{Kind: "event", Step: 2}, Text: strings.Repeat("x", n)})
		return string(text) + "\n"
	}
	g.write(line(1) + long(1<<20) + line(3))
	g.expect("1", 0, false)
	g.expect("2 3", 0, false)
	g.write(line(4) + long(3*linetail.LineBytes) + line(5))
	var got []int
	bad := 0
	for {
		b, err := g.tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Rows {
			got = append(got, r.head().Step)
		}
		bad += b.Bad
		if !b.More {
			break
		}
	}
	if fmt.Sprint(got) != "[4 5]" || bad != 1 {
		t.Errorf("%v, %d bad", got, bad)
	}
	g.write(line(6))
	g.expect("6", 0, false)
}
