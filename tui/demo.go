package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"finetui/core/config"
	"finetui/core/demo/base"
	"finetui/core/demo/chain"
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

// runDemo runs the whole chain on the demo project, on pictures or on clips, or makes the base that the program carries.
func runDemo(c call) int {
	switch {
	case len(c.words) == 0:
		return runDemoChain(c, "demo", chain.Run)
	case len(c.words) == 1 && c.words[0] == "qved":
		return runDemoChain(c, demoQVED, chain.RunClips)
	}
	return runDemoBase(c)
}

// runDemoChain runs a demo's chain on the project of this folder, which is made if there is none.
func runDemoChain(c call, preset string, run func(context.Context, *config.Snapshot, chain.Options) (string,
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
	path, err := run(c.ctx, file.Snapshot, options)
	done()
	if err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Report string `json:"report"`
		}{1, path})
	}
	c.print("%s", path)
	return exitDone
}

// runDemoBase pretrains the built-in base anew.
func runDemoBase(c call) int {
	if len(c.words) != 2 || c.words[0] != "base" {
		return c.fail(exitCall, "call it as finetui demo, finetui demo qved, or finetui demo base FOLDER")
	}
	began := time.Now()
	log := func(format string, args ...any) {
		c.note("%6.0f s  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	if err := base.Make(c.ctx, c.words[1], base.Options{Seed: base.Seed, Log: log}); err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Folder string `json:"folder"`
		}{1, c.words[1]})
	}
	c.print("%s", c.words[1])
	return exitDone
}
