package goldentest

import "testing"

// FolderTolerances reads tolerances.json of a folder of the golden folder, which names files by their place in it.
func FolderTolerances(t testing.TB, folder string) Tolerances {
	t.Helper()
	var files map[string]map[string]struct{ Atol *float64 }
	JSON(t, Dir(t, folder, "tolerances.json"), &files)
	tol := Tolerances{}
	for file, tensors := range files {
		for name, x := range tensors {
			if x.Atol != nil {
				tol[folder+"/"+file+" "+name] = *x.Atol
			}
		}
	}
	return tol
}
