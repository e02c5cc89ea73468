package stats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"finetui/core/dataset"
)

// TestCrowdedImagesCountAsPairByPair compares the counting by sorting
// with the one by one, on limits and on equal places, too.
func TestCrowdedImagesCountAsPairByPair(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{2, 3, 40, 200} {
		var objects []dataset.Object
		for range n {
			objects = append(objects, at(rng.IntN(4), float64(rng.IntN(40))/40, float64(rng.IntN(40))/40))
		}
		order := []int{2, 0, 3, 1}
		sorted, single := newPairTable(order, testConfig("")), newPairTable(order, testConfig(""))
		for i := range objects {
			sorted.crowd.placed = append(sorted.crowd.placed, placed{objects[i].Class, objects[i].Box.Center()})
		}
		sorted.image = 1
		sorted.addCrowd()
		for first := 0; first < n; first++ { // images of two objects each are counted one by one
			for second := first + 1; second < n; second++ {
				single.image = 0
				single.add([]dataset.Object{objects[first], objects[second]})
			}
		}
		part := Part{Images: 1, ImagesWithClass: []int{1, 1, 1, 1}}
		got, gotTogether := sorted.results(part)
		want, wantTogether := single.results(part)
		if !slices.Equal(got, want) || !slices.Equal(gotTogether, wantTogether) {
			t.Errorf("%d objects: got\n%+v\n%+v, want\n%+v\n%+v", n, got, gotTogether, want, wantTogether)
		}
	}
}

// BenchmarkCrowd counts the pairs of one image of 20,000 objects: 200 million of them.
func BenchmarkCrowd(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var objects []dataset.Object
	for range 20_000 {
		objects = append(objects, at(rng.IntN(4), rng.Float64(), rng.Float64()))
	}
	set := setOf([]string{"a", "b", "c", "d"}, map[string][][]dataset.Object{"train": {objects}})
	for b.Loop() {
		Analyze(set, testConfig(""))
	}
}
