package main

import (
	"fmt"

	"finetui/ml/bench/table"
)

// comparison collects the rounds of one row.
type comparison struct {
	ours, theirs []float64    // seconds
	wall, busy   []float64    // ratios
	used         [2][]float64 // processor seconds of ours and theirs
	found        string
}

func (c *comparison) add(ours, theirs table.Span) {
	c.ours, c.theirs = append(c.ours, ours.Wall.Seconds()), append(c.theirs, theirs.Wall.Seconds())
	c.wall = append(c.wall, theirs.Wall.Seconds()/ours.Wall.Seconds())
	if ours.Busy > 0 {
		c.busy = append(c.busy, theirs.Busy.Seconds()/ours.Busy.Seconds())
	}
	c.used[0], c.used[1] = append(c.used[0], ours.Busy.Seconds()), append(c.used[1], theirs.Busy.Seconds())
}

// cores says what both sides took of the processor.
func (c *comparison) cores() string {
	return fmt.Sprintf("%.1f and %.1f s of processor time", table.Median(c.used[0]), table.Median(c.used[1]))
}

// print writes the row: times, or rates where so many tokens were made in each round.
func (c *comparison) print(what, dtype string, tokens int, goal float64) {
	busy, met := "", "NO"
	if len(c.busy) > 0 {
		busy = fmt.Sprintf("%.2f×", table.Median(c.busy))
	}
	if table.Median(c.wall) >= goal {
		met = "yes"
	}
	fmt.Printf(format, what, amount(table.Median(c.ours), tokens), dtype, amount(table.Median(c.theirs), tokens),
		fmt.Sprintf("%.2f×", table.Median(c.wall)), busy, fmt.Sprintf("≥ %.1f×", goal), met, c.found)
}

func amount(seconds float64, tokens int) string {
	if tokens > 0 {
		return fmt.Sprintf("%.1f tokens/s", float64(tokens)/seconds)
	}
	return fmt.Sprintf("%.1f ms", 1e3*seconds)
}
