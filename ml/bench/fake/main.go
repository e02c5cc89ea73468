// Command fake makes checkpoints of the published sizes and layouts with random weights, so that loading, memory and
// speed can be measured where the published ones cannot be had. What such a model says means nothing. qwen2-vl-0.5b is
// not published: it is the language model of qwen2.5-0.5b behind the tower of Qwen2-VL.
//
//	go run ./ml/bench/fake qwen2.5-0.5b|qwen2-vl-0.5b|qwen2-vl-2b|qwen2-vl-7b FOLDER [TOKENIZER]
//
// TOKENIZER is a folder with a tokenizer.json of Qwen2's vocabulary; without it, data/tokenizer/qwen2.5 in
// FINETUI_SHARED, or in the folder ../shared.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 2 || len(words) > 3 {
		return fmt.Errorf("call it as fake %s FOLDER [TOKENIZER]", strings.Join(kinds(), "|"))
	}
	shared := os.Getenv("FINETUI_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	tokenizer := filepath.Join(shared, "data", "tokenizer", "qwen2.5")
	if len(words) == 3 {
		tokenizer = words[2]
	}
	l, err := readLayout(words[0])
	if err != nil {
		return err
	}
	began := time.Now()
	bytes, err := l.write(words[1], tokenizer)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.2f GB of random weights in %.0f s\n", words[1], float64(bytes)/1e9, time.Since(began).Seconds())
	return nil
}
