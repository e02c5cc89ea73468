package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"finetui/core/disk"
)

// Create makes the next run directory, "0003-name", in runsDir and returns its writer, which holds the run's lock.
// cfg is the snapshot of config.toml with overrides applied. Close the writer to leave the run to a process of its
// own (Start), or Begin to write it from this one.
//
// Two callers never get one number: it is claimed by making the folder ".0003", filled there, and shown by renaming it.
func Create(runsDir, name string, meta Meta, cfg []byte) (*Writer, error) {
	if err := os.MkdirAll(runsDir, 0o755); err != nil {
		return nil, fmt.Errorf("the run cannot be made: %w", err)
	}
	runsDir, err := filepath.Abs(runsDir)
	if err != nil {
		return nil, fmt.Errorf("the run cannot be made: %w", err)
	}
	number, claim, err := claimNumber(runsDir)
	if err != nil {
		return nil, fmt.Errorf("the run cannot be made: %w", err)
	}
	info := Info{Schema: Schema, Number: number, Name: CleanName(name), State: Created, Meta: meta,
		Machine: hostname(), Created: unix(time.Now()), LatestOfEquals: true,
		Frozen: map[string][]string{configFile: {disk.Sum(cfg)}}}
	dir := filepath.Join(runsDir, fmt.Sprintf("%04d-%s", number, info.Name))
	info.RootFrom = rootFrom(dir, meta.Root)
	w, err := fill(claim, info, cfg)
	if err == nil {
		if err = os.Rename(claim, dir); err == nil {
			w.dir = dir
			return w, nil
		}
		w.Close()
	}
	os.RemoveAll(claim)
	return nil, fmt.Errorf("no run can be made in %s: %w", runsDir, err)
}

// claimNumber makes the folder ".NNNN" of the lowest number above all runs and claims.
func claimNumber(runsDir string) (int, string, error) {
	for {
		runs, claims, err := numbers(runsDir)
		if err != nil {
			return 0, "", err
		}
		number := 1 + max(highest(runs), highest(claims))
		claim := filepath.Join(runsDir, fmt.Sprintf(".%04d", number))
		if err := os.Mkdir(claim, 0o755); errors.Is(err, os.ErrExist) {
			continue
		} else if err != nil {
			return 0, "", err
		}
		// Somebody may have shown a run of that number since we looked.
		if runs, _, err = numbers(runsDir); err == nil && !slices.Contains(runs, number) {
			return number, claim, nil
		}
		os.Remove(claim)
		if err != nil {
			return 0, "", err
		}
	}
}

// numbers returns the numbers of the runs and of the claims in a folder.
func numbers(runsDir string) (runs, claims []int, err error) {
	entries, err := os.ReadDir(runsDir)
	for _, e := range entries {
		if name, hidden := strings.CutPrefix(e.Name(), "."); hidden {
			if n, err := strconv.Atoi(name); err == nil {
				claims = append(claims, n)
			}
		} else if n, _, ok := splitLabel(name); ok {
			runs = append(runs, n)
		}
	}
	return runs, claims, err
}

func highest(numbers []int) (most int) {
	for _, n := range numbers {
		most = max(most, n)
	}
	return most
}

// splitLabel takes "0003-enhanced" apart.
func splitLabel(label string) (number int, name string, ok bool) {
	digits, name, found := strings.Cut(label, "-")
	number, err := strconv.Atoi(digits)
	return number, name, found && err == nil && number > 0 && len(digits) >= 4
}

// fill puts a new run's files into a folder that nobody sees yet.
func fill(dir string, info Info, cfg []byte) (*Writer, error) {
	for _, sub := range []string{checkpoints, evalFolder, control} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	if err := writeSynced(filepath.Join(dir, configFile), cfg); err != nil {
		return nil, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, lock: lock, info: info, Keep: defaultKeep}
	if err = writeJSON(filepath.Join(dir, infoFile), info); err == nil {
		err = w.openLogs()
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// unix returns a time as Unix seconds to the millisecond.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
