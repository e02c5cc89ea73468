// Package pixels cuts pictures into the patch rows that Qwen2-VL's vision tower takes: sizes by its rule, values
// normalised, patches in the order of its merger. It holds no weights and reads no pictures: see ml/picture.
package pixels

import (
	"errors"
	"fmt"

	"finetui/ml/picture"
)

// Processor is what preprocessor_config.json decides. The zero value is of no use: take DefaultProcessor or
// LoadProcessor.
type Processor struct {
	Patch     int // side of a patch in pixels
	Merge     int // patches a side that become one token
	Temporal  int // frames in a patch
	MinPixels int // of the resized picture
	MaxPixels int
	Mean, Std [3]float32 // of red, green and blue, on a scale of 0 to 1
}

// DefaultProcessor has the values of the Qwen2-VL processor's class, which hold where a model brings no file. The
// published models' files allow more pixels.
func DefaultProcessor() Processor {
	return Processor{
		Patch: 14, Merge: 2, Temporal: 2,
		MinPixels: 56 * 56, MaxPixels: 28 * 28 * 1280,
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073},
		Std:  [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
}

// Grid is the number of patches of a picture or clip: frames (in groups of Temporal), rows and columns.
type Grid struct{ T, H, W int }

// Patches is the number of patch rows.
func (g Grid) Patches() int { return g.T * g.H * g.W }

// Tokens is the number of places that the picture or clip takes in the text, for a merger of merge×merge patches.
func (g Grid) Tokens(merge int) int { return g.Patches() / (merge * merge) }

// RowSize is the number of values of one patch: 3 · Temporal · Patch².
func (p Processor) RowSize() int { return 3 * p.Temporal * p.Patch * p.Patch }

// Size is the size to which Rows brings a picture of w×h pixels.
func (p Processor) Size(w, h int) (newW, newH int, err error) {
	newH, newW, err = SmartResize(h, w, p.Patch*p.Merge, p.MinPixels, p.MaxPixels)
	return newW, newH, err
}

// Rows resizes a picture and cuts it into patches: [grid.Patches(), RowSize()] float32, rows in the order (h/merge,
// w/merge, merge, merge), columns in the order (channel, frame, y, x). A picture fills all Temporal frames of its
// patches alike.
func (p Processor) Rows(img *picture.RGB) (rows []float32, grid Grid, err error) {
	if err := img.Check(); err != nil {
		return nil, Grid{}, err
	}
	w, h, err := p.Size(img.W, img.H)
	if err != nil {
		return nil, Grid{}, err
	}
	if w != img.W || h != img.H {
		img = picture.Resize(img, w, h)
	}
	return p.Frames([]*picture.RGB{img})
}

// Frames cuts the frames of a clip into patches of Temporal frames each, in the order (t, h/merge, w/merge, merge,
// merge); see Rows. The last frame is repeated to fill its group. All frames must have one size, with sides that are
// multiples of Patch·Merge: nothing is resized.
func (p Processor) Frames(frames []*picture.RGB) (rows []float32, grid Grid, err error) {
	if len(frames) == 0 {
		return nil, Grid{}, errors.New("a clip without frames")
	}
	unit := p.Patch * p.Merge
	for i, f := range frames {
		if err := f.Check(); err != nil {
			return nil, Grid{}, fmt.Errorf("frame %d: %w", i, err)
		}
		if f.W != frames[0].W || f.H != frames[0].H {
			return nil, Grid{}, fmt.Errorf("frame %d has %dx%d pixels, the first one %dx%d: resize them to one size", i,
				f.W, f.H, frames[0].W, frames[0].H)
		}
		if f.W%unit != 0 || f.H%unit != 0 {
			return nil, Grid{}, fmt.Errorf("frame %d has %dx%d pixels, not multiples of %d: resize it", i,
				f.W, f.H, unit)
		}
	}
	grid = Grid{(len(frames) + p.Temporal - 1) / p.Temporal, frames[0].H / p.Patch, frames[0].W / p.Patch}
	rows = make([]float32, grid.Patches()*p.RowSize())
	levels := p.levels()
	group := make([]*picture.RGB, p.Temporal)
	rest := rows
	for t := range grid.T {
		for i := range group {
			group[i] = frames[min(t*p.Temporal+i, len(frames)-1)]
		}
		for y := 0; y < grid.H; y += p.Merge {
			for x := 0; x < grid.W; x += p.Merge {
				for i := range p.Merge * p.Merge {
					p.patch(rest[:p.RowSize()], group, &levels, (x+i%p.Merge)*p.Patch, (y+i/p.Merge)*p.Patch)
					rest = rest[p.RowSize():]
				}
			}
		}
	}
	return rows, grid, nil
}

// patch fills the row of the patch whose first pixel is at (x0, y0).
func (p Processor) patch(row []float32, group []*picture.RGB, levels *[3][256]float32, x0, y0 int) {
	i := 0
	for channel := range 3 {
		level := &levels[channel]
		for _, frame := range group {
			for y := range p.Patch {
				pixels := frame.Pix[3*((y0+y)*frame.W+x0):]
				for x := range p.Patch {
					row[i] = level[pixels[3*x+channel]]
					i++
				}
			}
		}
	}
}

// levels holds the normalised value of each 8-bit level and channel, rounded where the reference's (Pillow) processor
// rounds: after the division by 255, after taking off the mean, after the division by the standard deviation.
func (p Processor) levels() (table [3][256]float32) {
	const scale = 1.0 / 255
	for channel := range table {
		for v := range table[channel] {
			unit := float32(float64(v) * scale)
			table[channel][v] = float32(unit-p.Mean[channel]) / p.Std[channel]
		}
	}
	return table
}
