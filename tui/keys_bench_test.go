//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"finetui/core/config"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// largeSet is a project with so many pictures, each a file of its own, with ten boxes of nine classes each. It is kept
// in FINETUI_LARGE_SET where that names a folder.
func largeSet(b *testing.B, pictures int) string {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	root := b.TempDir()
	if kept := os.Getenv("FINETUI_LARGE_SET"); kept != "" {
		root = filepath.Join(kept, strconv.Itoa(pictures))
		if _, err := os.Stat(filepath.Join(root, "data", "data.yaml")); err == nil {
			return root
		}
		must(os.MkdirAll(root, 0o755))
	}
	file, err := config.Preset("drains")
	must(err)
	must(file.Set("DATASET.PATH", "data"))
	must(os.WriteFile(filepath.Join(root, "config.toml"), []byte(file.Raw()), 0o644))
	var drawn bytes.Buffer
	canvas := image.NewGray(image.Rect(0, 0, 64, 48))
	canvas.Set(20, 20, color.White)
	must(jpeg.Encode(&drawn, canvas, nil))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range pictures {
		split := [...]string{"train", "train", "train", "train", "valid"}[i%5]
		images := filepath.Join(root, "data", split, "images")
		labels := filepath.Join(root, "data", split, "labels")
		if i < 5 {
			must(os.MkdirAll(images, 0o755))
			must(os.MkdirAll(labels, 0o755))
		}
		name := fmt.Sprintf("picture-%06d", i)
		comment := binary.BigEndian.AppendUint32([]byte{0xff, 0xfe, 0, 6}, uint32(i)) // no two files are the same
		picture := slices.Concat(drawn.Bytes()[:2], comment, drawn.Bytes()[2:])
		must(os.WriteFile(filepath.Join(images, name+".jpg"), picture, 0o644))
		var text []byte
		for range 10 {
			w, h := 0.02+0.2*r.Float64(), 0.02+0.2*r.Float64()
			x, y := w/2+(1-w)*r.Float64(), h/2+(1-h)*r.Float64()
			text = fmt.Appendf(text, "%d %.6f %.6f %.6f %.6f\n", r.IntN(9), x, y, w, h)
		}
		must(os.WriteFile(filepath.Join(labels, name+".txt"), text, 0o644))
	}
	must(os.WriteFile(filepath.Join(root, "data", "data.yaml"), []byte("nc: 9\nnames: [\"rock toe damaged\", "+
		"\"slope drain\", vegetation, \"rock toe\", \"slope drain damaged\", \"slope drain blocked\", "+
		"\"Toe drain- Blocked\", \"Toe drain- Damaged\", \"Toe drain\"]\n"), 0o644))
	return root
}

// pressed are keys, each with what the screen shows once it is drawn, at any time.
var pressed = []struct{ key, shows string }{
	{"2", "[2 Config]"}, {"3", "[3 Train]"}, {"4", "[4 Infer]"}, {"1", "[1 Data]"},
}

// BenchmarkKeys is the whole program in a terminal of 120×32 on a set of 100,000 pictures and a million boxes
// (FINETUI_RECORDS: another number): the time from a key to its frame on the terminal, while the set is read and
// afterwards, with a base that is here and with one that is not; and the time from q to the program's end.
// go test ./tui -run XXX -bench Keys -benchtime 1x, on a machine that does nothing else.
func BenchmarkKeys(b *testing.B) {
	pictures := 100_000
	if n, err := strconv.Atoi(os.Getenv("FINETUI_RECORDS")); err == nil {
		pictures = n
	}
	root := largeSet(b, pictures)
	for _, base := range []string{"tiny", "Qwen/Qwen2-VL-7B-Instruct"} {
		b.Run(base, func(b *testing.B) { benchmarkKeys(b, root, base, pictures) })
	}
}

// command opens the workbench on the set.
func command(root, base string) *exec.Cmd {
	program := self("program", "MODEL.BASE="+base)
	program.Dir = root
	return program
}

func benchmarkKeys(b *testing.B, root, base string, pictures int) {
	for b.Loop() {
		terminal := viewtest.Start(b, 120, 32, command(root, base))
		terminal.WaitFor("[1 Data]")
		began := time.Now()
		var while, after []time.Duration
		for read := false; len(after) < 300; {
			for _, p := range pressed {
				if took := terminal.Answer(p.key, p.shows); read {
					after = append(after, took)
				} else {
					while = append(while, took)
				}
				time.Sleep(20 * time.Millisecond) // as fast as a person holds a key
			}
			if screen := terminal.Screen(); !read && strings.Contains(screen, widget.Count(10*pictures)+" objects") {
				read = true
				b.ReportMetric(time.Since(began).Seconds(), "read-s")
			}
			if time.Since(began) > 5*time.Minute {
				b.Fatalf("the set is not read:\n%s", terminal.Screen())
			}
		}
		began = time.Now()
		terminal.Send("q")
		terminal.WaitExit()
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "quit-ms")
		terminal = viewtest.Start(b, 120, 32, command(root, base))
		terminal.WaitFor("[1 Data]")
		time.Sleep(2 * time.Second) // while it reads
		began = time.Now()
		terminal.Send("q")
		terminal.WaitExit()
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "quit-while-ms")
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err == nil {
			b.ReportMetric(time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Seconds(), "cpu-s")
			b.ReportMetric(float64(usage.Maxrss)/1024, "MiB")
		}
		for _, part := range []struct {
			name  string
			times []time.Duration
		}{{"while", while}, {"after", after}} {
			slices.Sort(part.times)
			for _, percent := range []int{50, 90, 99} {
				at := part.times[(len(part.times)*percent-1)/100]
				b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", part.name, percent))
			}
			b.ReportMetric(float64(len(part.times)), part.name+"-keys")
		}
	}
}
