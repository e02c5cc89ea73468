package convert

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"finetui/core/config"
)

// copyStream keeps the draw of copies apart from every other use of PROJECT.SEED.
const copyStream = 0x636f70696573

// rows are the samples from … to of one split in the order of its file. In train each comes as often as RECIPE.SAMPLING
// shows it, so that a trainer which goes through the file sees the classes in the recipe's proportions; where the
// recipe would show some less than once an epoch, all come as many times more often that none is lost. scale is that
// number, 0 where every sample comes once.
func (w *writer) rows(split string, from, to int) (rows []int, scale float64) {
	rows = make([]int, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, i)
	}
	folds := w.folds()
	if split != "train" || w.p.Config.Recipe.Sampling == config.SampleInstance && !folds || len(rows) == 0 {
		return rows, 0
	}
	plan := w.p.Recipe.Plan().Copies()
	place := w.places(split)
	copies, byClass := map[int]float64{}, make([][]int, len(w.p.Recipe.Classes))
	least := math.Inf(1)
	for _, i := range rows {
		if w.leaves(i) {
			continue
		}
		copies[i] = plan[place[w.chosen[i].item]+int(w.chosen[i].object)]
		if folds {
			copies[i] *= w.weight(i)
		}
		least = min(least, copies[i])
		class := w.class(i)
		byClass[class] = append(byClass[class], i)
	}
	if len(copies) == 0 {
		return rows, 0
	}
	scale = 1 / min(1, least)
	if w.handing != nil {
		w.handing.folded, w.handing.copies = folds, scale
	}
	rng := rand.New(rand.NewPCG(uint64(w.p.Config.Project.Seed)^copyStream, 0))
	rows = rows[:0]
	for _, class := range byClass {
		rows = append(rows, spread(class, func(i int) float64 { return copies[i] * scale }, rng)...)
	}
	rng.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
	return rows, scale
}

// places are those of the first samples of a split's items among all of the split.
func (w *writer) places(split string) map[int32]int {
	place, n := map[int32]int{}, 0
	for i := range w.p.Data.Items {
		if item := &w.p.Data.Items[i]; item.Split == split {
			place[int32(i)] = n
			n += len(item.Objects)
		}
	}
	return place
}

// sayCopies says what became of RECIPE.SAMPLING: so many rows of so many samples.
func (w *writer) sayCopies(rows, samples int, scale float64) {
	name := w.p.Config.Recipe.Sampling
	if name == config.SampleInstance {
		return // weights alone, which are told elsewhere
	}
	w.said.all(sampling, fmt.Sprintf("RECIPE.SAMPLING = %q is in the file of train as copies: %d rows of %d "+
		"samples, in the proportions of the recipe's epoch%s",
		name, rows, samples, times(scale)))
	if !w.p.Recipe.Plan().Steady() {
		w.said.all(noSampling, fmt.Sprintf("RECIPE.SAMPLING = %q changes from epoch to epoch, which no file can: "+
			"the copies are those of the mean over TRAIN.EPOCHS", name))
	}
}

func times(scale float64) string {
	if scale < 1.005 {
		return ""
	}
	return fmt.Sprintf(", each %.2f times as often so that none is lost", scale)
}

// spread repeats samples as often as they should come: whole times, and those that are drawn once
// more, so that all together come as often as the sum says.
func spread(samples []int, copies func(i int) float64, rng *rand.Rand) (out []int) {
	var sum float64
	order := rng.Perm(len(samples))
	rest := make([]float64, len(samples))
	for k, i := range samples {
		whole, part := math.Modf(copies(i) + 1e-9)
		rest[k], sum = part, sum+copies(i)
		for range int(whole) {
			out = append(out, i)
		}
	}
	more := int(math.Round(sum)) - len(out)
	slices.SortStableFunc(order, func(a, b int) int { // larger rests first, equal ones by the draw
		switch {
		case rest[a] > rest[b]:
			return -1
		case rest[a] < rest[b]:
			return 1
		}
		return 0
	})
	for _, k := range order[:min(max(more, 0), len(order))] {
		out = append(out, samples[k])
	}
	return out
}

// leaves says that no row is written of a sample, since its picture cannot be shown.
func (w *writer) leaves(i int) bool {
	err := w.shown.lacks(i)
	return err != nil && (!w.p.Config.Convert.KeepMissing || isTooLong(err))
}
