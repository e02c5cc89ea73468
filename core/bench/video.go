package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"finetui/core/video"
	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/clip"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// videoRows are what a clip takes before and beside the engine.
func (b *bench) videoRows() []table.Line {
	return []table.Line{{
		Name: "video frames", What: "16 frames of a 10 s 1080p clip, at 224×224", Against: "ffmpeg alone, same frames",
		Goal: table.AtMost(1.2), Measure: b.frames,
	}, {
		Name: "video epoch", What: "second epoch of clips, features kept", Against: "the first",
		Goal: table.AtLeast(5), Measure: b.clipEpochs,
	}}
}

// film draws a clip of so many seconds through FFmpeg.
func (b *bench) film(name, source string) string {
	path := filepath.Join(b.dir, name)
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast",
		"-pix_fmt", "yuv420p", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Errorf("ffmpeg draws no clip: %w: %s", err, out))
	}
	return path
}

const hd = "testsrc2=s=1920x1080:r=30:d=10"

// frames takes them as for a clip that was never seen: it is probed, and decoded to its end, as what its header says
// need not be true. FFmpeg alone is told the numbers of the frames, and stops at the last one.
func (b *bench) frames() table.Result {
	path := b.film("frames.mp4", hd)
	rule := video.Sampling{Least: 16, Most: 16}
	size := func(*video.Info) video.Size { return video.Size{W: 224, H: 224} }
	known, err := video.Check(b.ctx, path, nil)
	must(err)
	var choice []string
	for _, n := range rule.Pick(known) {
		choice = append(choice, fmt.Sprintf(`eq(n\,%d)`, n))
	}
	arguments := []string{"-nostdin", "-v", "error", "-i", path, "-vf",
		"select=" + strings.Join(choice, "+") + ",scale=224:224", "-fps_mode", "passthrough", "-frames:v", "16",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"}
	alone := func() table.Span {
		return table.Clock(func() {
			pixels, err := exec.Command("ffmpeg", arguments...).Output()
			must(err)
			if len(pixels) != 16*224*224*3 {
				panic(fmt.Errorf("ffmpeg gave %d bytes", len(pixels)))
			}
		})
	}
	var store *video.Store // keeps nothing
	ours := func() table.Span {
		return table.Clock(func() {
			list, _, err := store.Frames(b.ctx, path, rule.Pick, size, nil)
			must(err)
			if len(list) != 16 {
				panic(fmt.Errorf("%d frames", len(list)))
			}
		})
	}
	r := table.Durations(table.Rounds(b.rounds, ours, alone))
	kept := video.Open(filepath.Join(b.dir, "frames"), 1<<30)
	defer kept.Close()
	var again table.Span
	for range 2 {
		again = table.Clock(func() {
			_, _, err := kept.Frames(b.ctx, path, rule.Pick, size, nil)
			must(err)
		})
	}
	r.Note = fmt.Sprintf("%s once they are kept", table.InUnit(again.Wall))
	return r
}

// The language model of the row on epochs is as wide as that of the program's own base: at the published 0.5B the steps
// themselves take several times as long as the encoders, in the first epoch as in the second.
func smallText() qwen2.Config {
	return qwen2.Config{ModelType: "qwen2", Hidden: 128, Layers: 4, Heads: 4, KVHeads: 2, HeadDim: 32, Inner: 384,
		Vocab: 768, Eps: 1e-6, Theta: 1e4, Tied: true}
}

// clipEpochs trains adapters and projectors on clips whose frames are decoded and seen in the first epoch by the
// encoders of the published sizes, and in the second one read from what is kept.
func (b *bench) clipEpochs() table.Result {
	const clips, words = 2, 64
	c := mobilevideogpt.Config{Text: smallText(), Image: clip.Published(), Video: videomamba.Published(), TopK: true,
		Select: 4}
	m, err := mobilevideogpt.New(c, drawn.Weights{}, drawn.Weights{}, mobilevideogpt.Tuning{Projectors: true,
		Text: weights.Tuning{
			Adapt: func(string) (weights.Adapter, bool) { return weights.Adapter{R: 16, Scale: 2}, true }}})
	must(err)
	groups, groupOf := mobilevideogpt.Rates{LearningRate: 1e-4, ProjectorRate: 2e-5}.Groups()
	solver, err := train.NewAdamW(m.Parameters(), groups, groupOf)
	must(err)
	trainer, err := train.New(m, solver, train.Schedule{Kind: "constant"}, train.Options{Threads: b.team.Size()})
	must(err)
	eye, err := m.NewEye(nn.NewExec(b.team.Size()))
	must(err)
	var paths []string
	for i := range clips {
		paths = append(paths, b.film(fmt.Sprintf("clip%d.mp4", i), hd))
	}
	kept := map[string][]float32{}
	see := func(path string) mobilevideogpt.Features {
		if values, ok := kept[path]; ok {
			features, _ := c.Kept(values)
			return features
		}
		var store *video.Store
		list, _, err := store.Frames(b.ctx, path, video.Sampling{Least: 16, Most: 16}.Pick, nil, nil)
		must(err)
		shown := mobilevideogpt.Shown{Clip: true}
		for _, f := range list {
			shown.Frames = append(shown.Frames, f.Picture)
		}
		shots, err := c.Prepare([]mobilevideogpt.Shown{shown})
		must(err)
		features, err := eye.See(b.ctx, shots)
		must(err)
		kept[path] = c.Keep(features)
		return features
	}
	epoch := func() table.Span {
		return table.Clock(func() {
			for _, path := range paths {
				sample := spoken(c.Tokens(true), words)
				sample.Visual = see(path)
				_, err := trainer.Step(context.Background(), []train.Sample{sample})
				must(err)
			}
		})
	}
	epoch() // finds its memory
	var pairs []table.Pair
	for range 1 + b.rounds/3 {
		clear(kept)
		first := epoch()
		pairs = append(pairs, table.Pair{Measured: epoch(), Reference: first})
	}
	r := table.Gains(pairs)
	r.Note = "published encoders, language model of 1M"
	return r
}

// spoken is a sample of a clip's tokens among so many words, of which the later half is supervised.
func spoken(visual, words int) (s train.Sample) {
	labels := make([]int32, visual+words)
	for i := range labels {
		s.IDs = append(s.IDs, int32(i%700))
		if labels[i] = -100; i >= visual+words/2 {
			labels[i] = int32(i % 700)
		}
	}
	for i := range visual {
		s.Places = append(s.Places, int32(8+i))
	}
	s.Targets, s.Weights = train.Shift(labels)
	return s
}
