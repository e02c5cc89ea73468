package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/eval"
	"finetui/core/run"
	"finetui/core/video"
	"finetui/ml/goldentest"
	"finetui/ml/picture"
	"finetui/views/viewtest"
)

// needFFmpeg skips a test that draws or reads clips where nothing does.
func needFFmpeg(t *testing.T) {
	t.Helper()
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("clips are read by FFmpeg, and %s is not here: %v", program, err)
		}
	}
}

// drawnExercises are the exercises of the drawn clips, the frequent one first, with how many clips of each there are to
// learn from and what is said of them.
var drawnExercises = []struct {
	name, advice string
	clips        int
}{{"squats", "Keep your back straight", 5}, {"elbow plank", "Hold your hips level", 3}}

// drawClips writes clips of 20 frames, a block that moves as the exercise does, and their labels in QVED's form.
func drawClips(t *testing.T, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var records []map[string]any
	for which, exercise := range drawnExercises {
		for _, split := range []struct {
			name string
			n    int
		}{{"train", exercise.clips}, {"valid", 1}, {"test", 2}} {
			for range split.n {
				name := fmt.Sprintf("%08d.mp4", len(records))
				frames := make([]*picture.RGB, 20)
				for i := range frames {
					frames[i] = picture.NewRGB(96, 64)
					x, y := 16+2*i, 24 // from left to right, or up and down
					if which == 0 {
						x, y = 40, 8+4*min(i%10, 9-i%10)
					}
					for row := y; row < y+16; row++ {
						for column := x; column < x+16; column++ {
							copy(frames[i].Pix[3*(96*row+column):], []byte{byte(90 + 9*len(records)), 200,
								byte(60 + 120*which)})
						}
					}
				}
				if err := video.Encode(context.Background(), filepath.Join(folder, name), 10, frames); err != nil {
					t.Fatal(err)
				}
				records = append(records, map[string]any{"video_path": "./" + name, "split": split.name,
					"labels":             []string{exercise.name + " - fault"},
					"labels_descriptive": []string{exercise.name + " - " + exercise.advice}})
			}
		}
	}
	text, err := json.Marshal(records)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "fine_grained_labels.json"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// onTiny are the constants with which the project of exercise clips trains on the built-in base in seconds.
var onTiny = []string{"MODEL.BASE=tiny", "TRAIN.PROJECTOR_LEARNING_RATE=0", "TRAIN.LEARNING_RATE=0.004", "LORA.R=16",
	"TRAIN.BATCH_SIZE=4", "TRAIN.GRAD_ACCUM=1", "EVAL.MAX_NEW_TOKENS=12", "INFER.MAX_NEW_TOKENS=12"}

// TestFromExerciseClipsToAnAnswer walks the project of exercise clips in a real terminal, key by key: new qved, the
// clips in Data, a run, and in Infer a clip from the data set and one by completion, its frames, the base's answer
// beside the adapter's.
func TestFromExerciseClipsToAnAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a run")
	}
	needFFmpeg(t)
	t.Chdir(t.TempDir())
	if code, _, errs := verbAnswer(t, append([]string{"new", "qved", ".", "TRAIN.EPOCHS=15"}, onTiny...)...); code !=
		exitDone {
		t.Fatal(errs)
	}
	drawClips(t, "data")
	terminal := viewtest.Start(t, 120, 32, self("program"))
	waitLonger(t, terminal, "14 clips", "14 objects")
	terminal.WaitFor("elbow plank")
	terminal.Send("3")
	terminal.WaitFor("[3 Train]")
	terminal.Send("n")
	waitLonger(t, terminal, "enter")
	terminal.Send("\r")
	waitLonger(t, terminal, "✓ done")

	terminal.Send("4")
	waitLonger(t, terminal, "enter asks")
	waitLonger(t, terminal, "What it sees · 4 of 20 frames")
	waitLonger(t, terminal, "0001-basic step") // the pane was opened before there was a run
	terminal.Send("m")
	terminal.WaitFor("╭ Answers")
	terminal.WaitFor("base tiny")
	terminal.Send("j\r") // the second clip of the data set
	terminal.WaitFor("2 of 4")
	both := func() bool { return strings.Count(terminal.Screen(), "tokens/s") == 2 }
	terminal.WaitUntil("two answers, each with its speed", both)
	terminal.WaitFor("names squats")
	terminal.Send("t")
	terminal.WaitFor("truth: squats - Keep your back straight")
	terminal.WaitFor("✓ names the exercise")
	terminal.WaitFor("METEOR")

	terminal.Send("\x0fdata/0000001")     // ctrl+o
	terminal.WaitFor("data/00000010.mp4") // how the path could go on
	terminal.Send("\t\r")
	waitLonger(t, terminal, "00000010.mp4 · 1/20 · 0:00.00")
	terminal.WaitFor("Analyze this exercise video and provide")
	terminal.WaitFor("a clip file: nobody knows the truth")
	terminal.Send("\t\t") // to the frame that is played
	terminal.WaitFor("▸1/20 · 0:00.00 · 00000010.mp4")
	for i, want := range []string{"2/20 · 0:00.10", "3/20 · 0:00.20"} {
		terminal.Send("\x1b[C") // to the right
		terminal.WaitFor(want)
		if i == 1 {
			terminal.Send("\x1b[D")
			terminal.WaitFor("2/20 · 0:00.10")
		}
	}
	terminal.Send("\x1b[B") // down: the next frame that the model is shown
	terminal.WaitFor("7/20 · 0:00.60")
	terminal.Send("\r")
	terminal.WaitUntil("two answers about the file", both)
	terminal.Send("]")
	terminal.WaitFor("b to ask it about all 4") // it says how to come by scores
	terminal.Send("b")
	waitLonger(t, terminal, "perfect answers would score METEOR")
	terminal.WaitFor("it said: ")
	terminal.Send("]]")
	waitLonger(t, terminal, "they differ by", "not told apart by")
	terminal.WaitFor("Exercise by exercise")
	terminal.Send("q")
	if code := terminal.WaitExit(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	code, stdout, _ := verbAnswer(t, "compare", "base", "1", "VIEW.FORMAT=json")
	var compared struct {
		FreeText []eval.FreeTextComparison `json:"free_text"`
	}
	if err := json.Unmarshal([]byte(stdout), &compared); err != nil || code != exitDone ||
		len(compared.FreeText) != 1 ||
		compared.FreeText[0].Named != 4 {
		t.Errorf("compare: code %d, %v\n%s", code, err, stdout)
	}
}

// TestRealClipsGoThroughTheWholeChain points a new project at clips that nobody labelled, the name of each file its
// class, and calls one verb after the other.
func TestRealClipsGoThroughTheWholeChain(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a run")
	}
	needFFmpeg(t)
	clips := goldentest.Shared(t, "data", "clips")
	t.Chdir(t.TempDir())
	if code, _, errs := verbAnswer(t, append([]string{"new", "qved", ".", "DATASET.PATH=" + clips, "EVAL.SPLIT=train",
		"TRAIN.EPOCHS=40"}, onTiny...)...); code != exitDone {
		t.Fatal(errs)
	}
	call := func(want string, words ...string) string {
		t.Helper()
		code, stdout, stderr := verbAnswer(t, words...)
		if code != exitDone || !strings.Contains(stdout+stderr, want) {
			t.Fatalf("%s: code %d, want %q in\n%s%s", words, code, want, stdout, stderr)
		}
		return stdout
	}
	call("21 clips in 21 classes", "analyze")
	call("21 clips of 21 classes", "convert")
	converted, err := os.ReadFile("playground/data/MobileGPT/qved_train.json")
	var records []struct{ Video string }
	if err == nil {
		err = json.Unmarshal(converted, &records)
	}
	if err != nil || len(records) != 21 {
		t.Errorf("%d conversations, %v", len(records), err)
	}
	if table := call("bottle-detection", "lint"); strings.Contains(table, "free text") {
		t.Errorf("what was converted added a class:\n%s", table)
	}
	call("0001-signs is done", "train", "signs", "TRAIN.FOLLOW=true")
	call("21 items", "eval", "base")
	call("21 items", "eval", "1")
	call("answers more items right", "compare", "base", "1")
	var compared eval.Board
	if text, err := os.ReadFile("runs/compare.json"); err != nil || json.Unmarshal(text, &compared) != nil ||
		len(compared.Pairs) != 1 || compared.Pairs[0].Difference <= 0 {
		t.Errorf("what it learned by heart it does not know: %+v, %v", compared.Pairs, err)
	}
	if r, err := run.Find("runs", "1"); err != nil || r.Status().State != run.Done {
		t.Errorf("the run is %+v, %v", r, err)
	}
	about := filepath.Join(clips, "asl_gestures", "milk.mkv")
	file, object := call("", "infer", "1", about), call("the truth is: milk", "infer", "1",
		"train/asl_gestures/milk.mkv#0")
	if strings.TrimSpace(file) == "" || strings.TrimSpace(object) == "" {
		t.Errorf("it says %q of the file, %q of the clip in the data set", file, object)
	}
}
