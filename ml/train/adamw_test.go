package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

// pair is parameters and gradients without a graph.
type pair struct {
	name string
	w, g []float32
}

func (p pair) Name() string { return p.name }
func (p pair) Value() gorgonia.Value {
	return tensor.New(tensor.WithShape(len(p.w)), tensor.WithBacking(p.w))
}
func (p pair) Grad() (gorgonia.Value, error) {
	return tensor.New(tensor.WithShape(len(p.g)), tensor.WithBacking(p.g)), nil
}

func parameters(name string, w []float32, tensors ...string) Parameters {
	var l nn.Layout
	for _, t := range tensors {
		l.Add(t, len(w)/len(tensors))
	}
	return Parameters{name, w, l}
}

func TestAdamWFollowsItsFormulaWithGroupsAndClipping(t *testing.T) {
	a := pair{"a", []float32{1, -2, .5, 3}, make([]float32, 4)}
	b := pair{"b", []float32{.25}, make([]float32, 1)}
	groups := []Group{{0.1, 0.02}, {0.3, 0}}
	solver, err := NewAdamW([]Parameters{parameters("a", a.w, "x", "y"), parameters("b", b.w, "z")}, groups,
		func(_, tensor string) int {
			if tensor == "y" {
				return 1
			}
			return 0
		})
	if err != nil {
		t.Fatal(err)
	}
	solver.MaxGradNorm = 2
	groupOf := []int{0, 0, 1, 1, 0}
	want := []float64{1, -2, .5, 3, .25}
	m, v := make([]float64, 5), make([]float64, 5)
	for step := 1; step <= 6; step++ {
		factor := float64(step) / 6
		g := make([]float64, 5)
		norm := 0.0
		for i := range g {
			g[i] = float64(float32(math.Sin(float64(7*step+i)) * float64(step) / 2)) // small ones are not clipped
			norm += g[i] * g[i]
		}
		norm = math.Sqrt(norm)
		for i := range g {
			if i < 4 {
				a.g[i] = float32(g[i])
			} else {
				b.g[0] = float32(g[i])
			}
			group := groups[groupOf[i]]
			rate := group.LearningRate * factor
			clipped := g[i] * min(1, 2/(norm+1e-6))
			m[i] = .9*m[i] + .1*clipped
			v[i] = .999*v[i] + .001*clipped*clipped
			hatM, hatV := m[i]/(1-math.Pow(.9, float64(step))), v[i]/(1-math.Pow(.999, float64(step)))
			want[i] -= rate * group.WeightDecay * want[i]
			want[i] -= rate * hatM / (math.Sqrt(hatV) + 1e-8)
		}
		solver.SetFactor(factor)
		if err := solver.Step([]gorgonia.ValueGrad{b, a}); err != nil { // matched by name, not by order
			t.Fatal(err)
		}
		if math.Abs(solver.GradNorm()-norm) > 1e-9 {
			t.Errorf("step %d: norm %v, want %v", step, solver.GradNorm(), norm)
		}
		for i, got := range append(append([]float32{}, a.w...), b.w...) {
			if math.Abs(float64(got)-want[i]) > 2e-6 {
				t.Errorf("step %d: value %d is %v, want %v", step, i, got, want[i])
			}
		}
		for _, g := range append(a.g, b.g...) {
			if g != 0 {
				t.Fatal("gradients are not cleared")
			}
		}
	}
}

func TestAdamWRefusesWhatItWasNotMadeFor(t *testing.T) {
	w := make([]float32, 4)
	groups := []Group{{1, 0}}
	for what, c := range map[string]struct {
		p       []Parameters
		groupOf func(string, string) int
		says    string
	}{
		"equal names":  {[]Parameters{parameters("a", w, "x"), parameters("a", w, "x")}, nil, `"a"`},
		"group":        {[]Parameters{parameters("a", w, "x")}, func(string, string) int { return 1 }, "group 1 of 1"},
		"short layout": {[]Parameters{{"a", w, nn.Layout{}}}, nil, "0 of 4"},
		"gap": {[]Parameters{{"a", w,
			nn.Layout{Size: 4, Spans: []nn.Span{{Name: "x", Off: 1, Shape: []int{3}}}}}}, nil, "gap"},
	} {
		if _, err := NewAdamW(c.p, groups, c.groupOf); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	solver, err := NewAdamW([]Parameters{parameters("a", w, "x")}, groups, nil)
	if err != nil {
		t.Fatal(err)
	}
	nan := pair{"a", w, []float32{0, 0, float32(math.NaN()), 0}}
	if err := solver.Step([]gorgonia.ValueGrad{nan}); !errors.Is(err, ErrNotFinite) || solver.Steps() != 0 ||
		w[0] != 0 {
		t.Errorf("gradient that is not a number: %v", err)
	}
	if err := solver.Step([]gorgonia.ValueGrad{pair{"b", w, w}}); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("unknown node: %v", err)
	}
	if err := solver.Step(nil); err == nil {
		t.Error("no nodes: no error")
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b)+1e-20 }

func TestGoldenSchedulesEqualTransformers(t *testing.T) {
	var all struct {
		Ratios []struct {
			Steps int     `json:"total_steps"`
			Ratio float64 `json:"warmup_ratio"`
			Want  int     `json:"warmup_steps_ceil"`
		} `json:"warmup_ratio"`
		Rows []struct {
			Kind   string    `json:"kind"`
			Warmup int       `json:"warmup_steps"`
			Steps  int       `json:"total_steps"`
			Peak   float64   `json:"peak_lr"`
			Want   []float64 `json:"lr_of_step"`
		} `json:"rows"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "metrics", "schedules.json"), &all)
	for _, r := range all.Ratios {
		if got := WarmupSteps(r.Ratio, r.Steps); got != r.Want {
			t.Errorf("warm-up of %v of %d steps: %d, want %d", r.Ratio, r.Steps, got, r.Want)
		}
	}
	compared := 0
	for _, r := range all.Rows {
		s := Schedule{Kind: strings.TrimSuffix(r.Kind, "_with_warmup"), Warmup: r.Warmup, Steps: r.Steps}
		if s.Check() != nil {
			continue // a kind that we do not offer
		}
		compared++
		for k, want := range r.Want {
			if got := r.Peak * s.Factor(k); !near(got, want) {
				t.Errorf("%+v at step %d: %v, want %v", s, k, got, want)
			}
		}
	}
	if compared == 0 {
		t.Errorf("no schedule of ours among %d rows", len(all.Rows))
	}
}

func TestGoldenLoRASchedules(t *testing.T) {
	var all struct {
		Peak   float64 `json:"base_lr"`
		Steps  int     `json:"total_steps"`
		Warmup int     `json:"warmup_steps"`
		Tables map[string][]struct {
			K  int     `json:"k"`
			LR float64 `json:"lr"`
		} `json:"tables"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2", "lora", "schedules.json"), &all)
	for kind, rows := range all.Tables {
		s := Schedule{Kind: kind, Warmup: all.Warmup, Steps: all.Steps}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		for _, r := range rows {
			if got := all.Peak * s.Factor(r.K); !near(got, r.LR) {
				t.Errorf("%s at %d: %v, want %v", kind, r.K, got, r.LR)
			}
		}
	}
}

func TestScheduleCheckNamesTheChoices(t *testing.T) {
	if err := (Schedule{Kind: "polynomial"}).Check(); err == nil || !strings.Contains(err.Error(), "cosine") {
		t.Errorf("unknown kind: %v", err)
	}
	if err := (Schedule{Kind: "linear", Warmup: -1}).Check(); err == nil {
		t.Error("negative warm-up: no error")
	}
}

// BenchmarkAdamW steps through 4 million parameters, clipping included.
func BenchmarkAdamW(b *testing.B) {
	p := pair{"a", make([]float32, 4<<20), make([]float32, 4<<20)}
	solver, err := NewAdamW([]Parameters{parameters("a", p.w, "x")}, []Group{{1e-3, .01}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	solver.MaxGradNorm, solver.Team = 1, blas.NewTeam(0)
	for b.Loop() {
		for i := range p.g {
			p.g[i] = 1
		}
		if err := solver.Step([]gorgonia.ValueGrad{p}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMoreStepsBendTheScheduleWhereItStands(t *testing.T) {
	for _, kind := range []string{"linear", "cosine", "constant"} {
		for _, at := range []int{0, 2, 10, 39} { // the second in the warm-up
			old := Schedule{Kind: kind, Warmup: 4, Steps: 40}
			for _, total := range []int{40 + at, 120, 41} {
				bent := old.Bend(at, total)
				if err := bent.Check(); err != nil || bent.Total() != total {
					t.Fatalf("%+v: %v", bent, err)
				}
				for k := range at {
					if got, want := bent.Factor(k), old.Factor(k); math.Abs(got-want) > 1e-12 {
						t.Errorf("%s bent at %d to %d: factor %g at step %d, which was %g", kind, at, total,
							got, k, want)
					}
				}
				if got, want := bent.Factor(at), old.Factor(at); math.Abs(got-want) > 1e-12 {
					t.Errorf("%s bent at %d to %d goes on with %g where it stood at %g", kind, at, total, got, want)
				}
				if end := bent.Factor(total); kind != "constant" && end > 1e-12 {
					t.Errorf("%s bent at %d to %d ends at %g", kind, at, total, end)
				}
				for k := max(4, at) + 1; k <= total; k++ {
					if bent.Factor(k) > bent.Factor(k-1)+1e-12 {
						t.Errorf("%s bent at %d to %d rises at step %d", kind, at, total, k)
					}
				}
			}
		}
	}
	twice := Schedule{Kind: "linear", Steps: 10}.Bend(5, 20).Bend(10, 40)
	if got := []float64{twice.Factor(5), twice.Factor(10), twice.Factor(25),
		twice.Factor(40)}; math.Abs(got[0]-0.5) > 1e-12 || math.Abs(got[1]-1.0/3) > 1e-12 ||
		math.Abs(got[2]-1.0/6) > 1e-12 || got[3] != 0 {
		t.Errorf("bent twice: %v", got)
	}
	if err := (Schedule{Kind: "linear", Bends: []Bend{{5, 5}}}).Check(); err == nil {
		t.Error("a bend with no steps left was taken")
	}
}
