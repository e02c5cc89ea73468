package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"finetui/core/linetail"
)

// longMetrics writes metrics of so many steps as a run of LOG_EVERY = 1 has them; the train
// and class row of a step take about 850 bytes together.
func longMetrics(t testing.TB, dir string, from, to int) {
	t.Helper()
	var b bytes.Buffer
	add := func(row Row) {
		row.head().Kind = row.kind()
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	f, err := os.OpenFile(filepath.Join(dir, metricsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := []string{"Toe drain", "Toe drain- Blocked", "Toe drain- Damaged", "rock toe", "rock toe damaged",
		"slope drain", "slope drain blocked", "slope drain damaged", "vegetation"}
	for i := from; i < to; i++ {
		at := Head{Step: i + 1, Time: 1.7e9 + float64(i)*0.137}
		noise := math.Sin(float64(i*i) + 0.1)
		loss := 0.2 + 2/(1+float64(i)/1000) + 0.1*noise
		add(&Train{Head: at, Epoch: Float(float64(i) / 5000), Loss: Float(loss), LossPlain: Float(loss * 0.97),
			LR: Float(4e-3 / (1 + float64(i)/1e5)), GradNorm: Float(0.5 + 0.3*noise),
			Tokens: i * 1600, Samples: i * 16, TokensPerSecond: Float(7187 + 100*noise),
			Seconds: StepTimes{0.0534, 0.2021,
				0.1271, 0.0012}})
		row := &Class{Head: at}
		for k, name := range names {
			row.Losses = append(row.Losses, ClassLoss{name, 1 + (i+k)%4, Float(loss * (1 + 0.05*float64(k)))})
		}
		add(row)
		if i%25 == 24 {
			cpu, rss := 90+noise, uint64(600<<20)
			add(&System{Head: at, GPUs: []GPU{}, CPU: &cpu, RSS: &rss})
		}
		if i%1000 == 999 {
			add(&Eval{Head: at, Split: "valid", Loss: Float(loss), Accuracy: 0.5,
				Recall: map[string]Recall{"rock toe": {10, 5}}})
			add(&Checkpoint{Head: at, Path: fmt.Sprintf("checkpoints/step-%06d", i+1), Bytes: 812345})
		}
		if b.Len() > 1<<20 || i == to-1 {
			if _, err := f.Write(b.Bytes()); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
}

// historyOf reads a run with a new reader, and says how many bytes of the metrics that took.
func historyOf(t testing.TB, r *Run, brief bool) (h History, bytes int64) {
	t.Helper()
	reader := r.reader(brief)
	reader.loaded = true
	from := int64(0)
	if reader.load() {
		from = reader.tail.Offset
	}
	if _, more, err := reader.Read(time.Time{}); err != nil || more {
		t.Fatalf("more %v, %v", more, err)
	}
	return reader.History, reader.tail.Offset - from
}

// sameHistory says whether two histories hold the same rows.
func sameHistory(a, b History) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y) && a.last == b.last && a.any == b.any
}

func TestIndexSparesReadingWhatWasRead(t *testing.T) {
	for _, brief := range []bool{false, true} {
		r := created(t)
		longMetrics(t, r.Dir, 0, 4000)
		path := filepath.Join(r.Dir, metricsFile)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		first, read := historyOf(t, r, brief)
		if read != info.Size() || first.Step() != 4000 || len(first.Evals) != 4 {
			t.Fatalf("brief %v: %d bytes of %d, step %d", brief, read, info.Size(), first.Step())
		}
		again, read := historyOf(t, r, brief)
		if read != 0 || !sameHistory(first, again) {
			t.Errorf("brief %v: read %d bytes again, step %d", brief, read, again.Step())
		}
		longMetrics(t, r.Dir, 3500, 4200) // resumed: the later row wins
		grown, read := historyOf(t, r, brief)
		if read == 0 || read > info.Size()/4 {
			t.Errorf("brief %v: read %d bytes of what was added", brief, read)
		}
		os.RemoveAll(filepath.Join(filepath.Dir(r.Dir), indexFolder))
		anew, _ := historyOf(t, r, brief)
		if !sameHistory(grown, anew) || anew.Step() != 4200 || anew.Resume != 1 {
			t.Errorf("brief %v: with the index step %d, without it %d, resumed %d", brief, grown.Step(), anew.Step(),
				anew.Resume)
		}
	}
}

func TestIndexOfAnotherFileDoesNotCount(t *testing.T) {
	whole := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	change := func(path string, change func([]byte) []byte) {
		data := change(whole(path))
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		do    func(metrics, index string)
		spare bool // the index still counts
	}{
		"nothing": {func(string, string) {}, true},
		"a torn line": {func(m,
			_ string) {
			change(m, func(b []byte) []byte { return append(b, `{"kind":"train","st`...) })
		}, true},
		"cut":   {func(m, _ string) { change(m, func(b []byte) []byte { return b[:len(b)/2] }) }, false},
		"empty": {func(m, _ string) { change(m, func([]byte) []byte { return nil }) }, false},
		"a changed middle": {func(m, _ string) { change(m, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) },
			false},
		"a changed middle, and longer": {func(m, _ string) {
			change(m, func(b []byte) []byte { b[len(b)/2] = '7'; return append(b, line(2001)...) })
		}, false},
		"a changed middle, its time set back": {func(m, _ string) {
			info, _ := os.Stat(m)
			change(m, func(b []byte) []byte { b[len(b)/2] = '7'; return b })
			os.Chtimes(m, info.ModTime(), info.ModTime())
		}, false},
		"longer": {func(m, _ string) { change(m, func(b []byte) []byte { return append(b, line(2001)...) }) },
			true},
		"a mode, and none": {func(m, _ string) { os.Chmod(m, 0o600) }, true},
		"another beginning, and longer": {func(m, _ string) {
			change(m, func(b []byte) []byte { return append(append([]byte(line(1)), b...), line(9999)...) })
		}, false},
		"replaced": {func(m, _ string) {
			os.WriteFile(m+".new", append(whole(m), line(2001)...), 0o644)
			os.Rename(m+".new", m)
		}, false},
		"copied with its time": {func(m, _ string) {
			info, _ := os.Stat(m)
			data := whole(m)
			os.WriteFile(m+".new", data, 0o644)
			os.Rename(m+".new", m)
			os.Chtimes(m, info.ModTime(), info.ModTime())
		}, true},
		"a flipped bit in the index": {func(_,
			i string) {
			change(i, func(b []byte) []byte { b[len(b)/3] ^= 8; return b })
		}, false},
		"half an index": {func(_, i string) { change(i, func(b []byte) []byte { return b[:len(b)/2] }) },
			false},
		"an empty index": {func(_, i string) { change(i, func([]byte) []byte { return nil }) }, false},
	} {
		r := created(t)
		longMetrics(t, r.Dir, 0, 2000)
		historyOf(t, r, false)
		metrics, index := filepath.Join(r.Dir, metricsFile), filepath.Join(filepath.Dir(r.Dir), indexFolder,
			r.Label()+".curves")
		c.do(metrics, index)
		size := int64(len(whole(metrics)))
		got, read := historyOf(t, r, false)
		os.RemoveAll(filepath.Dir(index))
		want, _ := historyOf(t, r, false)
		if !sameHistory(got, want) {
			t.Errorf("%s: step %d with the index, %d without", name, got.Step(), want.Step())
		}
		if spared := read < size/2; spared != c.spare && size > 0 {
			t.Errorf("%s: read %d bytes of %d", name, read, size)
		}
	}
}

func TestAFolderThatCannotBeWrittenNeedsNoIndex(t *testing.T) {
	r := created(t)
	longMetrics(t, r.Dir, 0, 2000)
	// in the folder's place
	if err := os.WriteFile(filepath.Join(filepath.Dir(r.Dir), indexFolder), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if h, read := historyOf(t, r, true); h.Step() != 2000 || read == 0 {
			t.Errorf("step %d, %d bytes", h.Step(), read)
		}
	}
}

func TestIndexesOfRunsThatAreGoneAreRemoved(t *testing.T) {
	r := created(t)
	folder := filepath.Join(filepath.Dir(r.Dir), indexFolder)
	left := filepath.Join(folder, ".0001-x.curves.tmp-1")
	for _, path := range []string{filepath.Join(folder, "0099-gone.curves"), left, filepath.Join(folder, "notes.txt")} {
		os.MkdirAll(folder, 0o755)
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	os.Chtimes(left, old, old)
	longMetrics(t, r.Dir, 0, 2000)
	historyOf(t, r, false)
	entries, _ := os.ReadDir(folder)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := fmt.Sprint([]string{r.Label() + ".curves", "notes.txt"}); fmt.Sprint(names) != want {
		t.Errorf("%v, want %v", names, want)
	}
}

func TestFileWrittenAnewWhileItIsReadIsNoticed(t *testing.T) {
	g := grow(t)
	g.write(line(1) + line(2))
	g.expect("1 2", 0, false)
	if err := os.WriteFile(g.path, []byte(line(7)+line(8)+line(9)), 0o644); err != nil { // the same file, and longer
		t.Fatal(err)
	}
	g.expect("7 8 9", 0, true)
	g.expect("", 0, false)
}

// longRun is a run of FINETUI_STEPS steps (20,000).
func longRun(b *testing.B) *Run {
	steps, err := strconv.Atoi(os.Getenv("FINETUI_STEPS"))
	if err != nil {
		steps = 20_000
	}
	r := created(b)
	longMetrics(b, r.Dir, 0, steps)
	info, err := os.Stat(filepath.Join(r.Dir, metricsFile))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	return r
}

func benchmarkReading(b *testing.B, brief, index bool) {
	r := longRun(b)
	historyOf(b, r, brief)
	for b.Loop() {
		if !index {
			os.RemoveAll(filepath.Join(filepath.Dir(r.Dir), indexFolder))
		}
		historyOf(b, r, brief)
	}
}

func BenchmarkFirstReading(b *testing.B)        { benchmarkReading(b, false, false) }
func BenchmarkReadingByIndex(b *testing.B)      { benchmarkReading(b, false, true) }
func BenchmarkFirstBriefReading(b *testing.B)   { benchmarkReading(b, true, false) }
func BenchmarkBriefReadingByIndex(b *testing.B) { benchmarkReading(b, true, true) }

func BenchmarkParseRow(b *testing.B) {
	r := created(b)
	longMetrics(b, r.Dir, 1000, 1001)
	data, err := os.ReadFile(filepath.Join(r.Dir, metricsFile))
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	blanks := make([][]byte, len(lines)) // as Python writes them
	for i, line := range lines {
		blanks[i] = bytes.ReplaceAll(bytes.ReplaceAll(line, []byte(`,`), []byte(`, `)), []byte(`":`), []byte(`": `))
	}
	var p parser
	for _, c := range []struct {
		name  string
		parse func([]byte) (Row, error)
		lines [][]byte
	}{{"scanner", p.row, lines}, {"scanner, blanks", p.row, blanks}, {"encoding/json", decodeRow, lines}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range c.lines {
					if _, err := c.parse(line); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func TestNothingIsReadWhereNothingWasAdded(t *testing.T) {
	r := created(t)
	longMetrics(t, r.Dir, 0, 500)
	rows := 0
	readers := map[string]*Reader{"of the whole history": r.Reader(), "of a list": r.BriefReader(),
		"of rows": r.Rows(0, func(Row) { rows++ })}
	for name, reader := range readers {
		for i := range 20 {
			before := reader.tail.Taken
			changed, more, err := reader.Read(time.Time{})
			if err != nil || more || changed != (i == 0) || (reader.tail.Taken > before) != (i == 0) {
				t.Errorf("%s, look %d: changed %v, more %v, %d bytes read, %v", name, i, changed, more,
					reader.tail.Taken-before, err)
			}
		}
	}
	longMetrics(t, r.Dir, 450, 500) // resumed
	for name, reader := range readers {
		before, offset := reader.tail.Taken, reader.tail.Offset
		if _, _, err := reader.Read(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if read := reader.tail.Taken - before; read != reader.tail.Offset-offset+linetail.MarkBytes {
			t.Errorf("%s: %d bytes were read of %d added", name, read, reader.tail.Offset-offset)
		}
		if h := reader.History; h.Resume != 1 || h.Step() != 500 {
			t.Errorf("%s: step %d, resumed %d", name, h.Step(), h.Resume)
		}
	}
	if want := 2*500 + 20 + 2*50 + 2; rows != want {
		t.Errorf("%d rows were handed over, want %d", rows, want)
	}
}
