package dataset

import (
	"path/filepath"
	"slices"
)

// Append adds another set, EVAL.DATA, as one split that nothing
// but scoring sees. Without a name it adds findings alone.
func (d *Dataset) Append(split string, more *Dataset) {
	d.own = &own{splits: len(d.Splits), items: len(d.Items), findings: len(d.Findings)}
	if split != "" {
		d.Splits = append(slices.Clip(d.Splits), split)
	}
	d.Items = slices.Grow(slices.Clip(d.Items), len(more.Items)) // others may have the same items
	for _, item := range more.Items {
		item.ID = split + "/" + item.ID
		item.Split = split
		d.Items = append(d.Items, item)
	}
	d.Findings = slices.Clip(d.Findings)
	for _, f := range more.Findings {
		if f.File != "" {
			// a name within one set may be another file in the other
			f.File = d.Short(below(more.Root, filepath.FromSlash(f.File)))
		}
		d.Findings = append(d.Findings, f)
	}
}

// own is how much of a set is its own, before what Append added.
type own struct{ splits, items, findings int }

// Own is the set without what Append added: what a run depends on. It shares everything with the set.
func (d *Dataset) Own() *Dataset {
	if d.own == nil {
		return d
	}
	alone := *d
	alone.own = nil
	alone.Splits, alone.Items, alone.Findings = d.Splits[:d.own.splits:d.own.splits], d.Items[:d.own.items:d.own.items],
		d.Findings[:d.own.findings:d.own.findings]
	return &alone
}
