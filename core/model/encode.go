package model

import (
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/chat"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/train"
)

// View bounds the pictures that a model is shown, in pixels (MODEL.MIN_PIXELS, MODEL.MAX_PIXELS).
type View struct{ MinPixels, MaxPixels int }

// processor is the base's with these bounds.
func (b *Base) processor(v View) pixels.Processor {
	p := b.Processor
	p.MinPixels, p.MaxPixels = v.MinPixels, v.MaxPixels
	return p
}

// Grids are the patch grids of pictures of these sizes (width, height).
func (b *Base) Grids(v View, sizes [][2]int) ([]qwen2vl.Grid, error) {
	if err := b.checkSight(len(sizes)); err != nil {
		return nil, err
	}
	var grids []qwen2vl.Grid
	p := b.processor(v)
	for _, s := range sizes {
		w, h, err := p.Size(s[0], s[1])
		if err != nil {
			return nil, err
		}
		grids = append(grids, qwen2vl.Grid{T: 1, H: h / p.Patch, W: w / p.Patch})
	}
	return grids, nil
}

// Rows are the patch rows of pictures, one after the other, with their grids.
func (b *Base) Rows(v View, pictures []*picture.RGB) (rows []float32, grids []qwen2vl.Grid, err error) {
	if err := b.checkSight(len(pictures)); err != nil {
		return nil, nil, err
	}
	p := b.processor(v)
	for _, picture := range pictures {
		r, g, err := p.Rows(picture)
		if err != nil {
			return nil, nil, err
		}
		rows, grids = append(rows, r...), append(grids, g)
	}
	return rows, grids, nil
}

// messages are the turns of one question about pictures; an empty answer leaves it open.
func (b *Base) messages(grids []qwen2vl.Grid, prompt, answer string) []chat.Message {
	user := chat.Message{Role: chat.User}
	for _, g := range grids {
		user.Parts = append(user.Parts, chat.Part{Kind: chat.Image, Tokens: g.Tokens(b.Config.Vision.Merge)})
	}
	user.Parts = append(user.Parts, chat.Part{Text: prompt})
	if answer == "" {
		return []chat.Message{user}
	}
	return []chat.Message{user, chat.Say(chat.Assistant, answer)}
}

// Sample is a question with its answer as tokens to learn from; only the answer and the token that ends it are
// supervised, each with weight. Features or patches are the caller's to add.
func (b *Base) Sample(grids []qwen2vl.Grid, prompt, answer string, weight float64) (train.Sample, error) {
	ids, labels, err := chat.Encode(b.Tokenizer, b.messages(grids, prompt, answer),
		chat.Options{DefaultSystem: b.system})
	if err != nil {
		return train.Sample{}, err
	}
	pos, features, err := b.Config.Positions(ids, grids)
	if err != nil {
		return train.Sample{}, err
	}
	s := train.Sample{IDs: ids, Pos: pos, Places: places(features)}
	s.Targets, s.Weights = train.Shift(labels)
	for i := range s.Weights {
		s.Weights[i] *= float32(weight)
	}
	return s, nil
}

// Supervised is the text that a sample is trained to say.
func (b *Base) Supervised(s train.Sample) string {
	var ids []int32
	for t, id := range s.Targets {
		if id >= 0 && s.Weights[t] != 0 {
			ids = append(ids, id)
		}
	}
	return b.Tokenizer.Decode(ids, false)
}

func places(features []int32) (at []int32) {
	for t, f := range features {
		if f >= 0 {
			at = append(at, int32(t))
		}
	}
	return at
}

// prompts lays open questions end to end. Features are counted from the first question's first picture.
func (b *Base) prompts(questions []open) (nn.Batch, error) {
	batch := nn.Batch{Starts: []int{0}}
	row := int32(0)
	for i, q := range questions {
		ids, _, err := chat.Encode(b.Tokenizer, b.messages(q.grids, q.prompt, ""), chat.Options{DefaultSystem: b.system,
			GenerationPrompt: true})
		if err != nil {
			return batch, fmt.Errorf("question %d: %w", i, err)
		}
		pos, features, err := b.Config.Positions(ids, q.grids)
		if err != nil {
			return batch, fmt.Errorf("question %d: %w", i, err)
		}
		batch.IDs = append(batch.IDs, ids...)
		for r := range batch.Pos {
			batch.Pos[r] = append(batch.Pos[r], pos[r]...)
		}
		for _, f := range features {
			if f >= 0 {
				f = row
				row++
			}
			batch.Features = append(batch.Features, f)
		}
		batch.Starts = append(batch.Starts, len(batch.IDs))
	}
	return batch, nil
}

// open is a question whose pictures are features already.
type open struct {
	grids  []qwen2vl.Grid
	prompt string
}
