// Command bench prints one table of the native engine's speeds, each beside something measured in the same run. It uses
// random weights at the shapes of published models, reads no file and writes none.
//
//	go run ./ml/bench                 all rows
//	go run ./ml/bench layer decode    the rows whose name contains one of the words
//	go run ./ml/bench step LAYERS=3 ROUNDS=2 PROFILE=step.prof
//
// ROUNDS are interleaved rounds of each row (long rows: fewer), LAYERS and BLOCKS make the language model and the tower
// shorter for a quick look, THREADS bounds the cores (0: all), PROFILE is a file for a processor profile.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"finetui/ml/bench/words"
	"finetui/ml/blas"
)

// row is one line of the table: something measured, something beside it, and the least or most that their ratio may be.
type row struct {
	name    string // words to choose it by
	what    string
	against string
	goal    goal
	measure func(b *bench) result
}

// result of a row. Rates and times are of the median round, ratio is the median of the rounds' ratios.
type result struct {
	measured, reference string // with their units
	ratio               float64
	busy                float64 // ratio by processor time instead of the wall clock; 0: not meaningful
	held                float64 // cores that were had while the other side ran, which could use them all
	note                string
}

// goal bounds a ratio on one side.
type goal struct {
	least, most float64
	percent     bool
}

func atLeast(x float64) goal        { return goal{least: x} }
func atLeastPercent(x float64) goal { return goal{least: x / 100, percent: true} }
func atMost(x float64) goal         { return goal{most: x} }
func atMostPercent(x float64) goal  { return goal{most: x / 100, percent: true} }

func (g goal) met(ratio float64) bool {
	if g.most != 0 {
		return ratio <= g.most
	}
	return ratio >= g.least
}

func (g goal) String() string {
	if g.most != 0 {
		return "≤ " + g.format(g.most)
	}
	return "≥ " + g.format(g.least)
}

func (g goal) format(x float64) string {
	if g.percent {
		return fmt.Sprintf("%.1f %%", 100*x)
	}
	return fmt.Sprintf("%.2f×", x)
}

// bench is what the rows of one run share.
type bench struct {
	rounds  int
	layers  int // of the language model; the table's figures are of all 24
	blocks  int // of the vision tower; all: 32
	team    blas.Team
	text    *text    // made by the first row that needs it
	plain   *text    // the same without adapters
	stepped []result // of the 0.5B step, which two rows share
}

func main() {
	b := &bench{rounds: 5, layers: textLayers, blocks: towerBlocks}
	threads, profile := 0, ""
	names, err := words.Settings(os.Args[1:], map[string]any{"ROUNDS": &b.rounds, "LAYERS": &b.layers,
		"BLOCKS": &b.blocks, "THREADS": &threads, "PROFILE": &profile})
	if err == nil {
		b.team = blas.NewTeam(threads)
		err = run(b, names, profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(b *bench, words []string, profile string) error {
	chosen := choose(rows(), words)
	if len(chosen) == 0 {
		return fmt.Errorf("no row is called %s", strings.Join(words, " or "))
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("kernels %s, %d of %d cores, %s, %d rounds, %s\n\n", blas.Kernels(), b.team.Size(), runtime.NumCPU(),
		runtime.Version(), b.rounds, time.Now().Format("2006-01-02 15:04"))
	fmt.Printf(format, "what", "measured", "beside", "", "ratio", "(busy)", "goal", "met", "cores", "")
	for _, r := range chosen {
		r.print(r.measure(b), b.team.Size())
	}
	fmt.Print(legend)
	return nil
}

const (
	format = "%-46s %17s  %-24s %17s %9s %9s %9s  %-4s %5s  %s\n"
	legend = `
ratio: median of interleaved rounds by the wall clock. (busy): the same by the processor time of this process.
cores: how much of its cores the run held, beside what else runs on this machine. Where that is little the wall clock
tells of waiting and nothing else, and "met" goes by the processor time (marked *).
`
	alone = 0.85 // of the cores, to go by the wall clock
)

func (r row) print(res result, cores int) {
	ratio, busy, held, star := res.ratio, "", "", ""
	if res.busy != 0 {
		share := min(1, res.held/float64(cores))
		busy, held = r.goal.format(res.busy), fmt.Sprintf("%.0f %%", 100*share)
		if share < alone {
			ratio, star = res.busy, "*"
		}
	}
	met := "NO"
	if r.goal.met(ratio) {
		met = "yes"
	}
	fmt.Printf(format, r.what, res.measured, r.against, res.reference, r.goal.format(res.ratio), busy, r.goal, met+star,
		held, res.note)
}

// rows are all lines of the table in their order.
func rows() []row {
	all := append(gemmRows(), frozenRows()...)
	all = append(all, layerRows()...)
	all = append(all, stepRows()...)
	all = append(all, tinyRows()...)
	all = append(all, towerRows()...)
	all = append(all, videoRows()...)
	all = append(all, decodeRows()...)
	return append(all, promptRows()...)
}

func choose(all []row, words []string) (chosen []row) {
	for _, r := range all {
		wanted := len(words) == 0
		for _, w := range words {
			wanted = wanted || strings.Contains(r.name, w)
		}
		if wanted {
			chosen = append(chosen, r)
		}
	}
	return chosen
}
