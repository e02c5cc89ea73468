package qwen2vl

import (
	"slices"
	"strings"
	"testing"
)

// A word, a picture of 2×3 tokens, a word, a clip of 4 slices of
// 1×2 tokens with a second picture right behind it, a word.
func TestTextGoesOnBehindTheLargestPositionOfAPicture(t *testing.T) {
	c := Config{ImageToken: 9, VideoToken: 10, Vision: Vision{Merge: 2}}
	ids := []int32{1, 9, 9, 9, 9, 9, 9, 2, 10, 10, 10, 10, 10, 10, 10, 10, 9, 3}
	pos, features, err := c.Positions(ids, []Grid{{T: 1, H: 4, W: 6}, {T: 4, H: 2, W: 4}, {T: 1, H: 2, W: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ got, want []int32 }{
		"t":        {pos[0], []int32{0, 1, 1, 1, 1, 1, 1, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10}},
		"h":        {pos[1], []int32{0, 1, 1, 1, 2, 2, 2, 4, 5, 5, 5, 5, 5, 5, 5, 5, 9, 10}},
		"w":        {pos[2], []int32{0, 1, 2, 3, 1, 2, 3, 4, 5, 6, 5, 6, 5, 6, 5, 6, 9, 10}},
		"features": {features, []int32{-1, 0, 1, 2, 3, 4, 5, -1, 6, 7, 8, 9, 10, 11, 12, 13, 14, -1}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
}

func TestPositionsRefuseWhatDoesNotFit(t *testing.T) {
	c := Config{ImageToken: 9, VideoToken: 10, Vision: Vision{Merge: 2}}
	for name, tc := range map[string]struct {
		ids   []int32
		grids []Grid
		want  string
	}{
		"no picture":         {[]int32{1, 9, 2}, nil, "only 0 pictures"},
		"too few pads":       {[]int32{1, 9, 2}, []Grid{{T: 1, H: 4, W: 2}}, "takes 2 tokens"},
		"one picture more":   {[]int32{1, 9, 2}, []Grid{{T: 1, H: 2, W: 2}, {T: 1, H: 2, W: 2}}, "places for 1"},
		"cut off at the end": {[]int32{1, 9}, []Grid{{T: 1, H: 4, W: 4}}, "takes 4 tokens"},
		"half a block":       {[]int32{1, 9}, []Grid{{T: 1, H: 3, W: 2}}, "picture 1: a grid of 1×3×2"},
		"less than nothing":  {[]int32{1, 9}, []Grid{{T: -1, H: 4, W: 4}}, "picture 1: a grid of -1×4×4"},
		"more than can be": {[]int32{1, 9}, []Grid{{T: 1, H: 1 << 62, W: 4}},
			"picture 1: a grid of 1×4611686018427387904×4"},
	} {
		if _, _, err := c.Positions(tc.ids, tc.grids); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v does not say %q", name, err, tc.want)
		}
	}
}
