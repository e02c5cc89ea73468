package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

const (
	before, after = 24, 40 // words of a question around the clip
	answer        = 8      // tokens decoded after the first
	placeholder   = -200
)

// videoReference is the model in plain PyTorch, whose code lies outside: FINETUI_REFERENCE names it.
func videoReference() (string, error) {
	path := os.Getenv("FINETUI_REFERENCE")
	if path == "" {
		path = filepath.Join("..", "shared", "golden", "make", "mobile-videogpt", "reference.py")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("the model in plain PyTorch is not at %s; FINETUI_REFERENCE names its file", path)
	}
	return path, nil
}

// asked is a clip's way to the first token, and the tokens after it.
type asked struct {
	First struct {
		timed
		Scans float64
	}
	Then   timed
	Tokens [][]int32
}

// parts prints a row for each part of the way to the first token: both encoders, and the language model's prompt; then
// one for the bare products of that prompt, which no engine does without.
func (c *contest) parts() error {
	m, closeModel, err := openVideo(filepath.Join(c.dir, "video", "base"))
	if err != nil {
		return err
	}
	defer closeModel()
	e := nn.NewExec(c.threads)
	tower, encoder, session := m.Image.NewTower(e), m.Video.NewEncoder(e), m.Text.NewSession(e)
	image, video := m.Config.Image, m.Config.Video
	frames := drawn.Values(mobilevideogpt.Frames * image.Patches() * image.PatchWidth())
	clip := drawn.Values(video.Frames * video.Patches() * video.PatchWidth())
	ids := make([]int32, m.Config.Tokens(true)+before+after)
	for i := range ids {
		ids[i] = int32(100 + i)
	}
	b := nn.Batch{IDs: ids, Starts: []int{0, len(ids)}}
	b.Pos = qwen2.TextPositions(b.Starts)
	widest := len(ids) * 2 * m.Config.Text.Inner
	x, y := drawn.Values(widest), make([]float32, widest)
	for _, part := range []struct {
		which, what string
		run         func() ([]float32, error)
	}{
		{"image", "16 frames through the image encoder", func() ([]float32, error) { return tower.Features(frames) }},
		{"video", "8 frames through the video encoder", func() ([]float32, error) { return encoder.Features(clip) }},
		{"prompt", "prompt of a clip's tokens", func() ([]float32, error) { return session.Prompt(b, nil) }},
		{"products", "that prompt's bare products", func() ([]float32, error) {
			for _, w := range m.Text.Layers {
				for _, l := range []*nn.Linear{w.QKV, w.O, w.GateUp, w.Down} {
					l.Mul(e.Team, len(ids), x, y)
				}
			}
			return y, nil
		}},
	} {
		var row comparison
		for round := range 1 + c.rounds { // the first warms up
			var err error
			ours := table.Clock(func() { _, err = part.run() })
			if err != nil {
				return err
			}
			var theirs timed
			if err := c.p.ask("part", map[string]any{"name": videoType, "which": part.which, "ids": ids},
				&theirs); err != nil {
				return err
			}
			if round > 0 {
				row.add(ours, theirs.span())
			}
		}
		row.found = row.cores()
		row.print("0.5B video, "+part.what, videoType, 0, goal)
	}
	return nil
}

// video prints the rows of Mobile-VideoGPT at the published sizes, whose language model is that of s: from 16 frames to
// the first token, and tokens a second after it. The encoders work in float32 on both sides, and so does PyTorch's
// language model: in bfloat16 it would take minutes for the 2402 tokens on a processor without instructions for it.
func (c *contest) video(s shape) error {
	path, err := videoReference()
	if err != nil {
		fmt.Println(err)
		return nil
	}
	plain, err := c.make(s)
	if err != nil {
		return err
	}
	folder, base := filepath.Join(c.dir, "video"), filepath.Join(plain, "base")
	if err := os.MkdirAll(filepath.Join(folder, "base"), 0o755); err != nil {
		return err
	}
	text := s.python()
	for name, value := range map[string]any{"model_type": "MobileVideoGPT_qwen", "architectures": []string{
		"MobileVideoGPTQwenForCausalLM"}, "mm_projector_type": "etp", "image_mm_projector_type": "etp",
		"mm_hidden_size": 768, "image_mm_hidden_size": 768, "mm_vision_select_layer": -2, "use_mm_proj": true,
		"mm_vision_select_feature": "patch", "image_mm_vision_tower": "clip", "mm_vision_tower": "videomamba",
		"hidden_act": "silu", "rope_theta": s.config.Theta} {
		text[name] = value
	}
	delete(text, "rope_parameters")
	if err := c.p.ask("video", map[string]any{"reference": path, "folder": folder, "base": base, "dtype": s.stored,
		"text": text, "layers": c.videoLayers()}, nil); err != nil {
		return err
	}
	frames := drawFrames()
	var raw []byte
	for _, f := range frames {
		raw = append(raw, f.Pix...)
	}
	if err := os.WriteFile(filepath.Join(folder, "frames"), raw, 0o644); err != nil {
		return err
	}
	if err := c.p.ask("load", map[string]any{"name": videoType, "folder": plain, "dtype": videoType,
		"rate": learningRate, "decay": weightDecay}, nil); err != nil {
		return err
	}
	if err := c.p.ask("plain", map[string]any{"name": videoType}, nil); err != nil {
		return err
	}
	if c.apart {
		return c.parts()
	}
	return c.askBoth(folder, frames)
}

const videoType = "float32" // of PyTorch's language model

// videoLayers is the depth of the video encoder: 32, but for a quick look.
func (c *contest) videoLayers() int {
	if c.layers < 24 {
		return c.layers
	}
	return 32
}

// askBoth lets both sides ask once before it counts: PyTorch's weights lie in memory then, and ours are laid out for
// the kernels only when they are first asked for.
func (c *contest) askBoth(folder string, frames []*picture.RGB) error {
	m, closeModel, err := openVideo(filepath.Join(folder, "base"))
	if err != nil {
		return err
	}
	defer closeModel()
	e := nn.NewExec(c.threads)
	eye, err := m.NewEye(e)
	if err != nil {
		return err
	}
	session := m.NewSession(e)
	var ids []int32
	for i := range before + 1 + after {
		if ids = append(ids, int32(100+i)); i == before {
			ids[i] = placeholder
		}
	}
	var warm, firsts, thens comparison
	for round := range 1 + max(1, c.rounds/4) {
		first, then, tokens, err := ask(m, eye, session, frames, ids)
		if err != nil {
			return err
		}
		var theirs asked
		if err := c.p.ask("clip", map[string]any{"name": videoType, "ids": ids, "new": answer}, &theirs); err != nil {
			return err
		}
		if round == 0 {
			warm.add(first, theirs.First.span())
			continue
		}
		firsts.found = fmt.Sprintf("%.1f s of theirs in the scan's loop", theirs.First.Scans)
		thens.found = fmt.Sprintf("%d of %d tokens are the same", same(tokens, theirs.Tokens), len(tokens))
		firsts.add(first, theirs.First.span())
		thens.add(then, theirs.Then.span())
	}
	firsts.found = fmt.Sprintf("%s, %s; the very first: %.2f×, %s", firsts.cores(), firsts.found, warm.wall[0],
		warm.cores())
	firsts.print("0.5B video, 16 frames to the first token", videoType, 0, goal)
	thens.print("0.5B video, tokens after it", videoType, answer, goal)
	return nil
}

// openVideo is the model in a folder, with its encoders.
func openVideo(dir string) (*mobilevideogpt.Model, func(), error) {
	text, err := weights.ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	c, err := mobilevideogpt.ParseConfig(text)
	if err != nil {
		return nil, nil, err
	}
	towers, c, err := c.OpenTowers(dir)
	if err != nil {
		return nil, nil, err
	}
	base, err := weights.OpenCheckpoint(dir)
	if err != nil {
		return nil, nil, errors.Join(err, towers.Close())
	}
	m, err := mobilevideogpt.New(c, base, towers, mobilevideogpt.Tuning{})
	return m, func() { errors.Join(base.Close(), towers.Close()) }, err
}

// ask is our side of Video.ask.
func ask(m *mobilevideogpt.Model, eye *mobilevideogpt.Eye, session *mobilevideogpt.Session, frames []*picture.RGB,
	ids []int32) (first, then table.Span, tokens [][]int32, err error) {
	ctx := context.Background()
	var logits []float32
	best := func() int32 { return int32(slices.Index(logits, slices.Max(logits))) }
	first = table.Clock(func() {
		var shots mobilevideogpt.Shots
		var seen mobilevideogpt.Features
		if shots, err = m.Config.Prepare([]mobilevideogpt.Shown{{Frames: frames, Clip: true}}); err != nil {
			return
		}
		if seen, err = eye.See(ctx, shots); err != nil {
			return
		}
		question := train.Sample{Visual: seen}
		for _, id := range ids {
			if id != placeholder {
				question.IDs = append(question.IDs, id)
				continue
			}
			for range m.Config.Tokens(true) {
				question.Places = append(question.Places, int32(len(question.IDs)))
				question.IDs = append(question.IDs, 0)
			}
		}
		if logits, err = session.Prompt(ctx, []train.Sample{question}); err == nil {
			tokens = append(tokens, []int32{best()})
		}
	})
	if err != nil {
		return first, then, nil, err
	}
	then = table.Clock(func() {
		for i := 0; i < answer && err == nil; i++ {
			if logits, err = session.Next(tokens[i]); err == nil {
				tokens = append(tokens, []int32{best()})
			}
		}
	})
	return first, then, tokens, err
}

// drawFrames are 16 frames of 224 pixels in which something moves.
func drawFrames() (list []*picture.RGB) {
	const side = 224
	for t := range mobilevideogpt.Frames {
		f := &picture.RGB{W: side, H: side, Pix: make([]byte, 3*side*side)}
		for y := range side {
			for x := range side {
				p := f.Pix[3*(y*side+x):]
				p[0], p[1], p[2] = byte(x+8*t), byte(y*2+t*t), byte((x*y)>>6)
			}
		}
		list = append(list, f)
	}
	return list
}
