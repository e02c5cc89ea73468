package qwen2

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"finetui/ml/generate"
	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/weights"
)

// small is a model with grouped queries and M-RoPE.
func small(t *testing.T) *Model {
	t.Helper()
	m, err := New(Config{Hidden: 40, Layers: 3, Heads: 5, KVHeads: 1, HeadDim: 8, Inner: 56, Vocab: 97, Eps: 1e-6,
		Theta: 1e4, Sections: []int{1, 1, 2}}, goldentest.Drawn{}, weights.Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// prompts are a batch of ragged prompts, the second with a picture of 2×3 tokens, whose features come with it.
func prompts() (b nn.Batch, features []float32) {
	draw := rand.New(rand.NewPCG(2, 0))
	lengths := []int{1, 17, 70}
	b.Starts = []int{0}
	for q, n := range lengths {
		for i := range n {
			b.IDs, b.Features = append(b.IDs, int32(draw.IntN(97))), append(b.Features, -1)
			pos := [3]int32{int32(i), int32(i), int32(i)}
			if k := i - 4; q == 1 && k >= 0 && k < 6 {
				b.Features[len(b.Features)-1] = int32(k)
				pos = [3]int32{4, 4 + int32(k/3), 4 + int32(k%3)}
			} else if q == 1 && k >= 6 {
				pos = [3]int32{int32(i - 3), int32(i - 3), int32(i - 3)}
			}
			for r := range pos {
				b.Pos[r] = append(b.Pos[r], pos[r])
			}
		}
		b.Starts = append(b.Starts, len(b.IDs))
	}
	for range 6 * 40 {
		features = append(features, float32(draw.NormFloat64()))
	}
	return b, features
}

// alone is one sequence of a batch, continued by more tokens.
func alone(b nn.Batch, features []float32, q int, more []int32) (nn.Batch, []float32) {
	lo, hi := b.Starts[q], b.Starts[q+1]
	out := nn.Batch{Starts: []int{0, hi - lo + len(more)}, IDs: slices.Concat(b.IDs[lo:hi], more),
		Features: slices.Clone(b.Features[lo:hi])}
	top := int32(-1)
	for r := range b.Pos {
		out.Pos[r] = slices.Clone(b.Pos[r][lo:hi])
		top = max(top, slices.Max(out.Pos[r]))
	}
	for i := range more {
		out.Features = append(out.Features, -1)
		for r := range out.Pos {
			out.Pos[r] = append(out.Pos[r], top+1+int32(i))
		}
	}
	if slices.Max(out.Features) < 0 {
		features = nil
	}
	return out, features
}

// A session that keeps keys and values, of a ragged batch one of whose sequences ends early,
// gives the logits that a run over each whole sequence gives.
func TestDecodingWithACacheEqualsRunningAnew(t *testing.T) {
	m := small(t)
	batch, features := prompts()
	s, r := m.NewSession(nn.NewExec(2)), m.NewReplica(nn.NewExec(1))
	logits, err := s.Prompt(batch, features)
	if err != nil {
		t.Fatal(err)
	}
	live, said := []int{0, 1, 2}, make([][]int32, 3)
	draw := rand.New(rand.NewPCG(3, 0))
	for step := range 12 {
		ids := make([]int32, len(live))
		for i, q := range live {
			whole, f := alone(batch, features, q, said[q])
			r.Load(whole)
			want, _ := r.Head.Logits(r.Hidden(f), []int{whole.T() - 1})
			for k, v := range want {
				if got := logits[i*97+k]; math.Abs(float64(got-v)) > 2e-5 {
					t.Fatalf("step %d, sequence %d: logit %d is %v with the cache, %v without", step, q, k, got, v)
				}
			}
			ids[i] = int32(draw.IntN(97))
			said[q] = append(said[q], ids[i])
		}
		if step == 4 {
			s.Keep([]int{2, 1})
			live, ids = []int{2, 1}, []int32{ids[2], ids[1]}
		}
		if logits, err = s.Next(ids); err != nil {
			t.Fatal(err)
		}
	}
}

// Prompts that are answered together get the answers that each gets alone, whatever ends the others and whatever the
// penalty counts.
func TestAnswersDoNotDependOnTheBatch(t *testing.T) {
	m := small(t)
	batch, features := prompts()
	ids := func(b nn.Batch) (each [][]int32) {
		for q := range b.Sequences() {
			each = append(each, b.IDs[b.Starts[q]:b.Starts[q+1]])
		}
		return each
	}
	run := func(b nn.Batch, features []float32, o generate.Options) [][]int32 {
		t.Helper()
		s := m.NewSession(nn.NewExec(2))
		logits, err := s.Prompt(b, features)
		if err != nil {
			t.Fatal(err)
		}
		o.Prompts = ids(b)
		answers, err := generate.Run(context.Background(), s, logits, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		return answers
	}
	free := run(batch, features, generate.Options{MaxNew: 20, RepetitionPenalty: 1.3})
	o := generate.Options{MaxNew: 20, RepetitionPenalty: 1.3, Stop: []int32{free[0][7], free[2][3]}}
	together := run(batch, features, o)
	if len(together[2]) > 3 || slices.Equal(free[1], together[1]) && len(together[0]) > 7 {
		t.Errorf("answers %v do not end at %v", together, o.Stop)
	}
	for q, want := range together {
		b, f := alone(batch, features, q, nil)
		if got := run(b, f, o); !slices.Equal(got[0], want) {
			t.Errorf("prompt %d: %v alone, %v among others", q, got[0], want)
		}
	}
}

// What a session refuses leaves it where it was.
func TestSessionRefusesTokensThatDoNotFit(t *testing.T) {
	m := small(t)
	batch, features := prompts()
	s := m.NewSession(nn.NewExec(1))
	if _, err := s.Next([]int32{1}); err == nil || !strings.Contains(err.Error(), "1 tokens for 0 sequences") {
		t.Errorf("before a prompt: %v", err)
	}
	if _, err := s.Prompt(batch, features); err != nil {
		t.Fatal(err)
	}
	for want, ids := range map[string][]int32{
		"4 tokens for 3 sequences": {1, 2, 3, 4},
		"2 tokens for 3 sequences": {1, 2},
		"token 97 at position 1":   {1, 97, 3},
	} {
		if _, err := s.Next(ids); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v does not say %q", ids, err, want)
		}
	}
	got, err := s.Next([]int32{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	fresh := m.NewSession(nn.NewExec(1))
	if _, err := fresh.Prompt(batch, features); err != nil {
		t.Fatal(err)
	}
	if want, _ := fresh.Next([]int32{1, 2, 3}); !slices.Equal(got, want) {
		t.Error("a refused call moved the positions of the next")
	}
}
