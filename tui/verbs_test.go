package main

import (
	"context"
	"strings"
	"testing"
)

func TestCallsAreDividedIntoWordsAndConstants(t *testing.T) {
	words, overrides := divide([]string{"train", "TRAIN.EPOCHS=3", "enhanced", "KEYS.next_view=n",
		"what=is.this", "a.B=c"})
	if got := strings.Join(words, " "); got != "train enhanced what=is.this a.B=c" {
		t.Errorf("words %s", got)
	}
	if got := strings.Join(overrides, " "); got != "TRAIN.EPOCHS=3 KEYS.next_view=n" {
		t.Errorf("overrides %s", got)
	}
}

func TestVerbsAnswer(t *testing.T) {
	for _, c := range []struct {
		words          string
		code           int
		stdout, stderr string
	}{
		{"help", exitDone, "finetui VERB words", ""},
		{"help version", exitDone, "says which build this is", ""},
		{"help nothing", exitCall, "", `there is no verb "nothing"`},
		{"version", exitDone, "finetui ", ""},
		{"hlep", exitCall, "", "did you mean help?"},
	} {
		var stdout, stderr strings.Builder
		code := dispatch(newCall(context.Background(), strings.Fields(c.words), nil, &stdout, &stderr))
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) ||
			!strings.Contains(stderr.String(), c.stderr) || (c.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("%s: code %d\nstdout %s\nstderr %s", c.words, code, &stdout, &stderr)
		}
	}
}

func TestWithoutATerminalTheWorkbenchSaysWhatToDo(t *testing.T) {
	output, err := self("program").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "needs a terminal") {
		t.Errorf("%v: %s", err, output)
	}
}
