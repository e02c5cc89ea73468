package main

import (
	"fmt"

	"finetui/core/convert"
)

// runConvert writes the samples in a trainer's dialect.
func runConvert(c call) int {
	if len(c.words) != 0 {
		return c.fail(exitCall, "call it as finetui convert; CONVERT.DIALECT and CONVERT.OUTPUT say how and where")
	}
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	if err := convert.CheckTemplate(file.Config.Convert.UserPromptTemplate); err != nil {
		return c.fail(exitCall, "%v", err)
	}
	p, ok := c.openProject(file)
	if !ok {
		return exitFailed
	}
	defer p.Close()
	report, done := c.progress()
	result, err := convert.Write(c.ctx, p, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	if wantsJSON(file.Config) {
		if code := c.printJSON(result); code != exitDone {
			return code
		}
		return findingsCode(result.Findings)
	}
	for _, f := range result.Files {
		if f.Split == "" {
			c.print("%s", f.Path)
		} else {
			c.print("%s  %d records of %s", f.Path, f.Records, f.Split)
		}
	}
	printFindings(c, result.Findings)
	if result.Pictures > 0 {
		fmt.Fprintf(c.stderr, "%d pictures drawn below %s\n", result.Pictures, result.Output)
	}
	return findingsCode(result.Findings)
}
