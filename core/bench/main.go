// Command bench prints a table of the speeds of what lies around the engine (ml/bench has the engine's own): each thing
// beside something measured in the same run. What it reads it has drawn before, into a temporary folder.
//
//	go run ./core/bench                  all rows
//	go run ./core/bench video            the rows whose name contains one of the words
//	go run ./core/bench epoch ROUNDS=2   fewer rounds
//
// Words and NAME=value are those of ml/bench, so that one call of make bench chooses from both tables.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"finetui/ml/bench/table"
	"finetui/ml/bench/words"
	"finetui/ml/blas"
)

// bench is what the rows of one run share.
type bench struct {
	ctx    context.Context
	rounds int
	team   blas.Team
	dir    string
}

func main() {
	b := &bench{ctx: context.Background(), rounds: 5}
	var threads, others int
	names, err := words.Settings(os.Args[1:], map[string]any{"ROUNDS": &b.rounds, "THREADS": &threads,
		"LAYERS": &others, "BLOCKS": &others, "PROFILE": new(string)})
	b.team = blas.NewTeam(threads)
	if err == nil {
		err = b.run(names)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(names []string) (err error) {
	chosen := table.Choose(append(b.videoRows(), b.towerRows()...), names)
	if len(chosen) == 0 {
		fmt.Printf("no row of core/bench is called %s\n", strings.Join(names, " or "))
		return nil
	}
	if b.dir, err = os.MkdirTemp("", "finetui-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	fmt.Printf("\nkernels %s, %d of %d cores, %s, %d rounds, %s\n\n", blas.Kernels(), b.team.Size(), runtime.NumCPU(),
		runtime.Version(), b.rounds, time.Now().Format("2006-01-02 15:04"))
	table.Print(chosen, b.team.Size())
	return nil
}

// must ends the program: nothing here fails but for a fault of the machine.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
