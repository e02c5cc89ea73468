package recipe

import (
	"math"
	"testing"

	"finetui/core/config"
)

func TestGoldenEnhancedOriginal(t *testing.T) {
	var want struct {
		Before          int       `json:"train_before"`
		After           float64   `json:"train_after"`
		Rows            [][]any   `json:"rows"` // class, train, w, copies, samples, loss_mass
		ShareSamples    []float64 `json:"share_of_samples"`
		ShareMass       []float64 `json:"share_of_loss_mass"`
		ImbalanceBefore float64   `json:"mass_imbalance_before"`
		ImbalanceAfter  float64   `json:"mass_imbalance_after"`
		BlockedBefore   float64   `json:"blocked_share_before"`
		BlockedAfter    float64   `json:"blocked_share_after"`
	}
	golden(t, "enhanced_original.json", &want)
	r := build(t, drains(drainCounts), constants(t, "enhanced-original"))
	table := Mass(r, nil)
	if table.SamplesBefore != want.Before || table.SamplesAfter != want.After {
		t.Errorf("samples %d → %v, want %d → %v", table.SamplesBefore, table.SamplesAfter, want.Before, want.After)
	}
	for c, row := range table.Classes {
		w := want.Rows[c]
		for i, v := range []float64{float64(row.N), float64(row.Weight), row.Copies, row.Samples, row.Mass} {
			if !near(v, w[i+1].(float64)) {
				t.Errorf("%s column %d: %v, want %v", row.Class, i, v, w[i+1])
			}
		}
		if row.Class != w[0] || !near(row.ShareSamples, want.ShareSamples[c]) ||
			!near(row.ShareMass, want.ShareMass[c]) {
			t.Errorf("%s: shares %v %v, want %v %v", row.Class, row.ShareSamples, row.ShareMass, want.ShareSamples[c],
				want.ShareMass[c])
		}
	}
	if !near(table.ImbalanceBefore, want.ImbalanceBefore) || !near(table.ImbalanceAfter, want.ImbalanceAfter) {
		t.Errorf("imbalance %v → %v, want %v → %v", table.ImbalanceBefore, table.ImbalanceAfter, want.ImbalanceBefore,
			want.ImbalanceAfter)
	}
	blocked := table.Conditions[1]
	if blocked.Condition != "blocked" || !near(blocked.ShareBefore, want.BlockedBefore) ||
		!near(blocked.ShareMass, want.BlockedAfter) {
		t.Errorf("%+v, want %v → %v", blocked, want.BlockedBefore, want.BlockedAfter)
	}
	if n := len(r.Plan().Epoch(0)); n != 3881 {
		t.Errorf("an epoch has %d samples, want 3881", n)
	}
}

func TestWeightsHaveMeanOneOverAnEpoch(t *testing.T) {
	d := drains(drainCounts)
	for _, sampling := range []config.Sampling{"instance", "int_weight", "repeat_factor", "class_balanced",
		"square_root",
		"progressive"} {
		for _, weights := range []config.Weighting{"none", "max_ratio", "balanced", "effective_number",
			"inverse_sqrt"} {
			cfg := constants(t, "basic")
			cfg.Recipe.Sampling, cfg.Recipe.ClassWeights, cfg.Recipe.ConditionWeights = sampling, weights, weights
			table := Mass(build(t, d, cfg), nil)
			var mass, n, share float64
			for _, row := range table.Classes {
				mass += row.Samples * float64(row.Scaled)
				n += row.Samples
				share += row.ShareMass
			}
			if math.Abs(mass/n-1) > 1e-12 || math.Abs(share-1) > 1e-12 || math.Abs(n-table.SamplesAfter) > 1e-6 {
				t.Errorf("%s %s: mean weight %v, shares sum to %v, %v samples of %v", sampling, weights, mass/n, share,
					n, table.SamplesAfter)
			}
		}
	}
}

func TestMassOfBalancedWeightsIsEven(t *testing.T) {
	cfg := constants(t, "basic")
	cfg.Recipe.ClassWeights = "balanced"
	table := Mass(build(t, drains(drainCounts), cfg), nil)
	if math.Abs(table.ImbalanceAfter-1) > 1e-12 {
		t.Errorf("imbalance %v", table.ImbalanceAfter)
	}
	if _, yes := table.Inverted(1 + 1e-9); yes {
		t.Error("even masses are called inverted")
	}
}

func TestOnlyTrainSamplesAreWeighted(t *testing.T) {
	cfg := constants(t, "basic")
	cfg.Recipe.ClassWeights = "max_ratio"
	r := build(t, drains(drainCounts), cfg)
	var sum float64
	train := r.Samples("train")
	for _, s := range train {
		sum += s.Weight
	}
	if math.Abs(sum/float64(len(train))-1) > 1e-12 {
		t.Errorf("mean weight %v", sum/float64(len(train)))
	}
	for _, s := range r.Samples("test") {
		if s.Weight != 1 {
			t.Fatalf("%s has weight %v", s.ID, s.Weight)
		}
	}
}

func BenchmarkMassOnAKeyPress(b *testing.B) {
	d, cfg := drains(drainCounts), constants(b, "enhanced")
	for b.Loop() {
		r, err := Build(d, cfg)
		if err != nil {
			b.Fatal(err)
		}
		Mass(r, nil)
	}
}
