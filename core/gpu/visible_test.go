package gpu

import (
	"errors"
	"slices"
	"testing"
)

func TestVisibleGPUsAreThoseOfTheVariableElseAllOfTheDriver(t *testing.T) {
	three := []Device{{Index: 0, UUID: "GPU-a"}, {Index: 1, UUID: "GPU-b"}, {Index: 2}}
	for _, c := range []struct {
		variable string
		set      bool
		all      []Device
		want     []string
	}{
		{"", false, three, []string{"GPU-a", "GPU-b", "2"}},
		{"", false, nil, nil},
		{"1, GPU-a", true, three, []string{"1", "GPU-a"}},
		{"2,2", true, three, []string{"2"}},
		{"0,-1,1", true, three, []string{"0"}},
		{"", true, three, nil},
	} {
		got := visible(func(string) (string, bool) { return c.variable, c.set }, func() ([]Device, error) {
			if c.all == nil {
				return nil, errors.New("no driver")
			}
			return c.all, nil
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s=%q (set %v): %q, want %q", VisibleVariable, c.variable, c.set, got, c.want)
		}
	}
}
