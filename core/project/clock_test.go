package project

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/recipe"
)

// atSpeed lets this machine do so many operations a second, whatever it is.
func atSpeed(t *testing.T, rate float64) {
	t.Helper()
	was := speed
	speed = func() float64 { return rate }
	t.Cleanup(func() { speed = was })
}

// trained is a drawn project with its pictures in train, but for every other of those with objects, in valid.
func trained(t *testing.T) *Project {
	t.Helper()
	p := drawn(t)
	n := 0
	for i := range p.Data.Items {
		item := &p.Data.Items[i]
		item.Split = "train"
		if len(item.Objects) > 0 {
			if n++; n%2 == 0 {
				item.Split = "valid"
			}
		}
	}
	return p
}

// costs is what a run with these constants takes.
func costs(t *testing.T, p *Project, constants ...string) Cost {
	t.Helper()
	file, err := p.File.Override(constants)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Build(p.Data, file.Config)
	if err != nil {
		t.Fatal(err)
	}
	q := p.Over(file.Config, r)
	q.Base = p.Base
	return q.Cost()
}

func TestTimeFollowsWhatARunDoes(t *testing.T) {
	atSpeed(t, 1e9)
	p := trained(t)
	plain := []string{"RECIPE.SAMPLING=instance", "TRAIN.EPOCHS=2", "TRAIN.BATCH_SIZE=8", "TRAIN.THREADS=1",
		"TRAIN.EVAL_EVERY=0", "RECIPE.CONTEXT=crop"}
	with := func(more ...string) Cost { return costs(t, p, slices.Concat(plain, more)...) }
	one := with()
	if one.Time != one.Looks+one.Steps+one.Checks || min(one.Looks, one.Steps, one.Checks) <= 0 {
		t.Fatalf("%+v", one)
	}
	tower := with(`LORA.TARGETS=["q_proj", "attn.qkv"]`)
	for _, c := range []struct {
		name      string
		got, want float64
		within    float64
	}{
		{"twice the epochs", with("TRAIN.EPOCHS=4").Steps.Seconds(), 2 * one.Steps.Seconds(), .001},
		{"two cores, of a small model a sequence each", with("TRAIN.THREADS=2").Steps.Seconds(),
			one.Steps.Seconds() / 2, .1},
		{"two cores, and one sequence a step", with("TRAIN.THREADS=2", "TRAIN.BATCH_SIZE=1").Steps.Seconds(),
			with("TRAIN.BATCH_SIZE=1").Steps.Seconds(), .05},
		{"activations made again", with("TRAIN.CHECKPOINTING=true").Steps.Seconds(), 1.3 * one.Steps.Seconds(), .08},
		{"pictures are opened once", with("TRAIN.EPOCHS=4").Looks.Seconds(), one.Looks.Seconds(), 0},
		{"a check after each step", with("TRAIN.EVAL_EVERY=1").Checks.Seconds(),
			one.Checks.Seconds() * math.Round(with("TRAIN.EVAL_EVERY=1").Checks.Seconds()/one.Checks.Seconds()), .001},
		{"answers of one token", with("EVAL.MAX_NEW_TOKENS=1").Checks.Seconds(), .9 * one.Checks.Seconds(), .09},
	} {
		if math.Abs(c.got-c.want) > c.within*c.want {
			t.Errorf("%s: %.3f s, want %.3f", c.name, c.got, c.want)
		}
	}
	if tower.Looks >= one.Looks || tower.Steps < 3*one.Steps/2 {
		t.Errorf("a tower that is adapted sees in each step: %v and %v, frozen %v and %v", tower.Looks,
			tower.Steps, one.Looks,
			one.Steps)
	}
	atSpeed(t, 2e9)
	if half := with(); math.Abs(half.Time.Seconds()-one.Time.Seconds()/2) > .001 {
		t.Errorf("twice the speed takes %v, not half of %v", half.Time, one.Time)
	}
}

// A base's number of hours is by one rule, be its weights here, its configuration alone, or nothing but its name.
func TestOneRuleTellsTheTimeOfABaseThatIsHereOrNot(t *testing.T) {
	atSpeed(t, 1e9)
	p := trained(t)
	here := costs(t, p, "RECIPE.CONTEXT=crop")
	text, err := os.ReadFile(filepath.Join(p.Base.Dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	inCache(t, cache, "some/base", map[string]string{"config.json": string(text)})
	p.Base = nil
	if c := costs(t, p, "RECIPE.CONTEXT=crop", "MODEL.BASE=some/base"); c.Hint ||
		// its few words are cut into more tokens than letters tell
		math.Abs(c.Time.Seconds()-here.Time.Seconds()) > .35*here.Time.Seconds() {
		t.Errorf("away it takes %v, here %v", c.Time, here.Time)
	}
	byName := costs(t, p, "MODEL.BASE=Qwen/Qwen2-VL-7B-Instruct")
	layout, err := os.ReadFile(filepath.Join("..", "..", "ml", "bench", "fake", "layouts", "qwen2-vl-7b",
		"config.json"))
	if err != nil {
		t.Fatal(err)
	}
	inCache(t, cache, "Qwen/Qwen2-VL-7B-Instruct", map[string]string{"config.json": string(layout)})
	byShape := costs(t, p, "MODEL.BASE=Qwen/Qwen2-VL-7B-Instruct")
	if !byName.Hint || byShape.Hint || byName.Time != byShape.Time || byName.Memory != byShape.Memory ||
		byName.Download != byShape.Download {
		t.Errorf("by its name %+v, by its shape %+v", byName, byShape)
	}
}

// inCache puts files of a model into the hub's cache, as a fetch leaves them that was broken off before the weights.
func inCache(t *testing.T, cache, name string, files map[string]string) {
	t.Helper()
	owner, model := filepath.Split(name)
	dir := filepath.Join(cache, "models--"+filepath.Clean(owner)+"--"+model, "snapshots", "abc")
	for file, text := range files {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheDownloadIsWhatTheHubListsWhereThatIsAtHand(t *testing.T) {
	p := away(t, "some/base-3B")
	const index = "model.safetensors.index.json"
	for _, c := range []struct {
		files map[string]string
		want  int64
		words string
	}{
		{nil, -1, "by the size in its name"},
		{map[string]string{index: `{"metadata": {"total_size": 7000000000}}`}, 7e9, "by the hub's own list"},
		{map[string]string{index: `{"metadata": {"total_size": "much"}}`}, -1, "by the size in its name"},
		{map[string]string{index: `{`}, -1, "by the size in its name"},
	} {
		inCache(t, os.Getenv("HF_HUB_CACHE"), "some/base-3B", c.files)
		got := p.Cost()
		if c.want > 0 && got.Download != c.want || got.Download < 5e9 {
			t.Errorf("%v: %d bytes", c.files, got.Download)
		}
		if text := got.Away("some/base-3B").Text; !strings.Contains(text, c.words) {
			t.Errorf("%v: %s", c.files, text)
		}
	}
}

func TestTheLongestOfVeryManySamplesIsTheLongest(t *testing.T) {
	p := trained(t)
	first := p.Data.Items[slices.IndexFunc(p.Data.Items, func(it dataset.Item) bool { return len(it.Objects) > 0 })]
	first.Split = "train"
	for range 10000 {
		p.Data.Items = append(p.Data.Items, first)
	}
	at := len(p.Data.Items) - 7 // no sample of a few that are spread over all
	p.Data.Items[at].Width, p.Data.Items[at].Height = 1400, 1400
	file, err := p.File.Override([]string{"RECIPE.CONTEXT=full", "RECIPE.SAMPLING=instance",
		"MODEL.MAX_PIXELS=4000000"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Build(p.Data, file.Config)
	if err != nil {
		t.Fatal(err)
	}
	q := p.Over(file.Config, r)
	q.Base = p.Base
	longest := 0
	for _, w := range q.weigh(context.Background(), "train", nil, newRuler(q).weight) {
		longest = max(longest, w.tokens)
	}
	if want := 50 * 50; longest < want { // 1400 pixels are 50 tokens
		t.Errorf("the longest of %d samples has %d tokens, want at least %d", q.objects("train"), longest, want)
	}
}

// The constants of clips show what they come to, by what the run itself works with: the original's 2402 places of 16
// frames, whose number the constant does not change, and Qwen2-VL's, which follow the frames and their size.
func TestClipConstantsHaveTheirConsequences(t *testing.T) {
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	atSpeed(t, 1e9)
	p := trained(t)
	for i := range p.Data.Items {
		item := &p.Data.Items[i]
		item.Width, item.Height, item.Clip = 640, 480, &dataset.Clip{Frames: 300, FPS: 30, Seconds: 10}
	}
	of := func(base *model.Base, constants ...string) (out Estimate) {
		file, err := p.File.Override(append([]string{"RECIPE.CONTEXT=full", "RECIPE.CROP_SQUARE=false",
			"RECIPE.SAMPLING=instance"}, constants...))
		if err != nil {
			t.Fatal(err)
		}
		r, err := recipe.Build(p.Data, file.Config)
		if err != nil {
			t.Fatal(err)
		}
		q := p.Over(file.Config, r)
		q.Base = base
		q.size(context.Background(), &out, q.Batches())
		return out
	}
	const original = "MODEL.BASE=Amshaker/Mobile-VideoGPT-0.5B"
	whole, few := of(nil, original, "MODEL.FRAMES=16"), of(nil, original, "MODEL.FRAMES=8")
	if whole.Frames[1] == 0 || whole.Frames[1] > 16 || whole.VisualTokens != [2]int{2402, 2402} ||
		few.VisualTokens != whole.VisualTokens || few.Frames != [2]int{8, 8} {
		t.Errorf("Mobile-VideoGPT: %v frames and %v tokens; of 8: %v and %v", whole.Frames, whole.VisualTokens,
			few.Frames,
			few.VisualTokens)
	}
	if whole.Cost.Memory < 2e9 || whole.Cost.Time <= 0 || !whole.Cost.Hint || whole.Trainable == 0 {
		t.Errorf("%+v", whole)
	}
	whole, few = of(p.Base, "MODEL.FRAMES=16", "MODEL.MAX_LENGTH=4096"), of(p.Base, "MODEL.FRAMES=4")
	large := of(p.Base, "MODEL.FRAMES=4", "MODEL.MAX_PIXELS=50176")
	if few.Frames != [2]int{4, 4} || whole.Frames[1] <= 4 || whole.VisualTokens[1] <= 2*few.VisualTokens[1] ||
		large.VisualTokens[1] <= 2*few.VisualTokens[1] {
		t.Errorf("Qwen2-VL: %v frames %v tokens, %v frames %v tokens, larger %v", whole.Frames, whole.VisualTokens,
			few.Frames,
			few.VisualTokens, large.VisualTokens)
	}
	if whole.Cost.Time <= few.Cost.Time || whole.Cost.Memory <= few.Cost.Memory || large.Cost.Time <= few.Cost.Time {
		t.Errorf("%+v, %+v, %+v", whole.Cost, few.Cost, large.Cost)
	}
}
