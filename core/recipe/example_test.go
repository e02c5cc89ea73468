package recipe_test

import (
	"fmt"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/recipe"
)

// A recipe on a set of 80 sound and 20 blocked drains: the weights of the classes, how often an epoch shows each
// sample, and what share of the loss comes of it.
func ExampleBuild() {
	set := &dataset.Dataset{Classes: []dataset.Class{
		{Name: "drain", Object: "drain", Condition: "normal"},
		{Name: "drain blocked", Object: "drain", Condition: "blocked"},
	}, Splits: []string{"train"}}
	for i := range 100 {
		set.Items = append(set.Items, dataset.Item{ID: fmt.Sprintf("train/%d", i), Split: "train",
			Objects: []dataset.Object{{Class: i % 5 / 4, Box: dataset.Box{X0: .4, Y0: .4, X1: .6, Y1: .6}}}})
	}
	cfg := config.Default()
	cfg.Recipe.ClassWeights, cfg.Recipe.ConditionWeights, cfg.Recipe.Sampling = "inverse_sqrt", "none", "instance"
	r, err := recipe.Build(set, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	table := recipe.Mass(r, nil)
	for _, row := range table.Classes {
		fmt.Printf("%s: %d samples, weight %s, %.0f %% of the samples, %.0f %% of the loss\n", row.Class, row.N,
			row.Scaled,
			100*row.ShareBefore, 100*row.ShareMass)
	}
	fmt.Printf("imbalance %.1f× before, %.1f× after\n", table.ImbalanceBefore, table.ImbalanceAfter)
	sample, _ := r.Sample(dataset.Ref{Item: 4})
	fmt.Println(sample.ID, "answers", sample.Answer)
	// Output:
	// drain: 80 samples, weight 0.83, 80 % of the samples, 67 % of the loss
	// drain blocked: 20 samples, weight 1.67, 20 % of the samples, 33 % of the loss
	// imbalance 4.0× before, 2.0× after
	// train/4#0 answers drain blocked
}
