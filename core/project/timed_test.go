package project

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/model"
)

// Feedback on clips is scored at its times, by hand: of 5 feedbacks that are expected and 4 that are given 3 match
// (1.4 s away, but not 1.5 s), so P = 3/4, R = 3/5, T-F = 2/3.
func TestFeedbackThatHasItsTimesIsScored(t *testing.T) {
	root := t.TempDir()
	labels := `[{"video_path": "a.mp4", "exercise": "squats", "feedbacks": ["Lower.", "Back straight.", "Good."],
			"feedback_timestamps": [1, 5, 9], "split": "test"},
		{"video_path": "b.mp4", "exercise": "squats", "feedbacks": ["Lower.", "Good."],
			"feedback_timestamps": [2, 4], "split": "test"},
		{"video_path": "c.mp4", "labels": ["squats - without times"], "split": "test"}]`
	for name, text := range map[string]string{"labels.json": labels, "a.mp4": "", "b.mp4": "", "c.mp4": ""} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	f.Move(filepath.Join(root, "config.toml"), root)
	if err := f.Override([]string{"DATASET.PATH=labels.json", "EVAL.DATA="}); err != nil {
		t.Fatal(err)
	}
	p, err := Open(context.Background(), f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	samples := p.Recipe.Samples("test")
	replies := []model.Reply{{Text: "2.4 s: Lower.\n6.5 s: Back straight.\nwords between\n9 s: Good."},
		{Text: "0.9 s: lower"}, {Text: "squats - without times"}}
	r, err := p.ScoreTimed(samples, replies, "base", "test", 0)
	if err != nil {
		t.Fatal(err)
	}
	if r.N != 2 || r.Expected != 5 || r.Given != 4 || r.Matched != 3 || math.Abs(r.TF-2./3) > 1e-12 ||
		math.Abs(r.Precision-.75) > 1e-12 || math.Abs(r.Recall-.6) > 1e-12 {
		t.Errorf("%+v", r.TimedFigures)
	}
	if text := r.Text(); !strings.Contains(text, "T-F        0.667") {
		t.Errorf("it is not printed:\n%s", text)
	}
	if r, err := p.ScoreTimed(samples[2:], replies[2:], "base", "test", 0); r != nil || err != nil {
		t.Errorf("without times: %+v, %v", r, err)
	}
}
