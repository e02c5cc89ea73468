package clip

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/picture"
)

var small = Config{Hidden: 16, Layers: 3, Heads: 2, Inner: 24, Side: 16, Patch: 4, Eps: 1e-5, Layer: -2}

func TestConfigs(t *testing.T) {
	c, err := ParseConfig([]byte(`{"model_type": "clip", "vision_config": {"hidden_size": 32,
		"num_attention_heads": 4}}`))
	want := Published()
	want.Hidden, want.Heads = 32, 4
	if err != nil || c != want {
		t.Errorf("a whole CLIP's is %+v, %v", c, err)
	}
	for text, want := range map[string]string{
		`{"hidden_act": "gelu"}`:                        "hidden_act",
		`{"num_channels": 4}`:                           "num_channels",
		`{"hidden_size": -1}`:                           "hidden_size",
		`{"patch_size": 17}`:                            "patch_size",
		`{"hidden_size": 100}`:                          "num_attention_heads",
		`{"layer_norm_eps": 2}`:                         "layer_norm_eps",
		`{"model_type": "siglip_vision_model"}`:         "model_type",
		`[]`:                                            "config.json",
		`{"vision_config": {"num_hidden_layers": 9e9}}`: "vision_config",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestOnlyTheImageTowersTensorsHaveNames(t *testing.T) {
	for stored, want := range map[string]string{
		"vision_model.pre_layrnorm.weight":                        "pre_layrnorm.weight",
		"model.image_vision_tower.vision_model.pre_layrnorm.bias": "pre_layrnorm.bias",
		"encoder.layers.0.mlp.fc1.weight":                         "encoder.layers.0.mlp.fc1.weight",
		"text_model.encoder.layers.0.mlp.fc1.weight":              "",
		"visual_projection.weight":                                "",
		"logit_scale":                                             "",
		"embeddings.token_embedding.weight":                       "",
		"vision_model.embeddings.class_embedding":                 "embeddings.class_embedding",
	} {
		if name, ok := Classic(stored); name != want || ok != (want != "") {
			t.Errorf("%s is called %q, want %q", stored, name, want)
		}
	}
}

// TestPicturesDoNotSeeOneAnother runs two pictures together and alone, and on another number of cores.
func TestPicturesDoNotSeeOneAnother(t *testing.T) {
	m, err := New(small, goldentest.Drawn{}, "")
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := goldentest.Drawn{}.Vector("rows", 2*small.Patches()*small.PatchWidth())
	tower := m.NewTower(nn.NewExec(2))
	both, err := tower.Features(rows)
	if err != nil {
		t.Fatal(err)
	}
	half := len(rows) / 2
	for i, part := range [][]float32{rows[:half], rows[half:]} {
		alone, err := m.NewTower(nn.NewExec(1)).Features(part)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(alone, both[i*len(alone):(i+1)*len(alone)]) {
			t.Errorf("picture %d looks another way alone", i)
		}
	}
	if n := small.Patches() * small.Hidden * 2; len(both) != n || math.IsNaN(float64(both[0])) {
		t.Errorf("%d features, want %d", len(both), n)
	}
	if _, err := tower.Features(rows[1:]); err == nil {
		t.Error("rows that make no picture were taken")
	}
	stop := errors.New("stop")
	tower.Check = func() error { return stop }
	if _, err := tower.Features(rows); !errors.Is(err, stop) {
		t.Errorf("the tower was not stopped: %v", err)
	}
}

func TestFramesAreCroppedInTheMiddle(t *testing.T) {
	for _, size := range [][2]int{{40, 20}, {20, 41}, {16, 16}, {3, 500}} {
		frame, err := small.Frame(picture.NewRGB(size[0], size[1]))
		if err != nil || frame.W != small.Side || frame.H != small.Side {
			t.Errorf("%v: %v, %v", size, frame, err)
		}
	}
	for _, size := range [][2]int{{1, 70000}, {0, 5}} {
		img := &picture.RGB{W: size[0], H: size[1], Pix: make([]byte, 3*size[0]*size[1])}
		if _, err := small.Frame(img); err == nil {
			t.Errorf("%v was taken", size)
		}
	}
}

// TestMissingTensorsTakeNoMemory asks for sizes that no file has.
func TestMissingTensorsTakeNoMemory(t *testing.T) {
	c := Published()
	if _, err := New(c, &goldentest.Budget{Left: 1000}, ""); !errors.Is(err, goldentest.ErrSpent) {
		t.Errorf("error %v", err)
	}
}
