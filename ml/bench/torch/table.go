package main

import (
	"fmt"
	"slices"
)

// comparison collects the rounds of one row.
type comparison struct {
	ours, theirs []float64 // seconds
	wall, busy   []float64 // ratios
	found        string
}

func (c *comparison) add(ours, theirs span) {
	c.ours, c.theirs = append(c.ours, ours.wall.Seconds()), append(c.theirs, theirs.wall.Seconds())
	c.wall = append(c.wall, theirs.wall.Seconds()/ours.wall.Seconds())
	if ours.busy > 0 {
		c.busy = append(c.busy, theirs.busy.Seconds()/ours.busy.Seconds())
	}
}

// print writes the row: times, or rates where so many tokens were made in each round.
func (c *comparison) print(what, dtype string, tokens int, goal float64) {
	busy, met := "", "NO"
	if len(c.busy) > 0 {
		busy = fmt.Sprintf("%.2f×", median(c.busy))
	}
	if median(c.wall) >= goal {
		met = "yes"
	}
	fmt.Printf(format, what, amount(median(c.ours), tokens), dtype, amount(median(c.theirs), tokens),
		fmt.Sprintf("%.2f×", median(c.wall)), busy, fmt.Sprintf("≥ %.1f×", goal), met, c.found)
}

func amount(seconds float64, tokens int) string {
	if tokens > 0 {
		return fmt.Sprintf("%.1f tokens/s", float64(tokens)/seconds)
	}
	return fmt.Sprintf("%.1f ms", 1e3*seconds)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
