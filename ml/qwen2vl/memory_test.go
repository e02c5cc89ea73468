package qwen2vl

import (
	"runtime"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// heldBy is how many bytes more are alive on the heap after do than before, with what it returns.
func heldBy(do func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools held
	runtime.ReadMemStats(&before)
	kept := do()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestWhoLooksAndAnswersHoldsTheRoomOfOneLayer: also with adapters, and as the sizes say.
func TestWhoLooksAndAnswersHoldsTheRoomOfOneLayer(t *testing.T) {
	const depth = 12
	c := Config{
		Text: qwen2.Config{Hidden: 64, Layers: depth, Heads: 4, KVHeads: 2, HeadDim: 16, Inner: 160, Vocab: 97,
			Eps: 1e-6, Theta: 1e4, Sections: []int{4, 2, 2}},
		Vision: Vision{Depth: depth, Embed: 64, Heads: 4, MLPRatio: 4, Hidden: 64, Patch: 2, Merge: 2, Temporal: 2,
			Channels: 3},
		ImageToken: pad, VideoToken: pad + 1,
	}
	const rank = 4
	adapted := func(module string) bool {
		return strings.HasSuffix(module, "q_proj") || strings.HasSuffix(module, "fc1")
	}
	tune := weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: rank, Scale: 1}, adapted(module)
	}}
	m, err := New(c, goldentest.Drawn{}, Tuning{Text: tune, Tower: tune})
	if err != nil {
		t.Fatal(err)
	}
	w := Work{Weight: 4, Rank: func(module string) int {
		if adapted(module) {
			return rank
		}
		return 0
	}}
	grid := Grid{T: 1, H: 48, W: 64}
	s := sample(t, c, 1, grid)
	seen := s.Visual.(Patches)
	var features []float32
	look := func() any {
		tower := m.NewTower(nn.NewExec(1))
		var err error
		if features, err = tower.Features(seen.Pixels, seen.Grids); err != nil {
			t.Fatal(err)
		}
		return tower
	}
	look() // lays the weights out
	held := heldBy(look)
	about(t, "the tower", held, c.EyeWorker(w, grid.Patches()))

	var b nn.Batch
	pack := train.Pack{Samples: []*train.Sample{&s}}
	pack.Fill(&b)
	answer := func() any {
		session := m.Text.NewSession(nn.NewExec(1))
		if _, err := session.Prompt(b, features); err != nil {
			t.Fatal(err)
		}
		return session
	}
	answer()
	held = heldBy(answer)
	about(t, "the session", held-c.Keys()*int64(len(s.IDs)), c.SessionWorker(w, len(s.IDs), 1, len(s.IDs)))
	runtime.KeepAlive([]any{&look, &answer, m, features})
}

// about is up to a fifth more, or 30 % less: rows of features and blocks of the attention are counted at their largest.
func about(t *testing.T, what string, held, said int64) {
	t.Helper()
	if held < said*7/10 || held > said*6/5 {
		t.Errorf("%s holds %d bytes, %d were foretold: %.2f", what, held, said, float64(held)/float64(said))
	}
}
