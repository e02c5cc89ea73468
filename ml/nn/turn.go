package nn

// Turn makes the replica that of other weights of the same sizes, whose room it keeps, for passes that no pass back
// follows: a tower that looks needs the room of one block, whatever its depth. The x of the next Forward may be what
// the last one returned.
func (v *VisionBlock) Turn(w *VisionWeights) {
	p := Params{Value: w.Value}
	v.w, v.params, v.of = w, p, nil
	v.norm1.turn(w.Norm1, p)
	v.norm2.turn(w.Norm2, p)
	v.qkv.turn(w.QKV, p)
	v.proj.turn(w.Proj, p)
	v.fc1.turn(w.FC1, p)
	v.fc2.turn(w.FC2, p)
}

// Turn makes the replica that of other weights, as VisionBlock's does: a session that answers needs the room of one
// layer, beside its caches.
func (d *Decoder) Turn(w *DecoderWeights) {
	p := Params{Value: w.Value}
	d.w, d.params, d.of = w, p, nil
	d.norm1.turn(w.Norm1, p)
	d.norm2.turn(w.Norm2, p)
	d.qkv.turn(w.QKV, p)
	d.o.turn(w.O, p)
	d.gateUp.turn(w.GateUp, p)
	d.down.turn(w.Down, p)
}

// Turn makes the replica that of other frozen weights, as VisionBlock's does.
func (m *Mamba) Turn(w *MambaWeights) {
	p := Params{Value: w.Value}
	m.w, m.params = w, p
	m.norm.turn(w.Norm, p)
	m.in.turn(w.In, p)
	m.out.turn(w.Out, p)
	for i := range m.ways {
		s := &w.Ways[i]
		m.ways[i].ScanWeights = s
		m.ways[i].x.turn(s.X, p)
	}
}

func (p *product) turn(l *Linear, params Params) {
	p.Linear, p.params, p.ranks = l, params, 0
	for _, a := range l.Adapters {
		p.ranks += a.R
	}
}

func (n *norm) turn(w *Norm, p Params) { n.Norm, n.params = w, p }
