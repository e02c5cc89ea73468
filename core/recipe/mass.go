package recipe

import "finetui/core/config"

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
	Mass         float64 `json:"mass"`          // Samples · Weight
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
}

// Mass works out the table. It counts and multiplies only: cheap enough for every key press.
func Mass(r *Recipe) Table {
	t := Table{
		ClassWeights:     r.cfg.Recipe.ClassWeights,
		ConditionWeights: r.cfg.Recipe.ConditionWeights,
		Sampling:         r.cfg.Recipe.Sampling,
		Classes:          make([]Row, len(r.Classes)),
		Conditions:       make([]Row, len(r.conditions)),
	}
	samples := r.Plan().Expected()
	var mass float64
	for c := range r.Classes {
		row := Row{
			Class:     r.Classes[c].Name,
			Condition: r.Classes[c].Condition,
			N:         r.trainCounts[c],
			Weight:    r.rawWeights[c],
			Scaled:    r.lossWeights[c],
			Samples:   samples[c],
		}
		if row.N > 0 {
			row.Copies = row.Samples / float64(row.N)
			row.Mass = row.Samples * float64(row.Weight)
		}
		t.Classes[c] = row
		t.SamplesBefore += row.N
		t.SamplesAfter += row.Samples
		mass += row.Mass
	}
	for c := range t.Classes {
		t.Classes[c].share(t.SamplesBefore, t.SamplesAfter, mass)
	}
	t.sumConditions(r, mass)
	t.ImbalanceBefore = spread(t.Classes, func(row Row) float64 { return float64(row.N) })
	t.ImbalanceAfter = spread(t.Classes, func(row Row) float64 { return row.Mass })
	return t
}

func (t *Table) sumConditions(r *Recipe, mass float64) {
	scaled := make([]float64, len(t.Conditions))
	for c, row := range t.Classes {
		k := r.conditionOf(c)
		sum := &t.Conditions[k]
		sum.Condition = row.Condition
		sum.N += row.N
		sum.Samples += row.Samples
		sum.Mass += row.Mass
		if row.Scaled.Defined() {
			scaled[k] += row.Samples * float64(row.Scaled)
		}
	}
	for k := range t.Conditions {
		row := &t.Conditions[k]
		row.Weight, row.Scaled = Undefined, Undefined
		if row.Samples > 0 {
			row.Copies = row.Samples / float64(row.N)
			row.Weight = Weight(row.Mass / row.Samples)
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
