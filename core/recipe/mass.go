package recipe

import (
	"slices"

	"finetui/core/config"
)

// Row is what a recipe does to one class or one condition. Numbers are those of one epoch of training.
type Row struct {
	Class     string `json:"class,omitempty"` // empty in a condition's row
	Condition string `json:"condition"`
	N         int    `json:"n"` // samples in train
	// in the loss, class × condition, before it is scaled; of a condition: the mean over its samples
	Weight       Weight  `json:"weight"`
	Scaled       Weight  `json:"scaled"`        // the same, mean 1 over the epoch: what the loss is multiplied with
	Copies       float64 `json:"copies"`        // times an epoch shows each sample, on the mean
	Samples      float64 `json:"samples"`       // N · Copies
	Tokens       float64 `json:"tokens"`        // that the loss counts in a sample, on the mean; 1 where not counted
	Mass         float64 `json:"mass"`          // Samples · Weight · Tokens
	ShareBefore  float64 `json:"share_before"`  // of the samples, and of the mass, were nothing done
	ShareSamples float64 `json:"share_samples"` // of the samples drawn
	ShareMass    float64 `json:"share_mass"`    // of the loss
}

// Table is the loss mass of a recipe, before and after.
type Table struct {
	ClassWeights     config.Weighting `json:"class_weights"`
	ConditionWeights config.Weighting `json:"condition_weights"`
	Sampling         config.Sampling  `json:"sampling"`
	Classes          []Row            `json:"classes"`    // in the order of the closed list
	Conditions       []Row            `json:"conditions"` // in the order of their first class
	SamplesBefore    int              `json:"samples_before"`
	SamplesAfter     float64          `json:"samples_after"` // an epoch, on the mean
	// largest over smallest mass of a class that has a sample; 0 where there is none
	ImbalanceBefore float64 `json:"imbalance_before"`
	ImbalanceAfter  float64 `json:"imbalance_after"`
	// InTokens says that the mass counts the tokens of the answers, as the loss does, and not samples alone.
	InTokens bool `json:"in_tokens"`
	// SampleWeight is the mean of Scaled · Tokens over an epoch: what a step's loss is divided by, times its samples,
	// so that the shares are those of the gradient at any batch. 0 where all samples weigh alike.
	SampleWeight float64 `json:"sample_weight"`
}

// Mass works out the table. It counts and multiplies only: cheap enough for every key press. tokens is how many tokens
// the loss counts in an answer; with nil every sample counts alike, which is nearly so where answers are of one length.
func Mass(r *Recipe, tokens func(answer string) int) Table {
	t := Table{
		ClassWeights:     r.cfg.Recipe.ClassWeights,
		ConditionWeights: r.cfg.Recipe.ConditionWeights,
		Sampling:         r.cfg.Recipe.Sampling,
		Classes:          make([]Row, len(r.Classes)),
		Conditions:       make([]Row, len(r.conditions)),
		InTokens:         tokens != nil,
	}
	samples := r.Plan().Expected()
	long := r.answerTokens(tokens)
	var mass, scaled float64
	for c := range r.Classes {
		row := Row{
			Class:     r.Classes[c].Name,
			Condition: r.Classes[c].Condition,
			N:         r.trainCounts[c],
			Weight:    r.rawWeights[c],
			Scaled:    r.lossWeights[c],
			Samples:   samples[c],
			Tokens:    long[c],
		}
		if row.N > 0 {
			row.Copies = row.Samples / float64(row.N)
			row.Mass = row.Samples * float64(row.Weight) * row.Tokens
			scaled += row.Samples * float64(row.Scaled) * row.Tokens
		}
		t.Classes[c] = row
		t.SamplesBefore += row.N
		t.SamplesAfter += row.Samples
		mass += row.Mass
	}
	if t.SamplesAfter > 0 && r.weighs() {
		t.SampleWeight = scaled / t.SamplesAfter
	}
	for c := range t.Classes {
		t.Classes[c].share(t.SamplesBefore, t.SamplesAfter, mass)
	}
	t.sumConditions(r, mass)
	t.ImbalanceBefore = spread(t.Classes, func(row Row) float64 { return float64(row.N) * row.Tokens })
	t.ImbalanceAfter = spread(t.Classes, func(row Row) float64 { return row.Mass })
	return t
}

// weighs says that the samples of some class count more than those of another.
func (r *Recipe) weighs() bool {
	return slices.ContainsFunc(r.lossWeights, func(w Weight) bool { return w.Defined() && w != 1 })
}

// answerTokens is how many tokens the loss counts in a sample of each class, on the mean; 1 where they are not counted.
func (r *Recipe) answerTokens(tokens func(answer string) int) []float64 {
	mean := make([]float64, len(r.Classes))
	for c := range mean {
		mean[c] = 1
		if tokens != nil {
			mean[c] = float64(tokens(r.Classes[c].Name))
		}
	}
	if tokens == nil {
		return mean
	}
	sum, n := make([]float64, len(mean)), make([]float64, len(mean))
	known := map[string]float64{}
	for i := range r.data.Items {
		if r.data.Items[i].Split != trainSplit {
			continue
		}
		for _, o := range r.data.Items[i].Objects {
			of := mean[o.Class]
			if o.Text != nil {
				count, ok := known[o.Text.Answer]
				if !ok {
					count = float64(tokens(o.Text.Answer))
					known[o.Text.Answer] = count
				}
				of = count
			}
			sum[o.Class], n[o.Class] = sum[o.Class]+of, n[o.Class]+1
		}
	}
	for c := range mean {
		if n[c] > 0 {
			mean[c] = sum[c] / n[c]
		}
	}
	return mean
}

func (t *Table) sumConditions(r *Recipe, mass float64) {
	scaled, raw, tokens := make([]float64, len(t.Conditions)), make([]float64, len(t.Conditions)),
		make([]float64, len(t.Conditions))
	for c, row := range t.Classes {
		k := r.conditionOf(c)
		sum := &t.Conditions[k]
		sum.Condition = row.Condition
		sum.N += row.N
		sum.Samples += row.Samples
		sum.Mass += row.Mass
		if row.Scaled.Defined() {
			scaled[k] += row.Samples * float64(row.Scaled)
			raw[k] += row.Samples * float64(row.Weight)
			tokens[k] += row.Samples * row.Tokens
		}
	}
	for k := range t.Conditions {
		row := &t.Conditions[k]
		row.Weight, row.Scaled = Undefined, Undefined
		if row.Samples > 0 {
			row.Copies = row.Samples / float64(row.N)
			row.Weight = Weight(raw[k] / row.Samples)
			row.Tokens = tokens[k] / row.Samples
			row.Scaled = Weight(scaled[k] / row.Samples)
		}
		row.share(t.SamplesBefore, t.SamplesAfter, mass)
	}
}

func (row *Row) share(before int, samples, mass float64) {
	if before > 0 {
		row.ShareBefore = float64(row.N) / float64(before)
	}
	if samples > 0 {
		row.ShareSamples = row.Samples / samples
	}
	if mass > 0 {
		row.ShareMass = row.Mass / mass
	}
}

// Prior is each class's share of the training draw, in the order of the closed list. A class that is never drawn counts
// as half a sample of an epoch, so that its logarithm is finite.
func (t Table) Prior() []float64 {
	prior, sum := make([]float64, len(t.Classes)), 0.0
	for c, row := range t.Classes {
		prior[c] = row.Samples
		if row.Samples == 0 {
			prior[c] = .5
		}
		sum += prior[c]
	}
	for c := range prior {
		prior[c] /= sum
	}
	return prior
}

// Inversion is the pair of classes whose order the recipe turns round furthest.
type Inversion struct {
	Rarer, Commoner Row
	Ratio           float64 // mass of the rarer over mass of the commoner
}

// Inverted looks for a rarer class that outweighs a commoner one at least atLeast times, and returns the worst pair.
func (t Table) Inverted(atLeast float64) (Inversion, bool) {
	var worst Inversion
	for _, a := range t.Classes {
		for _, b := range t.Classes {
			if a.N == 0 || a.N >= b.N || b.Mass == 0 {
				continue
			}
			if ratio := a.Mass / b.Mass; ratio >= atLeast && ratio > worst.Ratio {
				worst = Inversion{Rarer: a, Commoner: b, Ratio: ratio}
			}
		}
	}
	return worst, worst.Ratio > 0
}

func spread(rows []Row, of func(Row) float64) float64 {
	var most, least float64
	for _, row := range rows {
		v := of(row)
		if row.N == 0 || v == 0 {
			continue
		}
		if most == 0 || v > most {
			most = v
		}
		if least == 0 || v < least {
			least = v
		}
	}
	if least == 0 {
		return 0
	}
	return most / least
}
