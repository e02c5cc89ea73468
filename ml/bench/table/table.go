// Package table measures and prints: a line for each thing that is measured, beside something measured in turn with it
// in the same run, and the least or most that their ratio may be.
package table

import (
	"fmt"
	"strings"
)

// Goal bounds a ratio on one side.
type Goal struct {
	least, most float64
	percent     bool
}

func AtLeast(x float64) Goal        { return Goal{least: x} }
func AtLeastPercent(x float64) Goal { return Goal{least: x / 100, percent: true} }
func AtMost(x float64) Goal         { return Goal{most: x} }
func AtMostPercent(x float64) Goal  { return Goal{most: x / 100, percent: true} }

func (g Goal) met(ratio float64) bool {
	if g.most != 0 {
		return ratio <= g.most
	}
	return ratio >= g.least
}

func (g Goal) String() string {
	if g.most != 0 {
		return "≤ " + g.format(g.most)
	}
	return "≥ " + g.format(g.least)
}

func (g Goal) format(x float64) string {
	if g.percent {
		return fmt.Sprintf("%.1f %%", 100*x)
	}
	return fmt.Sprintf("%.2f×", x)
}

// Line is one line of the table. Its name holds the words to choose it by.
type Line struct {
	Name, What, Against string
	Goal                Goal
	Measure             func() Result
}

// Choose are the lines whose name contains one of the words; without words all.
func Choose(all []Line, words []string) (chosen []Line) {
	for _, l := range all {
		wanted := len(words) == 0
		for _, w := range words {
			wanted = wanted || strings.Contains(l.Name, w)
		}
		if wanted {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

const (
	format = "%-46s %17s  %-24s %17s %9s %9s %9s  %-4s %5s  %s\n"
	legend = `
ratio: median of interleaved rounds by the wall clock. (busy): the same by the processor time of this process and its
children. cores: how much of its cores the run held, beside what else runs on this machine. Where that is little the
wall clock tells of waiting and nothing else, and "met" goes by the processor time (marked *).
`
	alone = 0.85 // of the cores, to go by the wall clock
)

// Print measures the lines and prints them as they come, between a head and a legend. Cores are those that the
// reference of a line could use.
func Print(lines []Line, cores int) {
	fmt.Printf(format, "what", "measured", "beside", "", "ratio", "(busy)", "goal", "met", "cores", "")
	for _, l := range lines {
		l.print(l.Measure(), cores)
	}
	fmt.Print(legend)
}

func (l Line) print(res Result, cores int) {
	ratio, busy, held, star := res.Ratio, "", "", ""
	if res.Busy != 0 {
		share := min(1, res.Held/float64(cores))
		busy, held = l.Goal.format(res.Busy), fmt.Sprintf("%.0f %%", 100*share)
		if share < alone {
			ratio, star = res.Busy, "*"
		}
	}
	met := "NO"
	if l.Goal.met(ratio) {
		met = "yes"
	}
	fmt.Printf(format, l.What, res.Measured, l.Against, res.Reference, l.Goal.format(res.Ratio), busy, l.Goal, met+star,
		held, res.Note)
}
