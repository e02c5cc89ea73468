package cores

import (
	"runtime"
	"testing"
)

func TestThreadsToSpareAreNoCoresToComputeOn(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	n := Count()
	if Answer(); Count() != n || runtime.GOMAXPROCS(0) <= n {
		t.Errorf("%d cores, %d threads; there were %d cores", Count(), runtime.GOMAXPROCS(0), n)
	}
}
