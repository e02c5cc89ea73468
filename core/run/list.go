package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"finetui/core/printable"
)

// List returns the runs of a folder by number. A run whose run.json cannot be read is listed with its Fault. A folder
// that does not exist holds no runs.
func List(runsDir string) ([]*Run, error) {
	entries, err := os.ReadDir(runsDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the runs cannot be listed: %w", err)
	}
	var runs []*Run
	for _, e := range entries {
		number, name, ok := splitLabel(e.Name())
		if !ok {
			continue
		}
		dir := filepath.Join(runsDir, e.Name())
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		r, err := Open(dir)
		if err != nil && r == nil {
			return nil, err
		}
		if err != nil {
			r.Fault = err
			r.Info = Info{Number: number, Name: name}
		}
		runs = append(runs, r)
	}
	sort.SliceStable(runs, func(i, j int) bool { return runs[i].Info.Number < runs[j].Info.Number })
	return runs, nil
}

// Find returns the run that ref names: a number ("3", "0003"), a folder name ("0003-enhanced"), a name ("enhanced": the
// newest of that name), or a path of a run directory.
func Find(runsDir, ref string) (*Run, error) {
	if ref == "" {
		return nil, fmt.Errorf("no run was named; give its number, name or path")
	}
	if strings.ContainsRune(ref, filepath.Separator) || ref == "." || ref == ".." {
		return openFor(runsDir, ref)
	}
	runs, err := List(runsDir)
	if err != nil {
		return nil, err
	}
	number, notNumber := strconv.Atoi(ref)
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if r.Label() == ref || notNumber == nil && r.Info.Number == number || r.Info.Name == ref {
			return r, r.Fault
		}
	}
	if r, err := openFor(runsDir, ref); err == nil {
		return r, nil
	}
	if len(runs) == 0 {
		return nil, printable.Missing("no run %q: %s holds no runs yet; `finetui train` starts one", ref, runsDir)
	}
	labels := make([]string, 0, len(runs))
	for _, r := range runs[max(0, len(runs)-8):] {
		labels = append(labels, r.Label())
	}
	return nil, printable.Missing("no run %q in %s; the newest: %s", ref, runsDir, strings.Join(labels, ", "))
}
