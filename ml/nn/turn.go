package nn

// Turn makes the replica that of other frozen weights of the same sizes, whose room it keeps: a frozen tower needs the
// room of one block, whatever its depth. The x of the next Forward may be what the last one returned.
func (v *VisionBlock) Turn(w *VisionWeights) {
	v.w, v.params = w, Params{Value: w.Value}
	v.norm1.Norm, v.norm2.Norm = w.Norm1, w.Norm2
	v.qkv, v.proj = newProduct(w.QKV, v.params), newProduct(w.Proj, v.params)
	v.fc1, v.fc2 = newProduct(w.FC1, v.params), newProduct(w.FC2, v.params)
}

// Turn makes the replica that of other frozen weights, as VisionBlock's does.
func (m *Mamba) Turn(w *MambaWeights) {
	p := Params{Value: w.Value}
	m.w, m.params = w, p
	m.norm.Norm, m.norm.params = w.Norm, p
	m.in, m.out = newProduct(w.In, p), newProduct(w.Out, p)
	for i := range m.ways {
		s := &w.Ways[i]
		m.ways[i].ScanWeights, m.ways[i].x = s, newProduct(s.X, p)
	}
}
