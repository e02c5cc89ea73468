package qwen2vl

import (
	"fmt"

	"finetui/ml/qwen2vl/pixels"
)

// Grid counts the patches of one picture or clip: temporal slices, rows, columns.
type Grid = pixels.Grid

// mostSide bounds a grid, so that its sides can be multiplied without overflow.
const mostSide = 1 << 20

// checkGrid refuses a grid that is not made of whole tokens.
func checkGrid(g Grid, merge int) error {
	if min(g.T, g.H, g.W) < 1 || max(g.T, g.H, g.W) > mostSide || g.H%merge != 0 || g.W%merge != 0 {
		return fmt.Errorf("a grid of %d×%d×%d patches is not made of %d×%d blocks", g.T, g.H, g.W, merge, merge)
	}
	return nil
}

// checkPictures holds the number of pixel values against the grids of the pictures that they belong to.
func (v Vision) checkPictures(values int, grids []Grid) error {
	want := 0
	for i, g := range grids {
		if err := checkGrid(g, v.Merge); err != nil {
			return fmt.Errorf("picture %d: %w", i+1, err)
		}
		if g.Patches() > (values-want)/v.PatchWidth() {
			return fmt.Errorf("%d pixel values are too few for the grids of %d pictures", values, len(grids))
		}
		want += g.Patches() * v.PatchWidth()
	}
	if values != want {
		return fmt.Errorf("%d pixel values for grids that hold %d", values, want)
	}
	return nil
}

// Positions gives a prompt's tokens their M-RoPE positions [3][tokens] and the feature rows that take the places of
// its picture and video tokens (−1: none), grids in order of appearance.
//
// Text goes on by one in all three rows. A picture that starts at s = previous maximum + 1 has t = s+i_t, h = s+i_h,
// w = s+i_w over its merged grid, and the next text starts at the maximum + 1: the rule that the weights were trained
// with (transformers' get_rope_index up to version 4).
func (c Config) Positions(ids []int32, grids []Grid) (pos [3][]int32, features []int32, err error) {
	for r := range pos {
		pos[r] = make([]int32, len(ids))
	}
	features = make([]int32, len(ids))
	next, row, g := int32(0), int32(0), 0
	for i := 0; i < len(ids); {
		if ids[i] != c.ImageToken && ids[i] != c.VideoToken {
			pos[0][i], pos[1][i], pos[2][i], features[i] = next, next, next, -1
			next++
			i++
			continue
		}
		if g == len(grids) {
			return pos, nil, fmt.Errorf("the prompt holds a picture token at position %d, but only %d pictures came "+
				"with it: its text must not hold a picture's pad", i, len(grids))
		}
		grid := grids[g]
		g++
		if err := checkGrid(grid, c.Vision.Merge); err != nil {
			return pos, nil, fmt.Errorf("picture %d: %w", g, err)
		}
		h, w := grid.H/c.Vision.Merge, grid.W/c.Vision.Merge
		n := grid.T * h * w
		for k := range n {
			if i+k >= len(ids) || ids[i+k] != ids[i] {
				return pos, nil, fmt.Errorf("picture %d takes %d tokens, the prompt has room for %d", g, n, k)
			}
			pos[0][i+k] = next + int32(k/(h*w))
			pos[1][i+k] = next + int32(k/w%h)
			pos[2][i+k] = next + int32(k%w)
			features[i+k] = row
			row++
		}
		next += int32(max(grid.T, h, w))
		i += n
	}
	if g != len(grids) {
		return pos, nil, fmt.Errorf("%d pictures came with the prompt, which holds places for %d", len(grids), g)
	}
	return pos, features, nil
}

// blockOrder lists the row and column of each patch in the order
// of the pixel rows: (t, h/merge, w/merge, merge, merge).
func blockOrder(grids []Grid, merge int) (rows, cols []int32) {
	for _, g := range grids {
		for range g.T {
			for h := 0; h < g.H; h += merge {
				for w := 0; w < g.W; w += merge {
					for y := range merge {
						for x := range merge {
							rows, cols = append(rows, int32(h+y)), append(cols, int32(w+x))
						}
					}
				}
			}
		}
	}
	return rows, cols
}
