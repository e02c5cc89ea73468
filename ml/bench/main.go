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

	"finetui/ml/bench/table"
	"finetui/ml/bench/words"
	"finetui/ml/blas"
)

// row is one line of the table.
type row struct {
	name    string // words to choose it by
	what    string
	against string
	goal    table.Goal
	measure func(b *bench) table.Result
}

// bench is what the rows of one run share.
type bench struct {
	rounds  int
	layers  int // of the language model; the table's figures are of all 24
	blocks  int // of the vision tower; all: 32
	team    blas.Team
	text    *text          // made by the first row that needs it
	plain   *text          // the same without adapters
	stepped []table.Result // of the 0.5B step, which two rows share
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
	var lines []table.Line
	for _, r := range rows() {
		lines = append(lines, table.Line{Name: r.name, What: r.what, Against: r.against, Goal: r.goal,
			Measure: func() table.Result { return r.measure(b) }})
	}
	chosen := table.Choose(lines, words)
	if len(chosen) == 0 {
		fmt.Printf("no row of ml/bench is called %s\n", strings.Join(words, " or ")) // but of core/bench, perhaps
		return nil
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
	table.Print(chosen, b.team.Size())
	return nil
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
