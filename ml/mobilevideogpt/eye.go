package mobilevideogpt

import (
	"context"
	"errors"
	"fmt"

	"finetui/ml/clip"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/videomamba"
)

// Eye is one worker that looks at clips and pictures. What it makes of them is always the same, so that it is worth
// keeping.
type Eye struct {
	e      *nn.Exec
	config Config
	image  *clip.Tower
	video  *videomamba.Encoder
	rows   []float32
}

// NewEye returns an eye that works on e.
func (m *Model) NewEye(e *nn.Exec) (*Eye, error) {
	if m.Image == nil || m.Video == nil {
		return nil, errors.New("the model was built without its encoders and sees nothing")
	}
	return &Eye{e: e, config: m.Config, image: m.Image.NewTower(e), video: m.Video.NewEncoder(e)}, nil
}

// See looks at all that is shown. ctx ends it between two layers.
func (y *Eye) See(ctx context.Context, shots Shots) (Features, error) {
	y.image.Check, y.video.Check = ctx.Err, ctx.Err
	var out Features
	for i, s := range shots.Shots {
		seen, err := y.see(s)
		if err != nil {
			return nil, fmt.Errorf("clip or picture %d: %w", i+1, err)
		}
		out = append(out, seen)
	}
	return out, nil
}

func (y *Eye) see(s Shot) (out Seen, err error) {
	c := y.config
	if n := len(s.Image); s.Clip && (n != Frames || len(s.Video) != n) || !s.Clip && n != 1 {
		return out, fmt.Errorf("it has %d and %d frames", n, len(s.Video))
	}
	y.rows = y.rows[:0]
	for _, f := range s.Image {
		y.rows, err = frame(y.rows, f, c.Image.Side, c.Image.Patches()*c.Image.PatchWidth(), c.Image.Rows)
		if err != nil {
			return out, err
		}
	}
	if out.Image, err = y.image.Features(y.rows); err != nil || !s.Clip {
		return out, err
	}
	each := len(out.Image) / Frames * Chunk
	y.rows = y.rows[:0]
	for first := 0; first < Frames; first += Chunk {
		x := out.Image[first/Chunk*each : (first/Chunk+1)*each]
		scores := Scores(y.e, x, Chunk, c.Image.Hidden)
		out.Scores = append(out.Scores, scores...)
		for _, i := range Choose(scores, c.Select, c.TopK) {
			out.Chosen = append(out.Chosen, first+i)
			y.rows, err = frame(y.rows, s.Video[first+i], c.Video.Side, c.Video.Patches()*c.Video.PatchWidth(),
				c.Video.Rows)
			if err != nil {
				return out, err
			}
		}
	}
	video, err := y.video.Features(y.rows)
	if err != nil {
		return out, err
	}
	out.Video = c.pool(video)
	return out, nil
}

// pool averages what the video encoder gives, [frames·patches, width], to 7×7 places a frame.
func (c Config) pool(video []float32) []float32 {
	side, width := c.Video.Side/c.Video.Patch, c.Video.Hidden
	from, to := side*side*width, videoGrid*videoGrid*width
	out := make([]float32, c.Video.Frames*to)
	for f := range c.Video.Frames {
		nn.PoolGrid(video[f*from:(f+1)*from], out[f*to:(f+1)*to], side, videoGrid, width)
	}
	return out
}

// frame appends the patches of a frame of an encoder's size; those of a missing one are zero.
func frame(rows []float32, f *picture.RGB, side, values int, cut func([]float32, *picture.RGB) []float32) ([]float32,
	error) {
	if f == nil {
		return append(rows, make([]float32, values)...), nil
	}
	if err := f.Check(); err != nil || f.W != side || f.H != side {
		return rows, errors.Join(fmt.Errorf("a frame is not %d×%d pixels large", side, side), err)
	}
	return cut(rows, f), nil
}
