package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

func TestArgumentsThatMeanNothingAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ words, says string }{
		{"train recipe.preset=nope", "did you mean RECIPE.PRESET=nope?"},
		{"train RECIPE.PRSET=basic", "PRESET"},
		{"train RECIPE.PRESET=nope", "enhanced-original"},
		{"lint epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"lint EPOCHS=3", "did you mean TRAIN.EPOCHS=3?"},
		{"lint train.epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"lint Train.Epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"lint TRIAN.EPOCHS=3", "TRAIN.EPOCHS"},
		{"lint --train.epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"lint --format=json", "did you mean VIEW.FORMAT=json?"},
		{"lint zzzzzzz=3", "zzzzzzz=3 is no constant"},
		{"analyze extra words", "analyze takes no words"},
		{"analyze -q", "analyze takes no words"},
		{"lint now", "lint takes no words"},
		{"convert llava", "convert takes no words"},
		{"doctor all", "doctor takes no words"},
		{"version 2", "version takes no words"},
		{"help eval base", "a word too many"},
		{"train one two", "a word too many"},
		{"train a/b", "leave out /"},
		{"train --name", "begin with a letter"},
		{"train a=b/c=d", "is no constant"},
		{"new", "too little"},
		{"new demo a b", "a word too many"},
		{"new demo train.epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"stop", "too little"},
		{"stop 1 later", "not now"},
		{"stop 1 now now", "a word too many"},
		{"stop 1 TRAIN.EPOCHS=3", "stop does not heed TRAIN.EPOCHS"},
		{"resume", "too little"},
		{"resume 1 2", "a word too many"},
		{"resume 1 epochs=3", "did you mean TRAIN.EPOCHS=3?"},
		{"follow", "too little"},
		{"follow 1 2", "a word too many"},
		{"runs 1 2", "a word too many"},
		{"runs TRAIN.EPOCHS=3", "runs does not heed TRAIN.EPOCHS"},
		{"eval", "too little"},
		{"eval base 1", "a word too many"},
		{"eval base eval.split=test", "did you mean EVAL.SPLIT=test?"},
		{"compare base", "too little"},
		{"compare base 1 eval.split=test", "did you mean EVAL.SPLIT=test?"},
		{"integrate base 1", "a word too many"},
		{"infer base", "too little"},
		{"infer base - what is this infer.temperature=0", "did you mean INFER.TEMPERATURE=0?"},
		{"export merged", "too little"},
		{"export merged 1 out old more", "a word too many"},
		{"demo base a b", "call it as"},
		{"demo qved base a b", "a word too many"},
		{"version TRAIN.EPOCHS=3", "version does not heed TRAIN.EPOCHS"},
		{"version VIEW.FORMAT=jsno", "VIEW.FORMAT"},
		{"recipe.preset=basic train", "did you mean RECIPE.PRESET=basic?"},
		{"trian", "did you mean train?"},
	} {
		code, stdout, stderr := verbAnswer(t, strings.Fields(c.words)...)
		if code != exitCall || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: code %d, want 2 and %q\nstdout %s\nstderr %s", c.words, code, c.says, stdout, stderr)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("they left %v, %v", entries, err)
	}
}

func TestHelpAndVersionAreFoundWhereTheyAreLookedFor(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ words, says string }{
		{"-h", "finetui VERB words"}, {"--help", "finetui VERB words"}, {"help", "finetui VERB words"},
		{"--version", "finetui "}, {"version", "finetui "},
		{"train -h", "finetui train [NAME]"}, {"analyze --help", "finetui analyze"},
		{"eval --help", "finetui eval RUN|base"},
		{"infer -h", "finetui infer"}, {"infer base -h", "finetui infer"}, {"help infer", "finetui infer"},
		{"--help infer", "finetui infer"},
	} {
		code, stdout, stderr := verbAnswer(t, strings.Fields(c.words)...)
		if code != exitDone || !strings.HasPrefix(stdout, strings.SplitN(c.says, " VERB", 2)[0]) ||
			!strings.Contains(stdout, c.says) || stderr != "" {
			t.Errorf("%s: code %d\nstdout %s\nstderr %s", c.words, code, stdout, stderr)
		}
	}
}

func TestEveryVerbSaysHowItIsCalled(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, v := range verbs() {
		if code, stdout, _ := verbAnswer(t, v.name, "--help"); code != exitDone ||
			!strings.Contains(stdout, v.usage()) || !strings.Contains(stdout, v.help) {
			t.Errorf("%s --help: code %d, %s", v.name, code, stdout)
		}
		code, stdout, stderr := verbAnswer(t, v.name, "--help", "VIEW.FORMAT=json")
		var object map[string]any
		if err := json.Unmarshal([]byte(stdout), &object); code != exitDone || err != nil || object["schema"] != 1.0 ||
			stderr != "" {
			t.Errorf("%s --help in JSON: code %d, %v: %s", v.name, code, err, stdout)
		}
	}
}

func TestErrorsAreOneObjectInJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	for words, want := range map[string]float64{"analyze": exitCall, "analyze x": exitCall, "runs 7": exitCall,
		"eval moon": exitCall, "nonsense": exitCall} {
		code, stdout, stderr := verbAnswer(t, append(strings.Fields(words), "VIEW.FORMAT=json")...)
		var object struct {
			Schema, Exit float64
			Error        string
		}
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &object); err != nil || object.Schema != 1 ||
			object.Exit != want || object.Error == "" || code != int(want) || stdout != "" {
			t.Errorf("%s: code %d, %v\n%s", words, code, err, stderr)
		}
	}
}

func TestAResultThatCannotBeWrittenIsAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here: ", err)
	}
	defer full.Close()
	inSmallProject(t)
	for _, words := range []string{"help", "version", "help eval", "analyze", "lint", "convert", "runs", "doctor",
		"infer base test/slope_0001#0",
		"eval base EVAL.SPLIT=valid EVAL.MAX_NEW_TOKENS=2", "integrate base EVAL.MAX_NEW_TOKENS=2",
		"new drains elsewhere", "version VIEW.FORMAT=json", "analyze VIEW.FORMAT=json"} {
		var stderr bytes.Buffer
		called, overrides := divide(strings.Fields(words))
		code := dispatch(newCall(t.Context(), called, overrides, full, &stderr))
		if code != exitFailed || !strings.Contains(stderr.String(),
			"could not be written to stdout: the disk is full") {
			t.Errorf("%s > /dev/full: code %d, %s", words, code, &stderr)
		}
	}
}

func TestAReaderThatLeavesEndsTheVerbAsUsual(t *testing.T) {
	cmd := self("program", "help")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = writer, &stderr
	err = cmd.Run()
	writer.Close()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("it ended with %v", err)
	}
	if status := exit.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGPIPE ||
		stderr.Len() > 0 {
		t.Errorf("it ended with %v: %s", err, &stderr)
	}
}

func TestSignalsGiveTheCodeOfAShell(t *testing.T) {
	endings := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129,
		syscall.SIGQUIT: 131} {
		if signal.Ignored(sig) { // as it is for what a shell starts in the background; such a signal ends nothing
			t.Logf("%v is ignored by who started this", sig)
			continue
		}
		ctx, stop := untilSignal(endings)
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		var stdout, stderr bytes.Buffer
		if got := newCall(ctx, nil, nil, &stdout, &stderr).failure(ctx.Err()); got != code ||
			stderr.String() != "finetui: interrupted\n" {
			t.Errorf("%v: exit code %d, want %d: %s", sig, got, code, &stderr)
		}
		stop()
	}
}
