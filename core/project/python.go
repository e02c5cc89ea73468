package project

import (
	"context"
	"fmt"

	"finetui/core/config"
	"finetui/ml/torch"
)

// Python is the Python that MODEL.ENGINE = torch trains with. It is asked what it has, which takes a moment; the error,
// a *config.Unusable, says what is missing and the line that installs it.
func Python(ctx context.Context, file *config.Snapshot) (torch.Python, error) {
	c := file.Config.Torch
	p, err := torch.Find(ctx, file.Program(c.Python), file.Root)
	if err != nil {
		return p, &config.Unusable{Key: "MODEL.ENGINE", Text: "torch: " + err.Error(), Cause: err}
	}
	for _, need := range c.Needs() {
		if p.Versions[need.Package] == "" {
			return p, &config.Unusable{Key: need.Key, Text: fmt.Sprintf("needs the package %s, which %s (%s) lacks: %s",
				need.Package, p.Path, p.Why, p.Install(need.Package))}
		}
	}
	return p, nil
}
