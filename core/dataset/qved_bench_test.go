package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"finetui/core/config"
)

// manyRecords writes a label file of 300,000 records, 64 MB, as the full set has them.
func manyRecords(b *testing.B) string {
	var text bytes.Buffer
	text.WriteString("[\n")
	for i := range 300_000 {
		if i > 0 {
			text.WriteString(",\n")
		}
		name := fmt.Sprintf("exercise %d", i%269)
		labels := fmt.Sprintf(`"%s - stopping early"`, name)
		said := fmt.Sprintf(`"%s - User stopped early (%d)"`, name, i%40)
		if i%3 != 0 {
			labels += fmt.Sprintf(`, "%s - not deep enough"`, name)
			said += fmt.Sprintf(`, "%s - User does not go deep enough"`, name)
		}
		fmt.Fprintf(&text, `{"video_path": "./%08d.mp4", "labels": [%s], "labels_descriptive": [%s], "split": "%s"}`, i,
			labels, said, []string{"train", "test"}[i%10/9])
	}
	text.WriteString("\n]\n")
	file := filepath.Join(b.TempDir(), "fine_grained_labels.json")
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return file
}

// childOf names what TestQVEDChild is to do, and the file.
const childOf = "FINETUI_QVED_CHILD"

// TestQVEDChild is a process of its own of BenchmarkQVED, so that its memory and processor time are its own.
func TestQVEDChild(t *testing.T) {
	how, file, asked := strings.Cut(os.Getenv(childOf), ":")
	if !asked {
		t.Skip("it is started by BenchmarkQVED")
	}
	items := map[string]func(file string) (int, error){"streamed": readStreamed, "naive": readNaively}[how]
	n, err := items(file)
	if err != nil || n != 300_000 {
		t.Fatalf("%d items: %v", n, err)
	}
	status, err := os.ReadFile("/proc/self/status") // rusage would tell the parent's memory, too
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.Write(status)
}

// readStreamed makes items of all records as the verbs do, but looks for no clip.
func readStreamed(file string) (int, error) {
	debug.SetGCPercent(33) // as the verbs that read a set
	s := newClipSet(file, request{})
	if err := s.readRecords(context.Background(), file); err != nil {
		return 0, err
	}
	items := s.items(s.present())
	return len(items), nil
}

// readNaively does so with encoding/json: the whole file at once, then the same rules.
func readNaively(file string) (int, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var records []map[string]any
	if err := json.Unmarshal(raw, &records); err != nil {
		return 0, err
	}
	items := naiveItems(records, file)
	runtime.KeepAlive(records)
	return len(items), nil
}

func naiveItems(records []map[string]any, file string) (items []Item) {
	text := func(v any, all bool) string {
		switch v := v.(type) {
		case string:
			return v
		case []any:
			var lines []string
			for _, line := range v {
				if line, ok := line.(string); ok {
					lines = append(lines, line)
				}
			}
			if len(lines) > 1 && !all {
				lines = lines[:1]
			}
			return strings.Join(lines, "\n")
		}
		return ""
	}
	classes, taken := map[string]int{}, map[string]bool{}
	for _, r := range records {
		path, label, exercise := text(r["video_path"], false), text(r["labels"], false), text(r["exercise"], false)
		if label == "" {
			label = text(r["label"], false)
		}
		if plain := strings.TrimPrefix(path, "./"); path == "" || taken[plain] {
			continue
		} else {
			taken[plain] = true
		}
		if prefix, _, found := strings.Cut(label, " - "); exercise == "" && found {
			exercise = prefix
		} else if exercise == "" {
			exercise = folderOf(path)
		}
		class, known := classes[ExerciseKey(exercise)]
		if !known {
			class = len(classes)
			classes[ExerciseKey(exercise)] = class
		}
		answer := text(r["labels_descriptive"], true)
		if answer == "" {
			answer = label
		}
		if answer == "" {
			answer = noFeedback
		}
		split := trainSplit
		if named := text(r["split"], false); named != "" {
			split = config.SplitName(readable(named))
		}
		name, spelling := strings.TrimPrefix(path, "./"), asNamed
		if name != path {
			spelling = fromHere
		}
		items = append(items, Item{ID: split + "/" + name, Split: split, Spelling: spelling, Labels: file,
			Objects: []Object{{Class: class, Box: Whole, Confidence: 1, Text: &Text{Answer: answer}}}})
	}
	return items
}

// pythonReads is the same in Python.
const pythonReads = `
import json, sys
def text(v, all):
    if isinstance(v, str): return v
    return "\n".join((v or [])[:None if all else 1])
classes, taken, items = {}, set(), []
for r in json.load(open(sys.argv[1])):
    path, label = r.get("video_path", ""), text(r.get("labels") or r.get("label"), False)
    plain = path.removeprefix("./")
    if not path or plain in taken: continue
    taken.add(plain)
    exercise = r.get("exercise") or (label.split(" - ", 1)[0] if " - " in label else "unknown")
    key = " ".join(exercise.lower().replace("_", " ").split())
    answer = text(r.get("labels_descriptive"), True) or label or "No feedback available."
    items.append((r["split"] + "/" + plain, r["split"], path, classes.setdefault(key, len(classes)), answer))
assert len(items) == 300000
print(open("/proc/self/status").read())
`

// BenchmarkQVED reads 300,000 exercise labels in processes of their own: streamed, naively, and in Python where there
// is one (FINETUI_PYTHON or python3). It tells the processor time and the most memory of each.
func BenchmarkQVED(b *testing.B) {
	file := manyRecords(b)
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	python := os.Getenv("FINETUI_PYTHON")
	if python == "" {
		python, _ = exec.LookPath("python3")
	}
	type took struct{ seconds, mib float64 }
	run := func(how string) took {
		cmd := exec.Command(self, "-test.run", "^TestQVEDChild$")
		if how == "python" {
			cmd = exec.Command(python, "-c", pythonReads, file)
		}
		cmd.Env = append(os.Environ(), childOf+"="+how+":"+file)
		out, err := cmd.CombinedOutput()
		_, peak, _ := strings.Cut(string(out), "VmHWM:")
		var kib float64
		if _, fault := fmt.Sscan(peak, &kib); err != nil || fault != nil {
			b.Fatalf("%s: %v, %v\n%s", how, err, fault, out)
		}
		return took{(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), kib / 1024}
	}
	ways := []string{"streamed", "naive"}
	if python != "" {
		ways = append(ways, "python")
	}
	sum := map[string]took{}
	for b.Loop() {
		for _, how := range ways { // in turn
			t := run(how)
			sum[how] = took{sum[how].seconds + t.seconds, max(sum[how].mib, t.mib)}
		}
	}
	for _, how := range ways {
		b.ReportMetric(1000*sum[how].seconds/float64(b.N), how+"-cpu-ms")
		b.ReportMetric(sum[how].mib, how+"-MiB")
	}
	b.ReportMetric(sum["naive"].seconds/sum["streamed"].seconds, "naive/streamed")
	b.ReportMetric(0, "ns/op")
}
