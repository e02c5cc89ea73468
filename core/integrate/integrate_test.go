package integrate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/project"
)

func drawn(t *testing.T, overrides ...string) (*project.Project, *model.Subject) {
	t.Helper()
	root := t.TempDir()
	if err := demo.MakeExtra(context.Background(), filepath.Join(root, "data"), 12, demo.Options{Canvas: 168},
		nil); err != nil {
		t.Fatal(err)
	}
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	f.Move(filepath.Join(root, "config.toml"), root)
	if err := f.Override(append([]string{"DATASET.PATH=data", "EVAL.DATA=", "EVAL.MAX_NEW_TOKENS=6"},
		overrides...)); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(context.Background(), f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenBase(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	s, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func TestGroundTruthStandsInForDetections(t *testing.T) {
	p, s := drawn(t)
	r, findings, err := Run(context.Background(), p, s, "base", nil)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	n := 0
	for _, i := range r.Images {
		if len(i.Detections) != len(i.Classifications) {
			t.Errorf("%s: %d detections, %d classifications", i.Image, len(i.Detections), len(i.Classifications))
		}
		for k, c := range i.Classifications {
			n++
			if c.Stage1Confidence != 1 || c.Stage1Class != i.Detections[k].Class ||
				(c.Stage2Class == "") == (c.Error == "") {
				t.Errorf("%s: %+v", i.Image, c)
			}
		}
	}
	if n != 12 || r.Detections != groundTruth {
		t.Errorf("%d classifications from %s", n, r.Detections)
	}
}

func TestPredictionsAreRead(t *testing.T) {
	p, s := drawn(t, "EVAL.DETECTIONS=found")
	folder := p.File.Abs("found")
	if _, _, err := Run(context.Background(), p, s, "base", nil); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("without the folder: %v", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Run(context.Background(), p, s, "base", nil); err == nil || !strings.Contains(err.Error(), ".txt") {
		t.Errorf("with a folder of none: %v", err)
	}
	first := p.Data.Items[0]
	name := strings.TrimSuffix(filepath.Base(first.Media), filepath.Ext(first.Media)) + ".txt"
	rows := "2 0.5 0.5 0.25 0.5 0.75\n1 0.2 0.2 0.1 0.1\ngarbage\n"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	truth := len(first.Objects)
	r, findings, err := Run(context.Background(), p, s, "base", nil)
	if err != nil {
		t.Fatal(err)
	}
	image := r.Images[0]
	want := Detection{"Toe drain- Damaged", .75, [4]float64{.375, .25, .625, .75}}
	if len(image.Detections) != 2 || fmt.Sprint(image.Detections[0]) != fmt.Sprint(want) ||
		image.Detections[1].Confidence != 1 {
		t.Errorf("detections %+v", image.Detections)
	}
	if len(findings) != 1 || findings[0].Line != 3 || findings[0].Level == level.Info {
		t.Errorf("findings %+v", findings)
	}
	if len(r.Images) != len(p.Data.Items) || len(r.Images[1].Detections) != 0 {
		t.Error("a picture without predictions is to be there, without detections")
	}
	if len(p.Data.Items[0].Objects) != truth {
		t.Error("the project's own labels were changed")
	}
	path := filepath.Join(t.TempDir(), "integration_results.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
}
