package recipe

import "testing"

// A guess by the object type alone is right for the commonest class of each type: 119+282, 44+57+58 and so on of the
// published train split. Its usual place is chosen by the type, so it tells the same.
func TestThePlaceTellsNothingBeyondTheType(t *testing.T) {
	known := build(t, drains(drainCounts), constants(t, "enhanced")).Knowledge()
	if len(known) != 4 {
		t.Fatalf("%+v", known)
	}
	for i, want := range []struct{ texts, right int }{
		{1, 282}, // rock toe damaged
		{4, 58 + 282 + 202 + 174},
		{4, 58 + 282 + 202 + 174},
	} {
		if k := known[i]; k.Texts != want.texts || k.Right != want.right || k.N != 1129 ||
			k.Share != float64(want.right)/1129 {
			t.Errorf("told %s: %+v, want %+v", k.What, k, want)
		}
	}
	if known[3].Texts < known[1].Texts || known[3].Right < known[1].Right {
		t.Errorf("told more, less is known: %+v", known)
	}
}
