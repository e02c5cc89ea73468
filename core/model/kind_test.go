package model

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"finetui/ml/nn"
)

func TestPicturesAreRefusedPast200To1(t *testing.T) {
	for _, test := range []struct {
		w, h    int
		tooLong bool
	}{{200, 1, false}, {201, 1, true}, {1, 227, true}, {2300, 10, true}, {2000, 10, false}} {
		var refusal *Refusal
		_, err := Usual().Measure(View{3136, 12544}, []Size{{W: test.w, H: test.h}})
		if errors.As(err, &refusal) != test.tooLong || test.tooLong && !strings.Contains(refusal.Why, "200 to 1") {
			t.Errorf("%d×%d: %v", test.w, test.h, err)
		}
	}
}

func TestTemplatesAreJSONSafe(t *testing.T) {
	for _, kind := range []string{"qwen2", "qwen2_vl"} {
		text, err := chatTemplates.ReadFile("templates/" + kind + ".jinja")
		if err != nil {
			t.Fatal(err)
		}
		if data, err := json.Marshal(string(text)); err != nil || strings.HasSuffix(string(text), "\n") {
			t.Errorf("%s: %s, %v", kind, data, err)
		}
	}
}

// The counts are those of qwen-vl-utils' smart_nframes: 2 a second, 4 to 768, an even number.
func TestQwen2VLPicksFramesAsItsTrainersDo(t *testing.T) {
	for _, c := range []struct {
		n, most int
		fps     float64
		want    int
		last    int
	}{
		{300, 768, 30, 20, 299}, {299, 768, 29.97, 18, 298}, {10, 768, 30, 4, 9}, {3, 768, 30, 2, 2},
		{1, 768, 30, 1, 0},
		{90000, 768, 30, 768, 89999}, {300, 16, 30, 16, 299}, {0, 16, 30, 0, 0}, {100, 16, 0, 16, 99},
	} {
		got := Usual().Pick(c.n, c.fps, c.most)
		if len(got) != c.want || !slices.IsSorted(got) || len(got) > 1 && (got[0] != 0 || got[len(got)-1] != c.last) {
			t.Errorf("%d frames at %v, at most %d: %v, want %d of them up to %d", c.n, c.fps, c.most, got,
				c.want, c.last)
		}
	}
}

func TestClipsAreShownAndKept(t *testing.T) {
	b := openTiny(t)
	clip := Shown{Clip: true}
	for i := range 5 {
		clip.Frames = append(clip.Frames, noise(uint64(i), 140, 112))
	}
	measured, err := b.Measure(small.View, []Size{{W: 140, H: 112, Frames: 5}})
	if err != nil {
		t.Fatal(err)
	}
	prepared, shapes, err := b.Prepare(small.View, []Shown{clip})
	if err != nil || !slices.Equal(shapes, measured) || shapes[0].T != 3 || prepared.Rows() != shapes[0].Rows {
		t.Fatalf("prepared as %v, measured as %v, error %v", shapes, measured, err)
	}
	s, err := b.Sample(shapes, "What happens?", "Nothing.", 1)
	if err != nil || len(s.Places) != shapes[0].Tokens ||
		!strings.Contains(b.Tokenizer.Decode(s.IDs, false), "<|video_pad|>") {
		t.Fatalf("%d places for %d tokens, error %v", len(s.Places), shapes[0].Tokens, err)
	}
	subject, err := Load(b, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	eye := subject.Network.NewEye(nn.NewExec(1))
	seen, err := eye.See(context.Background(), prepared)
	if err != nil {
		t.Fatal(err)
	}
	back, kept, ok := b.Kind.Kept(b.Kind.Keep(seen, shapes))
	if !ok || !slices.Equal(kept, shapes) || back.Values() != seen.Values() {
		t.Errorf("kept as %v, %v", kept, ok)
	}
	if reply := ask(t, subject, []Question{{Shows(clip), "What happens?"}}, small)[0]; reply.Tokens == 0 {
		t.Errorf("it says nothing: %+v", reply)
	}
}
