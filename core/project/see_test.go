package project

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
)

// drawn is a project on a small drawn set, all of it in the split test.
func drawn(t *testing.T) *Project {
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
	if err := f.Override([]string{"DATASET.PATH=data", "EVAL.DATA="}); err != nil {
		t.Fatal(err)
	}
	p, err := Open(context.Background(), f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenBase(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// see returns the features of a sample's pictures, made by the eye or kept.
func see(p *Project, eye model.Eye, frozen bool, s recipe.Sample) ([]float32, []model.Shape, error) {
	e := p.Encoder()
	q, err := e.Question(s)
	if err != nil {
		return nil, nil, err
	}
	seen, shapes, err := p.Base.See(context.Background(), eye, frozen, e.View(), q.Scene)
	features, _ := seen.(qwen2vl.Features)
	return features, shapes, err
}

func TestTowerLooksAtEachPictureOnce(t *testing.T) {
	p := drawn(t)
	s, err := model.Load(p.Base, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	eye := s.Network.NewEye(nn.NewExec(1))
	sample := p.Recipe.Samples("test")[3]
	first, grids, err := see(p, eye, true, sample)
	if err != nil {
		t.Fatal(err)
	}
	again, kept, err := see(p, nil, true, sample) // without an eye
	if err != nil || !slices.Equal(first, again) || !slices.Equal(grids, kept) {
		t.Fatalf("what was seen is not what was kept: error %v", err)
	}

	// another crop, another picture under the same name: both are looked at anew
	c := *p.Config
	c.Recipe.CropMargin = .3
	wider := *p
	wider.Config = &c
	other, _, err := see(&wider, eye, true, sample)
	if err != nil || slices.Equal(first, other) {
		t.Errorf("another margin gave the same features: error %v", err)
	}
	donor := p.Recipe.Samples("test")[11].Item.Media
	data, err := os.ReadFile(donor)
	if err != nil {
		t.Fatal(err)
	}
	if donor == sample.Item.Media {
		t.Fatal("the two samples share a picture")
	}
	if err := os.WriteFile(sample.Item.Media, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if other, _, err := see(p, eye, true, sample); err != nil || slices.Equal(first, other) {
		t.Errorf("another picture gave the same features: error %v", err)
	}
	if live, _, err := see(p, eye, false, sample); err != nil || len(live) != len(first) {
		t.Errorf("an eye in training: error %v", err)
	}
}
