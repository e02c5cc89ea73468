package main

import (
	"errors"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/convert"
	"finetui/core/export"
	"finetui/core/model"
	"finetui/ml/lora"
)

// runExport writes for other programs: a run's best adapter alone, or merged into its base, or a base; or the samples
// and the constants of a run that another trainer shall do.
func runExport(c call) int {
	if len(c.words) == 2 && c.words[0] == "base" {
		return c.exportBase(c.words[1])
	}
	if len(c.words) == 2 {
		if dialect, ok := convert.TrainerOf(c.words[0]); ok {
			return c.handOver(dialect, c.words[1])
		}
	}
	merged := len(c.words) == 3 && c.words[0] == "merged"
	adapter := len(c.words) >= 3 && c.words[0] == "adapter" && (len(c.words) == 3 || len(c.words) == 4 &&
		c.words[3] == "old")
	if !merged && !adapter {
		return c.fail(exitCall, "call it as finetui export base FOLDER, finetui export merged RUN FOLDER, "+
			"finetui export adapter RUN FOLDER [old] (RUN may be an adapter's folder), or "+
			"finetui export llamafactory|ms-swift|trl|axolotl FOLDER")
	}
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	source, err := export.Find(file.Snapshot, c.words[1])
	if err != nil {
		return c.unusable(err)
	}
	if source.Note != "" {
		c.note("%s", source.Note)
	}
	folder := c.words[2]
	if merged {
		err = c.exportMerged(source, folder)
	} else {
		err = export.Adapter(source.Adapter, folder, adapterNaming(source, len(c.words) == 4))
	}
	if err != nil {
		return c.unusable(err)
	}
	return c.exported(source, folder)
}

// handOver writes the samples and the recipe for another trainer.
func (c call) handOver(dialect config.Dialect, folder string) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	output, err := filepath.Abs(folder)
	if err == nil {
		err = file.Override([]string{"CONVERT.DIALECT=" + string(dialect), "CONVERT.OUTPUT=" + output})
	}
	if err == nil {
		err = convert.CheckTemplate(file.Config.Convert.UserPromptTemplate)
	}
	if err != nil {
		return c.fail(exitCall, "%w", err)
	}
	p, code := c.openProject(file)
	if code != exitDone {
		return code
	}
	defer p.Close()
	report, done := c.progress()
	h, err := convert.HandOver(c.ctx, p, report)
	done()
	switch {
	case err != nil:
		return c.failure(err)
	case c.json:
		code = c.printJSON(h)
	default:
		c.converted(h.Result)
		for _, command := range h.Commands {
			c.print("  %s", command)
		}
	}
	if code != exitDone {
		return code
	}
	return findingsCode(h.Findings)
}

// exportBase writes MODEL.BASE as trainers read it.
func (c call) exportBase(folder string) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	source := export.Source{Title: "base " + file.Config.Model.Base, Base: file.Config.Model.Base, Root: file.Root}
	report, done := c.progress()
	b, err := model.OpenBase(c.ctx, source.Base, source.Root, report)
	if err == nil {
		err = errors.Join(export.Base(c.ctx, b, folder, report), b.Close())
	}
	done()
	if err != nil {
		return c.failure(err)
	}
	return c.exported(source, folder)
}

// adapterNaming is how the modules are to be called: a language model alone has no other names than the old ones.
func adapterNaming(source export.Source, old bool) lora.Naming {
	if old {
		return lora.Classic
	}
	if b, err := model.OpenLocal(source.Base, source.Root); err == nil {
		defer b.Close()
		if !b.Sees() {
			return lora.Classic
		}
	}
	return lora.Nested
}

func (c call) exportMerged(source export.Source, folder string) error {
	report, done := c.progress()
	defer done()
	b, err := model.OpenBase(c.ctx, source.Base, source.Root, report)
	if err != nil {
		return err
	}
	defer b.Close()
	note, err := source.Check(c.ctx, b, report)
	if err != nil {
		return err
	}
	if note != "" {
		c.note("%s.", note)
	}
	return export.Merged(c.ctx, b.Dir, source.Adapter, folder, report)
}

func (c call) exported(source export.Source, folder string) int {
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Kind   string `json:"kind"`
			Source string `json:"source"`
			Base   string `json:"base"`
			Folder string `json:"folder"`
		}{1, c.words[0], source.Title, source.Base, folder})
	}
	if c.words[0] == "base" {
		c.note("%s is exported", source.Title)
	} else {
		c.note("%s on %s is exported", source.Title, source.Base)
	}
	c.print("%s", folder)
	return exitDone
}
