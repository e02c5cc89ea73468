package views

import "testing"

func TestViewsAreNamedWhereTheyFit(t *testing.T) {
	names := []string{"Overview", "Curves", "Classes", "Machine", "Details", "Compare"}
	for w, want := range map[int]string{
		200: "[ ] view: Overview [Curves] Classes Machine Details Compare",
		120: "[ ] view: Overview [Curves] Classes Machine Details Compare",
		80:  "[ ] view: Over [Curves] Clas Mach Deta Comp",
		60:  "[ ] view: Curves 2/6",
	} {
		if got := Strip(names, 1, w); got != want {
			t.Errorf("%d cells: %q", w, got)
		}
	}
}
