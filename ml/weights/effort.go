package weights

// Effort is what a pass through a model comes to, by what it is spent on.
type Effort struct {
	Products  float64 // multiplications and additions (two each) with weights that are not adapters'
	Adapters  float64 // those with the adapters' A and B
	Attention float64 // those of queries with keys, and of what becomes of values
	Values    float64 // numbers that norms, activations, rotations and sums write
}

// Plus is both efforts together.
func (e Effort) Plus(o Effort) Effort {
	return Effort{e.Products + o.Products, e.Adapters + o.Adapters, e.Attention + o.Attention, e.Values + o.Values}
}

// Times is the effort so many times over.
func (e Effort) Times(n float64) Effort {
	return Effort{e.Products * n, e.Adapters * n, e.Attention * n, e.Values * n}
}
