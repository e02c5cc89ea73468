package config

import (
	"slices"
	"testing"

	"finetui/core/config"
)

// What a run takes stands where the smallest screen shows it: before what the recipe comes to.
func TestWhatARunTakesComesFirst(t *testing.T) {
	e := &effect{of: &config.Config{}}
	e.Takes, e.TakesOf, e.DownloadBytes = "3 hours", "first look 4 s, steps 3 hours", 1<<30
	var labels []string
	for _, q := range quantities(e) {
		labels = append(labels, q.label)
	}
	want := []string{"steps", "memory", "time", "", "download", "samples"}
	if len(labels) < len(want) || !slices.Equal(labels[:len(want)], want) {
		t.Errorf("the consequences are %q, and begin with %q", labels, want)
	}
}
