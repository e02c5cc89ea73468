package recipe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"finetui/core/config"
)

// samplingStream keeps the draws of samples apart from every other use of PROJECT.SEED.
const samplingStream = 0x73616d706c696e67

// Plan says which training samples each epoch shows, and in what order.
// It holds no state: an epoch can be drawn again after a resume and is the same.
type Plan struct {
	sampling config.Sampling
	seed     uint64
	epochs   int
	class    []int32   // of each sample
	counts   []int     // samples of each class
	byClass  [][]int32 // where draws: sample indices of each class
	copies   []int     // int_weight: of each class
	images   [][]int   // repeat_factor: sample indices of each image that has any
	repeat   []float64 // repeat_factor: r(I) of each entry of images
}

// RepeatFactors returns r(c) = max(1, √(t / f(c))) of each class, where f(c) is the share of images that hold it
// (undefined where none does), and r(I) = max over the classes in I, 1 for an image without any
// (Gupta et al., CVPR 2019, arXiv 1908.03195). images lists the classes in each image.
func RepeatFactors(images [][]int, classes int, t float64) (perClass []Weight, perImage []float64) {
	held := make([]int, classes)
	last := make([]int, classes) // image (from 1) in which the class was last seen
	for i, in := range images {
		for _, c := range in {
			if last[c] != i+1 {
				last[c] = i + 1
				held[c]++
			}
		}
	}
	perClass = weigh(held, func(n int) float64 {
		return max(1, math.Sqrt(t/(float64(n)/float64(len(images)))))
	})
	perImage = make([]float64, len(images))
	for i, in := range images {
		perImage[i] = 1
		for _, c := range in {
			perImage[i] = max(perImage[i], float64(perClass[c]))
		}
	}
	return perClass, perImage
}

// IntCopies is the original's oversampling: int(w) copies of a sample when its weight is above 2, else one.
func IntCopies(w Weight) int {
	if w > 2 {
		return int(w)
	}
	return 1
}

// Plan returns the drawing of training samples; its indices are into Samples("train").
func (r *Recipe) Plan() *Plan {
	p := &Plan{
		sampling: r.cfg.Recipe.Sampling,
		seed:     uint64(r.cfg.Project.Seed),
		epochs:   r.cfg.Train.Epochs,
		counts:   r.trainCounts,
		byClass:  make([][]int32, len(r.Classes)),
		copies:   make([]int, len(r.Classes)),
	}
	for c, w := range r.rawWeights {
		p.copies[c] = IntCopies(w)
	}
	n := 0
	for c, k := range p.counts {
		n += k
		if p.draws() {
			p.byClass[c] = make([]int32, 0, k)
		}
	}
	p.class = make([]int32, 0, n)
	var classesIn [][]int
	for i := range r.data.Items {
		it := &r.data.Items[i]
		if it.Split != trainSplit {
			continue
		}
		first := len(p.class)
		for o := range it.Objects {
			c := it.Objects[o].Class
			if p.draws() {
				p.byClass[c] = append(p.byClass[c], int32(len(p.class)))
			}
			p.class = append(p.class, int32(c))
		}
		if p.sampling == config.SampleRepeatFactor {
			rows, classes := make([]int, len(it.Objects)), make([]int, len(it.Objects))
			for o := range rows {
				rows[o], classes[o] = first+o, it.Objects[o].Class
			}
			classesIn, p.images = append(classesIn, classes), append(p.images, rows)
		}
	}
	if p.sampling == config.SampleRepeatFactor {
		_, p.repeat = RepeatFactors(classesIn, len(r.Classes), r.cfg.Recipe.RepeatThreshold)
	}
	return p
}

// Epoch returns the sample indices of an epoch, counted from 0, in the order they are trained on.
// The same plan and epoch give the same indices.
func (p *Plan) Epoch(epoch int) []int {
	rng := rand.New(rand.NewPCG(p.seed^samplingStream, uint64(epoch)))
	var out []int
	switch p.sampling {
	case config.SampleSquareRoot, config.SampleClassBalanced, config.SampleProgressive:
		return p.draw(rng, p.exponent(epoch))
	case config.SampleIntWeight:
		for i, c := range p.class {
			for range p.copies[c] {
				out = append(out, i)
			}
		}
	case config.SampleRepeatFactor:
		for i, rows := range p.images {
			whole, rest := math.Modf(p.repeat[i])
			n := int(whole)
			if rng.Float64() < rest {
				n++
			}
			for range n {
				out = append(out, rows...)
			}
		}
	default: // instance
		return rng.Perm(len(p.class))
	}
	rng.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
	return out
}

// draws says that an epoch's samples are drawn class by class.
func (p *Plan) draws() bool {
	return p.sampling == config.SampleSquareRoot || p.sampling == config.SampleClassBalanced ||
		p.sampling == config.SampleProgressive
}

// Alike says that every epoch shows as many samples as the first.
func (p *Plan) Alike() bool { return p.sampling != config.SampleRepeatFactor }

// Steady says that every epoch shows the classes in the same proportions.
func (p *Plan) Steady() bool { return p.sampling != config.SampleProgressive }

// draw takes as many samples as there are, with replacement: first the class, p_c ∝ n_c^q, then one of its samples.
func (p *Plan) draw(rng *rand.Rand, q float64) []int {
	shares := ClassShares(p.counts, q)
	out := make([]int, len(p.class))
	for i := range out {
		u, c := rng.Float64(), 0
		last := 0
		for ; c < len(shares); c++ {
			if shares[c] == 0 {
				continue
			}
			last = c
			if u < shares[c] {
				break
			}
			u -= shares[c]
		}
		rows := p.byClass[last]
		out[i] = int(rows[rng.IntN(len(rows))])
	}
	return out
}

// exponent is q of an epoch. Progressive goes from 1 (as the data is) to 0 (all classes alike) over TRAIN.EPOCHS.
func (p *Plan) exponent(epoch int) float64 {
	switch p.sampling {
	case config.SampleSquareRoot:
		return 0.5
	case config.SampleClassBalanced:
		return 0
	}
	return 1 - min(1, float64(epoch)/float64(max(1, p.epochs-1)))
}

// Copies returns how many times an epoch shows each sample, on the mean
// over its draws and, where epochs differ, over all of them.
func (p *Plan) Copies() []float64 {
	out := make([]float64, len(p.class))
	if p.sampling == config.SampleRepeatFactor {
		for i, rows := range p.images {
			for _, row := range rows {
				out[row] = p.repeat[i]
			}
		}
		return out
	}
	expected := p.Expected()
	for i, c := range p.class {
		out[i] = expected[c] / float64(p.counts[c])
	}
	return out
}

// Expected returns how many samples of each class an epoch shows, on the mean over its draws and, where epochs
// differ, over all of them.
func (p *Plan) Expected() []float64 {
	out := make([]float64, len(p.counts))
	switch p.sampling {
	case config.SampleSquareRoot, config.SampleClassBalanced, config.SampleProgressive:
		epochs := 1
		if p.sampling == config.SampleProgressive {
			epochs = max(1, p.epochs)
		}
		for e := range epochs {
			for c, share := range ClassShares(p.counts, p.exponent(e)) {
				out[c] += share * float64(len(p.class)) / float64(epochs)
			}
		}
	case config.SampleIntWeight:
		for c, n := range p.counts {
			out[c] = float64(n * p.copies[c])
		}
	case config.SampleRepeatFactor:
		for i, rows := range p.images {
			for _, row := range rows {
				out[p.class[row]] += p.repeat[i]
			}
		}
	default:
		copy(out, floats(p.counts))
	}
	return out
}

func checkSampling(s config.Sampling) error {
	if slices.Contains(s.Choices(), string(s)) {
		return nil
	}
	return fmt.Errorf("unknown RECIPE.SAMPLING %q: choose one of %s", string(s), strings.Join(s.Choices(), ", "))
}
