package videomamba

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
)

var small = Config{Hidden: 12, Layers: 3, Inner: 24, States: 4, Rank: 2, Taps: 3, Frames: 2, Side: 8, Patch: 4}

// shapes are those of a checkpoint's tensors.
type shapes map[string][]int

func (s shapes) Shape(name string) ([]int, bool) { v, ok := s[name]; return v, ok }

func checkpoint(c Config) shapes {
	s := shapes{"v.patch_embed.proj.weight": {c.Hidden, 3, 1, c.Patch, c.Patch}, "v.pos_embed": {1, 1 + c.Patches(),
		c.Hidden}, "v.temporal_pos_embedding": {1, c.Frames, c.Hidden}, "v.layers.0.mixer.A_log": {c.Inner, c.States},
		"v.layers.1.mixer.A_log": {c.Inner, c.States}, "v.layers.2.mixer.A_log": {c.Inner, c.States},
		"v.layers.0.mixer.dt_proj.weight": {c.Inner, c.Rank}, "v.layers.0.mixer.conv1d.weight": {c.Inner, 1, c.Taps}}
	return s
}

func TestSizesComeFromTheShapes(t *testing.T) {
	if c, err := ConfigOf(checkpoint(small), "v."); err != nil || c != small {
		t.Errorf("%+v, %v; want %+v", c, err, small)
	}
	for name, shape := range map[string][]int{"v.patch_embed.proj.weight": {12, 3, 4, 4}, "v.pos_embed": {1, 6, 12},
		"v.layers.0.mixer.A_log": nil, "v.temporal_pos_embedding": {1, 0, 12}} {
		s := checkpoint(small)
		s[name] = shape
		if _, err := ConfigOf(s, "v."); err == nil || !strings.Contains(err.Error(), name[2:]) {
			t.Errorf("%s of shape %v: error %v", name, shape, err)
		}
	}
}

func TestOnlyTheEncodersTensorsHaveNames(t *testing.T) {
	for stored, want := range map[string]string{
		"vision_encoder.norm.weight":                 "norm.weight",
		"module.vision_encoder.cls_token":            "cls_token",
		"model.layers.3.mixer.D_b":                   "layers.3.mixer.D_b",
		"layers.3.mixer.D_b":                         "layers.3.mixer.D_b",
		"vision_encoder.clip_decoder.0.norm.weight":  "",
		"vision_encoder.clip_pos_embed":              "",
		"text_encoder.embeddings.weight":             "",
		"head.weight":                                "",
		"model.video_tower.vision_encoder.pos_embed": "pos_embed",
	} {
		if name, ok := Classic(stored); name != want || ok != (want != "") {
			t.Errorf("%s is called %q, want %q", stored, name, want)
		}
	}
}

// TestClipsDoNotSeeOneAnother runs two clips together and alone, and on another number of cores.
func TestClipsDoNotSeeOneAnother(t *testing.T) {
	m, err := New(small, goldentest.Drawn{}, "")
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := goldentest.Drawn{}.Vector("rows", 2*small.Frames*small.Patches()*small.PatchWidth())
	encoder := m.NewEncoder(nn.NewExec(2))
	both, err := encoder.Features(rows)
	if err != nil {
		t.Fatal(err)
	}
	half := len(rows) / 2
	for i, part := range [][]float32{rows[:half], rows[half:]} {
		alone, err := m.NewEncoder(nn.NewExec(1)).Features(part)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(alone, both[i*len(alone):(i+1)*len(alone)]) {
			t.Errorf("clip %d looks another way alone", i)
		}
	}
	if _, err := encoder.Features(rows[1:]); err == nil {
		t.Error("rows that make no clip were taken")
	}
	stop := errors.New("stop")
	encoder.Check = func() error { return stop }
	if _, err := encoder.Features(rows); !errors.Is(err, stop) {
		t.Errorf("the encoder was not stopped: %v", err)
	}
}

// TestBothWaysAreRead changes the first and the last patch: each changes what becomes of the other.
func TestBothWaysAreRead(t *testing.T) {
	m, err := New(small, goldentest.Drawn{}, "")
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := goldentest.Drawn{}.Vector("rows", small.Frames*small.Patches()*small.PatchWidth())
	encoder := m.NewEncoder(nn.NewExec(1))
	before, _ := encoder.Features(rows)
	last := len(before) - small.Hidden
	rows[0]++
	after, _ := encoder.Features(rows)
	if slices.Equal(before[last:], after[last:]) {
		t.Error("the first patch does not reach the last one")
	}
	rows[0]--
	rows[len(rows)-1]++
	after, _ = encoder.Features(rows)
	if slices.Equal(before[:small.Hidden], after[:small.Hidden]) {
		t.Error("the last patch does not reach the first one")
	}
}

func TestFramesKeepNoProportions(t *testing.T) {
	frame, err := small.Frame(picture.NewRGB(31, 9))
	if err != nil || frame.W != small.Side || frame.H != small.Side {
		t.Errorf("%v, %v", frame, err)
	}
}

func TestMissingTensorsTakeNoMemory(t *testing.T) {
	if _, err := New(Published(), &goldentest.Budget{Left: 1000}, ""); !errors.Is(err, goldentest.ErrSpent) {
		t.Errorf("error %v", err)
	}
}
