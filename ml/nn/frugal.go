package nn

// kept is memory for values that a backward pass needs. Blocks may share it: see Frugal.
type kept struct{ v []float32 }

// grow gives it room for n values and returns them; what is in them is undefined.
func (k *kept) grow(n int) []float32 {
	k.v = grow(k.v, n)
	return k.v
}

// Frugal is a Block that can do with little memory in training (gradient checkpointing, Chen et al. 2016, arXiv
// 1604.06174): blocks of one kind share the room for what their backward passes need, of which then only the last one's
// is there, and each makes its own once more before it runs backward. Values and gradients stay the same to the bit: it
// is the same arithmetic, and dropout draws the same.
type Frugal interface {
	Block
	// Share makes the block use the room of another, and says whether that one is of its kind and of the same worker.
	Share(with Block) bool
	// Again makes what Backward needs for the x of the last Forward(x, true), unless it is still there.
	Again(x []float32)
}

// Share gives the blocks of one kind one room.
func Share(blocks []Block) {
	for i, b := range blocks {
		f, ok := b.(Frugal)
		for _, earlier := range blocks[:i] {
			if ok && f.Share(earlier) {
				break
			}
		}
	}
}
