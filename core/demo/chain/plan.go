package chain

// This file is the planned test, as it was written down before it was run.

// alpha is the level of the planned test.
const alpha = 0.01

// seeds are those of the demo's runs. It was developed with 1, 2 and 3. The three recipes of the planned test have
// moreSeeds, too, in the long tail: there macro-F1 had a standard deviation of 1.2 points between seeds while it was
// developed, so that three runs of each could not have told a gain of 2.4 points at alpha; six tell it in about two of
// three experiments.
var (
	seeds     = []int{4, 5, 6}
	moreSeeds = []int{7, 8, 9}
)

const planned = "Written down before it was run, and run once. In the long tail, on macro-F1 of the balanced test " +
	"set of 1,800 objects: basic → sampling only (RECIPE.SAMPLING = square_root in place of instance), and basic → " +
	"enhanced (that, and the object's type, its usual place and its position told). Six runs of each, seeds 4 to 9; " +
	"what was chosen was chosen with the seeds 1 to 3. The test is that of `compare` over groups of runs, in two " +
	"levels, objects and seeds, of these three recipes; p is two-sided and adjusted for the two comparisons (Holm); α " +
	"is 0.01. The test set is drawn from the seed 20261129, which no choice has looked at; another one, of the seed " +
	"4242, served to develop. What it claims, it claims of this train set: which few objects of a rare class it holds " +
	"is chance that is not counted. A first long tail, drawn in pictures of its own, was dropped while developing: in " +
	"it two runs of sampling only were no better than two of basic."
