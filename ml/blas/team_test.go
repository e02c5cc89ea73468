package blas

import (
	"slices"
	"sync"
	"testing"
)

func TestForCoversTheRangeOnceInFixedPieces(t *testing.T) {
	pieces := func(team Team, n, grain int) [][2]int {
		var mu sync.Mutex
		var all [][2]int
		team.For(n, grain, func(lo, hi int) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, [2]int{lo, hi})
		})
		slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
		return all
	}
	for _, n := range []int{0, 1, 2, 5, 64, 100, 1000} {
		for _, grain := range []int{0, 1, 3, 64, 2000} {
			alone := pieces(Team{}, n, grain)
			next := 0
			for _, p := range alone {
				if p[0] != next || p[1] <= p[0] {
					t.Fatalf("n=%d grain=%d: pieces %v", n, grain, alone)
				}
				next = p[1]
			}
			if next != n {
				t.Fatalf("n=%d grain=%d: pieces end at %d", n, grain, next)
			}
			if got := pieces(NewTeam(3), n, grain); !slices.Equal(got, alone) {
				t.Fatalf("n=%d grain=%d: %v on three goroutines, %v on one", n, grain, got, alone)
			}
		}
	}
}

func TestRegionsInsideRegionsEnd(t *testing.T) {
	team := NewTeam(2)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var mu sync.Mutex
			total := 0
			team.For(20, 1, func(lo, hi int) {
				team.For(50, 5, func(lo, hi int) {
					mu.Lock()
					defer mu.Unlock()
					total += hi - lo
				})
			})
			if total != 1000 {
				t.Errorf("%d instead of 1000", total)
			}
		})
	}
	wg.Wait()
}

func TestPanicInAPieceReachesTheCaller(t *testing.T) {
	defer func() {
		if v := recover(); v != "piece 7" {
			t.Fatalf("recovered %v", v)
		}
	}()
	NewTeam(2).For(10, 1, func(lo, hi int) {
		if lo == 7 {
			panic("piece 7")
		}
	})
}

func TestZeroTeamHasOneGoroutine(t *testing.T) {
	if n := (Team{}).Size(); n != 1 {
		t.Fatal(n)
	}
}
