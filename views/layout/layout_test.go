package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func overview() Node {
	return Row(
		Column(Panel("classes", 40, 8).Weighted(2).Prior(3), Panel("samples", 40, 8).Weighted(2)).Weighted(3),
		Column(Panel("conditions", 30, 4).AtMost(0, 6).Prior(2), Panel("imbalance", 30, 5).AtMost(0, 7),
			Panel("position", 30, 6)).Weighted(2),
	)
}

func TestBoxesTileEverySize(t *testing.T) {
	trees := map[string]Node{
		"overview": overview(),
		"grid": Column(Row(Panel("a", 20, 5), Panel("b", 20, 5), Panel("c", 20, 5)),
			Row(Panel("d", 0, 0), Panel("e", 90, 4))),
		"single": Panel("alone", 10, 10),
		"deep":   Row(Panel("a", 30, 3), Column(Panel("b", 30, 9), Row(Panel("c", 30, 9), Panel("d", 30, 9)))),
	}
	for name, tree := range trees {
		for w := 1; w <= 200; w++ {
			for _, h := range []int{1, 2, 3, 7, 18, 20, 24, 31, 32, 60} {
				if fault := tiling(tree, w, h); fault != "" {
					t.Fatalf("%s at %d×%d: %s", name, w, h, fault)
				}
			}
		}
	}
}

// tiling says how the boxes of a tree fail to cover w×h cells once, with every panel in one box.
func tiling(tree Node, w, h int) string {
	covered := make([]bool, w*h)
	var names []string
	for _, box := range Arrange(tree, w, h) {
		names = append(names, box.Names...)
		if box.W < 1 || box.H < 1 || box.X < 0 || box.Y < 0 || box.X+box.W > w || box.Y+box.H > h {
			return fmt.Sprintf("%v sticks out", box)
		}
		for y := box.Y; y < box.Y+box.H; y++ {
			for x := box.X; x < box.X+box.W; x++ {
				if covered[y*w+x] {
					return fmt.Sprintf("%v lies over another", box)
				}
				covered[y*w+x] = true
			}
		}
	}
	if slices.Contains(covered, false) {
		return "a cell is not covered"
	}
	all := Names(tree)
	slices.Sort(all)
	slices.Sort(names)
	if !slices.Equal(all, names) {
		return fmt.Sprintf("panels %v of %v", names, all)
	}
	return ""
}

func TestExtraPanelsAreLeftOutWhereTheyWouldShareABox(t *testing.T) {
	tree := Column(Panel("table", 40, 6).AtMost(0, 8), Row(Panel("list", 40, 6).Prior(1),
		Panel("picture", 30, 10).Extra()))
	for _, c := range []struct {
		w, h int
		want string
	}{
		{70, 16, "table 0,0 70×6 | list 0,6 40×10 | picture 40,6 30×10"},
		{69, 16, "table 0,0 69×8 | list 0,8 69×8"},
		{70, 15, "table 0,0 70×8 | list 0,8 70×7"},
		{40, 10, "table+list 0,0 40×10"},
	} {
		if got := picture(Arrange(tree, c.w, c.h)); got != c.want {
			t.Errorf("%d×%d: %s, want %s", c.w, c.h, got, c.want)
		}
	}
}

func TestPanelsStandThenStackThenFold(t *testing.T) {
	three := Row(Panel("a", 30, 6).Prior(2), Panel("b", 30, 6), Panel("c", 30, 6))
	for _, c := range []struct {
		w, h int
		want string
	}{
		{120, 20, "a 0,0 40×20 | b 40,0 40×20 | c 80,0 40×20"},
		{80, 24, "a 0,0 80×8 | b 0,8 80×8 | c 0,16 80×8"},
		{80, 16, "a 0,0 40×16 | b+c 40,0 40×16"},
		{50, 14, "a 0,0 50×7 | b+c 0,7 50×7"},
		{50, 8, "a+b+c 0,0 50×8"},
		{4, 2, "a+b+c 0,0 4×2"},
	} {
		if got := picture(Arrange(three, c.w, c.h)); got != c.want {
			t.Errorf("%d×%d: %s, want %s", c.w, c.h, got, c.want)
		}
	}
}

func TestOverviewLooksAsSketched(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want string
	}{
		{120, 30, "classes 0,0 70×15 | samples 0,15 70×15 | conditions 70,0 50×6 | imbalance 70,6 50×7 | position " +
			"70,13 50×17"},
		{80, 22, "classes 0,0 46×11 | samples 0,11 46×11 | conditions 46,0 34×6 | imbalance 46,6 34×7 | position " +
			"46,13 34×9"},
		{60, 18, "classes+samples 0,0 60×11 | conditions+imbalance+position 0,11 60×7"},
	} {
		if got := picture(Arrange(overview(), c.w, c.h)); got != c.want {
			t.Errorf("%d×%d:\n got %s\nwant %s", c.w, c.h, got, c.want)
		}
	}
}

func picture(boxes []Box) string {
	var parts []string
	for _, b := range boxes {
		parts = append(parts, fmt.Sprintf("%s %d,%d %d×%d", strings.Join(b.Names, "+"), b.X, b.Y, b.W, b.H))
	}
	return strings.Join(parts, " | ")
}
