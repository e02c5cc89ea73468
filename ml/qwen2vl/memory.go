package qwen2vl

import (
	"strconv"

	"finetui/ml/weights"
)

// Memory of a model at work, in bytes, term by term as ml/nn holds it. What a worker's buffers hold is counted for rows
// that the caller has rounded up as nn.grow does. Small things (norms, biases, the batch itself) are left out.

// Work is what the memory of a model depends on beside its shape.
type Work struct {
	Rank    func(module string) int // of the adapter on a product; 0: none
	Dropout bool                    // adapters drop inputs
	Weight  int                     // bytes of a frozen weight as it is laid out: 2 for bfloat16, else 4
	// blocks make what they need for their way back a second time, in one room: see graph.Options
	Recompute bool
}

// rooms is how many of n layers have a room of their own.
func (w Work) rooms(n int) int {
	if w.Recompute {
		return min(1, n)
	}
	return n
}

// TrainsTower says whether an adapter lies in the tower or the merger, so that its passes are part of every step.
func (c Config) TrainsTower(w Work) bool {
	if c.Vision.Depth == 0 {
		return false
	}
	for i := range c.Vision.Depth {
		if w.ranks(c.blockProducts("visual.blocks."+strconv.Itoa(i)+".")) > 0 {
			return true
		}
	}
	return w.ranks(c.mergerProducts()) > 0
}

// Adapters is the number of trained values.
func (c Config) Adapters(w Work) (n int) {
	for _, p := range c.Products() {
		n += w.Rank(p.Module) * (p.In + p.Out)
	}
	return n
}

// TowerAdapters is that part of Adapters which lies in the tower and the merger.
func (c Config) TowerAdapters(w Work) (n int) {
	all := c.Products()
	for _, p := range all[len(all)-c.towerProducts():] {
		n += w.Rank(p.Module) * (p.In + p.Out)
	}
	return n
}

func (c Config) towerProducts() int {
	if c.Vision.Depth == 0 {
		return 0
	}
	return 4*c.Vision.Depth + 2
}

// ranks are those of products together.
func (w Work) ranks(products []weights.Product) (n int) {
	for _, p := range products {
		n += w.Rank(p.Module)
	}
	return n
}

// Panels are the frozen weights laid out for the kernels, outside Go's heap and shared by all workers:
// each product once for the forward pass and once more for the way back, the columns rounded up to
// whole panels. The tower has a way back only where it is trained. Embeddings are read where they lie
// in the file; as the head's product they are laid out, too.
func (c Config) Panels(w Work) (bytes int64) {
	lay := func(p weights.Product, back bool) {
		n := wholePanels(p.Out) * int64(p.In)
		if back {
			n += wholePanels(p.In) * int64(p.Out)
		}
		bytes += n * int64(w.Weight)
	}
	tower := c.TrainsTower(w)
	all := c.Products()
	text := len(all) - c.towerProducts()
	for i, p := range all {
		lay(p, i < text || tower)
	}
	lay(weights.Product{In: c.Text.Hidden, Out: c.Text.Vocab}, true)
	if c.Vision.Depth > 0 {
		lay(weights.Product{In: c.Vision.PatchWidth(), Out: c.Vision.Embed}, false)
	}
	return bytes
}

// wholePanels rounds columns up to what a panel holds.
func wholePanels(n int) int64 { return (int64(n) + 15) / 16 * 16 }

// Joined is the largest product of several parts, put together on the heap for as long as it is laid out.
func (c Config) Joined(w Work) int64 {
	t := c.Text
	return int64(w.Weight) * int64(t.Hidden) * int64(max(2*t.Inner, (t.Heads+2*t.KVHeads)*t.HeadDim))
}

// TextWorker is what a worker of the language model holds: what each layer keeps of rows forward tokens
// for a later pass back (kept in any case), of back tokens the gradients and the room that all layers
// share for them, and the head's logits of at most 64 supervised positions at a time. longest is the
// longest sequence, whose keys are laid out for the products.
func (c Config) TextWorker(w Work, rows, back, supervised, longest int) int64 {
	t := c.Text
	q, qkv := t.Heads*t.HeadDim, (t.Heads+2*t.KVHeads)*t.HeadDim
	var kept, read, gradients, low int // read: for each supervised token
	for i := range t.Layers {
		products := c.layerProducts("model.layers." + strconv.Itoa(i) + ".")
		ranks := w.ranks(products)
		low = max(low, ranks)
		if kept += t.Hidden; i >= w.rooms(t.Layers) { // out
			continue
		}
		first := w.ranks(products[:qkvProducts])
		before, behind := c.layerRows(first, ranks-first)
		kept += before
		gradients += t.Hidden // dx
		if i < t.Layers-1 {
			kept += behind
			gradients += t.Heads // log sums of the attention
		} else {
			read = behind + t.Hidden + t.Heads // and the read rows of out
		}
	}
	kept += c.inputRows()
	gradients += t.Hidden // the head's
	shared := max(t.Inner, qkv) + 2*t.Inner + 2*t.Hidden + q + 2*t.KVHeads*t.HeadDim + low
	if w.Dropout && low > 0 {
		shared += max(t.Hidden, c.widest(w))
	}
	head := supervised*(read+4*t.Hidden) + min(supervised, 64)*t.Vocab
	return 4*(int64(rows)*int64(kept)+int64(back)*int64(gradients+shared)+int64(head)) +
		attentionRoom(t.HeadDim, longest)
}

// SessionWorker is what a worker holds that answers questions of so many tokens together: the room of one layer, and of
// the head for each question; its keys and values are not counted, nor its logits.
func (c Config) SessionWorker(w Work, tokens, questions, longest int) int64 {
	t := c.Text
	low := 0
	for i := range t.Layers {
		low = max(low, w.ranks(c.layerProducts("model.layers."+strconv.Itoa(i)+".")))
	}
	before, behind := c.layerRows(0, low)
	row := before + behind + t.Hidden + c.inputRows() // and out
	return 4*(int64(tokens)*int64(row)+int64(questions)*int64(2*t.Hidden)) + attentionRoom(t.HeadDim, longest)
}

// layerRows are the values of a token in a layer's room, up to its attention and behind, with adapters of these ranks.
func (c Config) layerRows(first, others int) (before, behind int) {
	t := c.Text
	before = t.Hidden + (t.Heads+2*t.KVHeads)*t.HeadDim + first + 1 // norm1; q k v; low; 1/σ
	// y, norm2; attended; gate, up, hidden; low; 1/σ
	return before, 2*t.Hidden + t.Heads*t.HeadDim + 3*t.Inner + others + 1
}

// inputRows are the values of a token before the first layer: embeddings, rotary angles, features.
func (c Config) inputRows() int { return 2*c.Text.Hidden + c.Text.HeadDim }

// widest is the widest input of an adapter of the language model.
func (c Config) widest(w Work) (n int) {
	for _, p := range c.layerProducts("model.layers.0.") {
		if w.Rank(p.Module) > 0 {
			n = max(n, p.In)
		}
	}
	return n
}

// EyeWorker is what a worker holds that looks at so many patches: the room of one block of the tower.
func (c Config) EyeWorker(w Work, patches int) int64 {
	v := c.Vision
	if v.Depth == 0 {
		return 0
	}
	low := 0
	for i := range v.Depth {
		low = max(low, w.ranks(c.blockProducts("visual.blocks."+strconv.Itoa(i)+".")))
	}
	return 4*int64(patches)*int64(v.rows(1, 1, low)) + attentionRoom(v.HeadDim(), patches)
}

// rows are the values of a patch in the tower, where so many blocks have a result and so many rooms of their own, with
// adapters of these ranks in each.
func (v Vision) rows(results, rooms, ranks int) int {
	block := 7*v.Embed + 2*v.Inner() + ranks + 4 // norm1, q k v, attended, y, norm2; FC1 before and after the GELU
	wide := v.Embed * v.Merge * v.Merge
	merger := v.Embed + (2*wide+v.Hidden)/(v.Merge*v.Merge)
	return v.Embed + results*v.Embed + rooms*block + merger + v.HeadDim() // the first are of the patches, the last angles
}

// TowerWorker is what a worker that trains the vision tower holds of so many patches forward, and of back backward.
func (c Config) TowerWorker(w Work, patches, back int) int64 {
	v := c.Vision
	if v.Depth == 0 {
		return 0
	}
	ranks := w.ranks(c.blockProducts("visual.blocks.0."))
	rooms := w.rooms(v.Depth)
	shared := v.PatchWidth() + rooms*(v.Embed+v.Heads) + max(v.Inner(), 3*v.Embed, v.Embed) + 3*v.Embed +
		2*v.Embed + ranks
	if w.Dropout && ranks > 0 {
		shared += v.Inner()
	}
	return 4*(int64(patches)*int64(v.rows(v.Depth, rooms, ranks))+int64(back)*int64(shared)) +
		attentionRoom(v.HeadDim(), patches)
}

// attentionRoom is the room of one core for a block of queries and the keys of one head that they meet.
func attentionRoom(headDim, longest int) int64 {
	const block = 256
	return 4 * int64(4*block*headDim+2*block*block+5*longest*headDim)
}

// Keys are the keys and values of one token in all layers, as decoding keeps them.
func (c Config) Keys() int64 {
	return 4 * int64(c.Text.Layers) * 2 * int64(c.Text.KVHeads*c.Text.HeadDim)
}
