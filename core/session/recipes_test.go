package session

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestRecipesAreComparedOverTheirSeeds makes runs of two recipes
// with several seeds and groups them rightly and wrongly.
func TestRecipesAreComparedOverTheirSeeds(t *testing.T) {
	file := projectFile(t)
	s := openSession(t, file)
	var labels []string
	for _, r := range []struct{ name, seed, sampling string }{
		{"plain", "1", "instance"}, {"plain", "2", "instance"}, {"root", "1", "square_root"},
		{"root", "2", "square_root"},
		{"plain-again", "1", "instance"},
	} {
		set(t, file, "PROJECT.SEED", r.seed)
		set(t, file, "RECIPE.SAMPLING", r.sampling)
		label := addRun(t, s, file, r.name, 1)
		if _, err := s.Evaluate(context.Background(), label, "test", nil); err != nil {
			t.Fatal(err)
		}
		labels = append(labels, label)
	}
	c, err := s.CompareRecipes([]Recipe{{Runs: labels[:2]}, {Runs: labels[2:4]}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if c.Variants[0].Name != "plain" || c.Variants[1].Name != "root" || len(c.Variants[1].Runs) != 2 || c.SeedDF != 2 {
		t.Errorf("recipes %+v with %d degrees of freedom", c.Variants, c.SeedDF)
	}
	if got := strings.Join(c.Differences[0].Constants, "; "); got != "RECIPE.SAMPLING instance → square_root" {
		t.Errorf("the recipes differ in %s", got)
	}
	for _, wrong := range []struct {
		groups [][]string
		says   string
	}{
		{[][]string{{labels[0], labels[2]}, {labels[1]}}, "they differ in RECIPE.SAMPLING instance → square_root"},
		{[][]string{{labels[0], labels[4]}, {labels[2]}}, "have the same PROJECT.SEED (1)"},
		{[][]string{{labels[0], labels[0]}, {labels[2]}}, "stands twice"},
		{[][]string{{}, {labels[2]}}, "names no recipe"},
		{[][]string{{labels[0]}, {"base"}}, "finetui eval base"},
	} {
		var recipes []Recipe
		for _, runs := range wrong.groups {
			recipes = append(recipes, Recipe{Runs: runs})
		}
		_, err := s.CompareRecipes(recipes, "test")
		if err == nil || !strings.Contains(err.Error(), wrong.says) {
			t.Errorf("%v: %v, not %q", wrong.groups, err, wrong.says)
		}
		if grouped := errors.As(err, new(WrongGroups)); grouped == errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: the call is wrong, and it is not told from what is missing: %v", wrong.groups, err)
		}
	}
	board, err := s.Results("test")
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := s.Board(board[:2])
	if err != nil || !pairs.Pairs[0].SameRecipe || pairs.Pairs[0].Tells() {
		t.Errorf("two seeds of one recipe are told apart: %+v, %v", pairs, err)
	}
}
