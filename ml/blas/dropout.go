package blas

// Mask decides for each number i = 0, 1, … of a stream whether the value that stands there
// is dropped (Srivastava et al. 2014, Dropout). The decision is a hash of i and the key,
// so any part of a mask can be made at any time, on any core.
type Mask struct {
	keep   float32 // 1/(1-p)
	limit  int32   // a value stays if its hash lies above
	k0, k1 uint32
}

// NewMask is the mask of a key that drops each value with probability p, 0 <= p < 1.
func NewMask(p float32, key uint64) Mask {
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9 // so that near keys give unrelated streams (splitmix64's finalizer)
	key = (key ^ key>>27) * 0x94d049bb133111eb
	key ^= key >> 31
	limit := max(int64(float64(p)*(1<<32))-1<<31-1, -1<<31) // for the smallest p as for p = 2⁻³²
	return Mask{keep: 1 / (1 - p), limit: int32(limit), k0: uint32(key), k1: uint32(key >> 32)}
}

// Apply sets dst to src, whose first element is number first of the stream: 0 where it is dropped, else divided by 1-p.
// dst may be src.
func (m Mask) Apply(dst, src []float32, first int) {
	check("Mask.Apply", len(dst), len(src))
	m.apply(dst, src, uint32(first))
}

// Add adds to dst what Apply would set it to.
func (m Mask) Add(dst, src []float32, first int) {
	check("Mask.Add", len(dst), len(src))
	m.add(dst, src, uint32(first))
}

// kept is the decision for number i: two rounds of a multiplicative hash (C. Wellons' lowbias32), the key in between.
func (m Mask) kept(i uint32) bool {
	h := i*0x9e3779b9 + m.k0
	h = (h ^ h>>16) * 0x21f0aaad
	h ^= m.k1
	h = (h ^ h>>15) * 0xd35a2d97
	return int32(h^h>>15) > m.limit
}

func (m Mask) applyGo(dst, src []float32, first uint32) {
	for i, v := range src {
		if m.kept(first + uint32(i)) {
			dst[i] = v * m.keep
		} else {
			dst[i] = 0
		}
	}
}

func (m Mask) addGo(dst, src []float32, first uint32) {
	for i, v := range src {
		if m.kept(first + uint32(i)) {
			dst[i] += float32(v * m.keep)
		}
	}
}
