package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/demo/base"
	"finetui/core/demo/chain"
	"finetui/core/demo/clipbase"
)

// demoQVED is the preset of the demo with clips.
const demoQVED = "demo-qved"

// makeDemoData draws the data sets of a demo's preset, which c's first word names. Others have none.
func makeDemoData(c call, file *config.File, listed func(format string, args ...any)) error {
	report, done := c.progress()
	defer done()
	o := chain.Options{Report: report, Log: listed}
	switch c.words[0] {
	case "demo":
		return chain.Data(c.ctx, file.Snapshot, o)
	case demoQVED:
		return chain.ClipData(c.ctx, file.Snapshot, o)
	}
	return nil
}

// runDemo runs the whole chain on the demo project, on pictures or on clips, or makes a base that the program carries.
func runDemo(c call) int {
	switch {
	case len(c.words) == 0:
		return runDemoChain(c, "demo", chain.Run)
	case len(c.words) == 1 && c.words[0] == "qved":
		return runDemoChain(c, demoQVED, chain.RunClips)
	case len(c.words) == 2 && c.words[0] == "base":
		return runDemoBase(c, c.words[1], pictureBase)
	case len(c.words) == 3 && c.words[0] == "qved" && c.words[1] == "base":
		return runDemoBase(c, c.words[2], clipBase)
	}
	return c.fail(exitCall, "call it as finetui demo, finetui demo base FOLDER, finetui demo qved, or finetui demo qved "+
		"base FOLDER")
}

// runDemoChain runs a demo's chain on the project of this folder, which is made if there is none.
func runDemoChain(c call, preset string, run func(context.Context, *config.Snapshot, chain.Options) ([]string,
	error)) int {
	if _, err := os.Stat(configFile); errors.Is(err, os.ErrNotExist) {
		first := c
		first.words, first.overrides, first.stdout = []string{preset}, nil, c.stderr
		if code := runNew(first); code != exitDone {
			return code
		}
	}
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	if clips := file.Config.Dataset.Format == "qved"; clips != (preset == demoQVED) {
		return c.fail(exitCall, "the project in this folder is not this demo's: DATASET.FORMAT is %q in %s; go to a "+
			"folder of its own", file.Config.Dataset.Format, configFile)
	}
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	report, done := c.progress()
	options := chain.Options{Exe: exe, Version: version(), Report: report, Log: c.print}
	if c.json {
		options.Log = c.note
	}
	paths, err := run(c.ctx, file.Snapshot, options)
	done()
	if err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Report string `json:"report"`         // Markdown
			HTML   string `json:"html,omitempty"` // the same, where there is one
		}{1, paths[0], strings.Join(paths[1:], "")})
	}
	c.print("%s", strings.Join(paths, "\n"))
	return exitDone
}

// runDemoBase pretrains the base that the program carries for a demo anew.
func runDemoBase(c call, folder string, pretrain func(ctx context.Context, dir string,
	log func(string, ...any)) error) int {
	began := time.Now()
	log := func(format string, args ...any) {
		c.note("%6.0f s  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	if err := pretrain(c.ctx, folder, log); err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Folder string `json:"folder"`
		}{1, folder})
	}
	c.print("%s", folder)
	return exitDone
}

func pictureBase(ctx context.Context, dir string, log func(string, ...any)) error {
	return base.Make(ctx, dir, base.Options{Seed: base.Seed, Log: log})
}

func clipBase(ctx context.Context, dir string, log func(string, ...any)) error {
	return clipbase.Make(ctx, dir, clipbase.Options{Seed: clipbase.Seed, Log: log})
}
