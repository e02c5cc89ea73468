package dataset

import (
	"slices"
	"strings"
	"testing"
)

// Feedback that has its times is the lines of an answer, in whichever of the forms it was written; times that do not
// fit are a finding, and the feedback counts without them.
func TestFeedbackKeepsItsTimes(t *testing.T) {
	set := readSet(t, write(t, map[string]string{
		"fine_grained_labels.json": `[
			{"video_path": "a.mp4", "labels": ["squats - x"], "feedbacks": ["Keep\n low.", "", "Good."],
				"feedback_timestamps": [1.5, 2, 70.25]},
			{"video_path": "b.mp4", "exercise": "squats", "feedbacks": [{"timestamp": 3, "feedback": "Up."},
				{"text": "Down.", "time": 4.5}]},
			{"long_range_video_file": "c.mp4", "exercise": "squats", "feedbacks": ["One.", "Two."],
				"feedback_timestamps": [1]},
			{"video_path": "d.mp4", "exercise": "squats", "feedbacks": ["One."], "feedback_timestamps": [-1]},
			{"video_path": "e.mp4", "exercise": "squats", "feedbacks": ["One."], "feedback_timestamps": [1700000000.5]},
			{"video_path": "f.mp4", "labels": ["squats - y"]}]`,
		"feedbacks_all.json": `[{"video_path": "f.mp4", "feedback": "Last.", "timestamps": [2]}]`,
		"a.mp4":              "", "b.mp4": "", "c.mp4": "", "d.mp4": "", "e.mp4": "", "f.mp4": "",
	}))
	var answers []string
	for i := range set.Items {
		answers = append(answers, set.Items[i].Objects[0].Text.Answer)
	}
	want := []string{"1.5 s: Keep low.\n70.25 s: Good.", "3 s: Up.\n4.5 s: Down.", "One.\nTwo.", "One.", "One.",
		"squats - y"}
	if !slices.Equal(answers, want) || countOf(set, BadTimes) != 3 {
		t.Errorf("got %q, want %q; %v", answers, want, set.Findings)
	}
}

func TestTimedLinesAreReadAsTheyAreWritten(t *testing.T) {
	for _, at := range []float64{0, 0.1, 2.5, 71, 1234.567} {
		if got, text, ok := ReadTimedLine(TimedLine(at, "a - b: c")); !ok || got != at || text != "a - b: c" {
			t.Errorf("%g comes back as %g, %q, %v", at, got, text, ok)
		}
	}
	for _, line := range []string{"", "3 reps", "3 s:", "3 s: ", "s: x", "-1 s: x", "1e3 s: x", "squats - 3 s: slow",
		strings.Repeat("9", 400) + " s: x"} {
		if _, _, ok := ReadTimedLine(line); ok {
			t.Errorf("%q is read as a feedback", line)
		}
	}
}
