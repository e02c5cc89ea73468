package main

import (
	"finetui/core/convert"
)

// runConvert writes the samples in a trainer's dialect.
func runConvert(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	if err := convert.CheckTemplate(file.Config.Convert.UserPromptTemplate); err != nil {
		return c.fail(exitCall, "%w", err)
	}
	p, code := c.openProject(file)
	if code != exitDone {
		return code
	}
	defer p.Close()
	report, done := c.progress()
	result, err := convert.Write(c.ctx, p, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	if c.json {
		if code := c.printJSON(result); code != exitDone {
			return code
		}
		return findingsCode(result.Findings)
	}
	c.converted(result)
	return findingsCode(result.Findings)
}

// converted prints what was written, and what is to be said of it.
func (c call) converted(result *convert.Result) {
	for _, f := range result.Files {
		if f.Split == "" {
			c.print("%s", f.Path)
		} else {
			c.print("%s  %d records of %s", f.Path, f.Records, f.Split)
		}
	}
	printFindings(c.print, result.Findings)
	if result.Pictures > 0 {
		c.note("%d pictures drawn below %s", result.Pictures, result.Output)
	}
}
