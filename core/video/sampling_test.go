package video

import (
	"slices"
	"testing"

	"finetui/ml/goldentest"
)

// TestSamplingIsThatOfTheReference takes the table of the golden folder; where the original program fails, what the
// table suggests.
func TestSamplingIsThatOfTheReference(t *testing.T) {
	var rows []struct {
		Mode      string
		Frames    int `json:"n_frames"`
		FPS       float64
		Most      int      `json:"max_frames"`
		Least     int      `json:"min_frames"`
		From      *float64 `json:"start_s"`
		To        *float64 `json:"end_s"`
		Indices   []int
		Suggested []int
	}
	goldentest.JSON(t, goldentest.Dir(t, "mobile-videogpt", "sampling", "table.json"), &rows)
	if len(rows) < 100 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		rule, want := Sampling{Least: row.Least, Most: row.Most}, row.Indices
		if want == nil {
			want = row.Suggested
		}
		got := rule.Indices(row.Frames, row.FPS)
		if row.From != nil {
			got = rule.Between(row.Frames, row.FPS, *row.From, *row.To)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, %d frames at %v: %v, want %v", row.Mode, row.Frames, row.FPS, got, want)
		}
	}
}

func TestSamplingOfAnyClipIsAscendingAndInside(t *testing.T) {
	for n := range 70 {
		for _, fps := range []float64{-1, 0, 0.3, 1, 2.5, 29.97, 1e9} {
			for _, rule := range []Sampling{{8, 16}, {16, 16}, {0, 0}, {1, 1}, {20, 5}} {
				for _, list := range [][]int{rule.Indices(n, fps), rule.Between(n, fps, 0.5, 1),
					rule.Between(n, fps, 9, 1)} {
					for i, at := range list {
						if at < 0 || at >= n || i > 0 && at <= list[i-1] {
							t.Fatalf("%+v of %d at %v: %v", rule, n, fps, list)
						}
					}
				}
				if n > 0 && len(rule.Indices(n, fps)) == 0 {
					t.Errorf("%+v of %d at %v takes nothing", rule, n, fps)
				}
			}
		}
	}
}
