package recipe

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"finetui/core/config"
)

func near(got, want float64) bool {
	return math.Abs(got-want) <= 1e-9*math.Max(1e-300, math.Abs(want)) || got == want
}

func sameWeights(t *testing.T, what string, got, want []Weight) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d weights, want %d", what, len(got), len(want))
	}
	for c := range want {
		if got[c].Defined() != want[c].Defined() || want[c].Defined() && !near(float64(got[c]), float64(want[c])) {
			t.Errorf("%s class %d: %.17g, want %.17g", what, c, float64(got[c]), float64(want[c]))
		}
	}
}

func TestGoldenClassWeights(t *testing.T) {
	var file struct {
		Rows []map[string]json.RawMessage `json:"rows"`
	}
	golden(t, "class_weights.json", &file)
	for _, row := range file.Rows {
		var name string
		var counts []int
		read := func(key string, into any) bool {
			raw, ok := row[key]
			if ok {
				if err := json.Unmarshal(raw, into); err != nil {
					t.Fatalf("%s: %v", key, err)
				}
			}
			return ok
		}
		read("name", &name)
		read("counts", &counts)
		check := func(key string, got []Weight) {
			var want []Weight
			if read(key, &want) {
				sameWeights(t, name+" "+key, got, want)
			}
		}
		check("max_ratio", MaxRatio(counts))
		check("max_ratio_round2", Round2(MaxRatio(counts)))
		check("balanced_sklearn", Balanced(counts))
		check("balanced_mean1_over_items", MeanOne(Balanced(counts), floats(counts)))
		check("inverse_sqrt_mean1_over_items", InverseSqrt(counts))
		for _, beta := range []float64{0.9, 0.99, 0.999, 0.9999, 0.999999} {
			w := EffectiveNumber(counts, beta)
			check(fmt.Sprintf("effective_number_%v_sum_C", beta), w)
			check(fmt.Sprintf("effective_number_%v_mean1_over_items", beta), MeanOne(w, floats(counts)))
		}
		for _, q := range []float64{0, 0.25, 0.5, 1} {
			var want []Weight // null where a class has no item
			if read(fmt.Sprintf("sampling_probability_per_class_q%v", q), &want) {
				for c, p := range ClassShares(counts, q) {
					if want[c].Defined() && !near(p, float64(want[c])) || !want[c].Defined() && p != 0 {
						t.Errorf("%s q %v class %d: %v, want %v", name, q, c, p, want[c])
					}
				}
			}
		}
	}
}

func TestGoldenRepeatFactors(t *testing.T) {
	var file struct {
		Sets []struct {
			T             float64   `json:"t"`
			Classes       int       `json:"classes"`
			Images        [][]int   `json:"images"`
			ClassRepeat   []Weight  `json:"class_repeat"`
			ImageRepeat   []float64 `json:"image_repeat"`
			ExpectedEpoch float64   `json:"expected_epoch_length"`
		} `json:"sets"`
	}
	golden(t, "repeat_factors.json", &file)
	for _, set := range file.Sets {
		perClass, perImage := RepeatFactors(set.Images, set.Classes, set.T)
		sameWeights(t, fmt.Sprintf("t %v", set.T), perClass, set.ClassRepeat)
		var epoch float64
		for i := range perImage {
			if !near(perImage[i], set.ImageRepeat[i]) {
				t.Errorf("t %v image %d: %v, want %v", set.T, i, perImage[i], set.ImageRepeat[i])
			}
			epoch += perImage[i]
		}
		if !near(epoch, set.ExpectedEpoch) {
			t.Errorf("t %v: an epoch has %v images, want %v", set.T, epoch, set.ExpectedEpoch)
		}
	}
}

func TestClassWithoutItemHasNoWeight(t *testing.T) {
	for _, formula := range []config.Weighting{"none", "max_ratio", "balanced", "effective_number", "inverse_sqrt"} {
		w, err := Weights(formula, []int{5, 0, 45}, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		if !w[0].Defined() || w[1].Defined() || !w[2].Defined() {
			t.Errorf("%s: %v", formula, w)
		}
	}
	if _, err := Weights("largest", []int{1}, 0); err == nil {
		t.Error("an unknown formula went through")
	}
	if _, err := Weights("effective_number", []int{1}, 1); err == nil {
		t.Error("β 1 went through")
	}
	text, err := json.Marshal([]Weight{1.5, Undefined})
	if err != nil || string(text) != "[1.5,null]" {
		t.Errorf("JSON %s, %v", text, err)
	}
}
