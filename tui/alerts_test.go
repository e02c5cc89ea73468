package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/run"
	trainpane "finetui/views/train"
	"finetui/views/viewtest"
)

// TestAlertsAreTheSameWordsEverywhere: a run that overfits, looked at by runs, by follow and in the Train pane.
func TestAlertsAreTheSameWordsEverywhere(t *testing.T) {
	inSmallProject(t)
	file, err := config.Load(configFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := file.Abs(file.Config.Project.Runs)
	w, err := run.Create(dir, "long", run.Meta{Recipe: "basic", Base: "tiny", Version: "0.3"}, file.Raw())
	if err != nil {
		t.Fatal(err)
	}
	began := float64(time.Now().Unix())
	for step := 1; step <= 200; step++ {
		head := run.Head{Step: step, Time: began + float64(step)}
		loss := run.Float(2 / float64(step))
		if err := w.Append(&run.Train{Head: head, Loss: loss, LossPlain: loss, Tokens: step}); err != nil {
			t.Fatal(err)
		}
		if step%50 == 0 {
			if err := w.Append(&run.Eval{Head: head, Split: run.ValidSplit, Loss: run.Float(0.5 + float64(step)/500),
				Recall: map[string]run.Recall{"a": {N: 30, Right: 28}, "b": {N: 30, Right: 29}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Update(func(i *run.Info) {
		i.Created, i.Began, i.State, i.Steps = began, began, run.Done, 200
	}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	list, err := run.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := list[len(list)-1].ReadAlerts()
	if err != nil || len(alerts) != 1 || !strings.HasPrefix(alerts[0].Text, "overfitting: ") {
		t.Fatalf("%v %+v", err, alerts)
	}
	label := filepath.Base(list[len(list)-1].Dir)
	for _, words := range [][]string{{"runs", label}, {"follow", label}} {
		if _, out, errs := verbAnswer(t, words...); !strings.Contains(out+errs, alerts[0].Text) {
			t.Errorf("%q does not say %q:\n%s%s", words, alerts[0].Text, out, errs)
		}
	}
	pane := trainpane.New(trainpane.Control{Runs: func() string { return dir }})
	d := viewtest.Open(t, pane, 200, 60)
	said := func() bool {
		text := strings.Join(strings.Fields(strings.ReplaceAll(d.Screen(), "│", " ")), " ")
		return strings.Contains(text, "overfitting: the loss")
	}
	for limit := time.Now().Add(20 * time.Second); !said(); d.Send(nil) {
		if time.Now().After(limit) {
			t.Fatalf("the pane does not say it:\n%s", d.Screen())
		}
		time.Sleep(10 * time.Millisecond)
	}
}
