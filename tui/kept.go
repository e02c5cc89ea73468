package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"finetui/ml/wholefile"
	"finetui/views"
)

// kept is what the workbench is to find again when it is opened the next time: what is marked in its panes.
type kept struct {
	Schema int                 `json:"schema"`
	Marks  map[string][]string `json:"marks"` // by pane
}

const keptSchema = 1

func keptFile(root string) string { return filepath.Join(root, ".finetui", "workbench.json") }

// recall gives the panes what was marked when the workbench of the project in root was left. Where that cannot be read
// nothing is marked.
func (r *root) recall(root string) {
	text, err := wholefile.Read(keptFile(root), 1<<20)
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil || k.Schema != keptSchema {
		return
	}
	for _, pane := range r.panes {
		if m, ok := pane.(views.Marker); ok {
			m.Mark(k.Marks[pane.Name()])
		}
	}
}

// keep writes down what is marked, for recall. A project that cannot be written goes without.
func (r *root) keep(root string) {
	k := kept{Schema: keptSchema, Marks: map[string][]string{}}
	for _, pane := range r.panes {
		if m, ok := pane.(views.Marker); ok && len(m.Marked()) > 0 {
			k.Marks[pane.Name()] = m.Marked()
		}
	}
	before, _ := wholefile.Read(keptFile(root), 1<<20)
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil || len(k.Marks) == 0 && before == nil || string(before) == string(text)+"\n" {
		return
	}
	if os.MkdirAll(filepath.Dir(keptFile(root)), 0o755) == nil {
		_ = wholefile.Write(keptFile(root), append(text, '\n'))
	}
}
