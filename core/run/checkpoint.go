package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	latestLink = "latest"
	bestLink   = "best"
)

// Saved is a checkpoint on disk.
type Saved struct {
	Step         int
	Path         string // absolute
	Best, Latest bool
}

// Checkpoint lets write fill a folder and shows it, complete, as checkpoints/step-NNNNNN; the folder is made beside and
// renamed. Then it becomes latest, and old checkpoints go: the Keep newest and the best stay.
//
// If anything fails (a full disk: IsDiskFull), the half-made folder is removed, the older checkpoints stay as they
// were, an error event is recorded, and the error returned; the run may go on.
func (w *Writer) Checkpoint(step int, write func(dir string) error) error {
	start := time.Now()
	name := stepName(step)
	folder := filepath.Join(w.dir, checkpoints)
	tmp := filepath.Join(folder, "."+name+".tmp")
	size, err := makeCheckpoint(tmp, filepath.Join(folder, name), write)
	if err != nil {
		os.RemoveAll(tmp)
		hint := ""
		if IsDiskFull(err) {
			hint = "; free some space on the disk"
		}
		err = fmt.Errorf("checkpoint of step %d was not written, the older ones are intact%s: %w", step, hint, err)
		event := w.Append(&Event{Head: Head{Step: step}, Level: LevelError, Text: err.Error()})
		return errors.Join(err, event)
	}
	if err := link(folder, latestLink, name); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", step, err)
	}
	if err := w.prune(); err != nil {
		return fmt.Errorf("remove old checkpoints: %w", err)
	}
	return w.Append(&Checkpoint{Head: Head{Step: step}, Path: filepath.Join(checkpoints, name),
		Seconds: Float(time.Since(start).Seconds()), Bytes: size})
}

// MarkBest makes the checkpoint of that step the best; it is kept until another one is.
func (w *Writer) MarkBest(step int) error {
	folder := filepath.Join(w.dir, checkpoints)
	if _, err := os.Stat(filepath.Join(folder, stepName(step))); err != nil {
		return fmt.Errorf("mark best checkpoint: %w", err)
	}
	if err := link(folder, bestLink, stepName(step)); err != nil {
		return fmt.Errorf("mark best checkpoint: %w", err)
	}
	return w.prune()
}

// IsDiskFull tells whether an error says that the disk, a quota or a size limit left no room.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func stepName(step int) string { return fmt.Sprintf("step-%06d", step) }

// makeCheckpoint fills tmp, brings it to the disk and renames it to final, in place of one of the same step.
func makeCheckpoint(tmp, final string, write func(dir string) error) (size int64, err error) {
	if err := os.RemoveAll(tmp); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return 0, err
	}
	if err := write(tmp); err != nil {
		return 0, err
	}
	if size, err = syncTree(tmp); err != nil {
		return 0, err
	}
	// After a resume a step repeats. Its old folder steps aside under a name that readers skip.
	aside := filepath.Join(filepath.Dir(final), "."+filepath.Base(final)+".old")
	if err := os.RemoveAll(aside); err != nil {
		return 0, err
	}
	if err := os.Rename(final, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	if err := os.Rename(tmp, final); err != nil {
		return 0, errors.Join(err, os.Rename(aside, final))
	}
	if err := os.RemoveAll(aside); err != nil {
		return 0, err
	}
	return size, syncPath(filepath.Dir(final))
}

// syncTree brings files and folders to the disk, where a full one shows at last, and returns the files' bytes.
func syncTree(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			size += info.Size()
		} else if !d.IsDir() {
			return nil
		}
		return syncPath(path)
	})
	return size, err
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// link points folder/name to target: a symbolic link, or a file with one line where the file system has none.
func link(folder, name, target string) error {
	tmp := filepath.Join(folder, "."+name+".tmp")
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		if err := writeSynced(tmp, []byte(target+"\n")); err != nil {
			return err
		}
	}
	return os.Rename(tmp, filepath.Join(folder, name))
}

// linked returns what link wrote, "" where there is nothing.
func linked(folder, name string) string {
	path := filepath.Join(folder, name)
	if target, err := os.Readlink(path); err == nil {
		return filepath.Base(target)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(data)))
}

// saved lists complete checkpoints by step. Latest is the highest step, even where a kill came before its link.
func saved(dir string) ([]Saved, error) {
	folder := filepath.Join(dir, checkpoints)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	best := linked(folder, bestLink)
	var list []Saved
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "step-")
		step, err := strconv.Atoi(digits)
		if ok && err == nil && e.IsDir() {
			list = append(list, Saved{Step: step, Path: filepath.Join(folder, e.Name()), Best: e.Name() == best})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Step < list[j].Step })
	if len(list) > 0 {
		list[len(list)-1].Latest = true
	}
	return list, nil
}

func latest(dir string) (Saved, bool) {
	list, err := saved(dir)
	if err != nil || len(list) == 0 {
		return Saved{}, false
	}
	return list[len(list)-1], true
}

func (w *Writer) prune() error {
	list, err := saved(w.dir)
	if err != nil {
		return err
	}
	for i, c := range list {
		if c.Best || i >= len(list)-max(1, w.Keep) {
			continue
		}
		// Under a hidden name first: a reader never sees half a checkpoint.
		gone := filepath.Join(filepath.Dir(c.Path), "."+filepath.Base(c.Path)+".gone")
		if err := os.Rename(c.Path, gone); err != nil {
			return err
		}
		if err := os.RemoveAll(gone); err != nil {
			return err
		}
	}
	return nil
}

// clearHalfMade removes what a killed writer left under hidden names. A checkpoint that had stepped aside for a
// successor that never came is put back.
func clearHalfMade(dir string) error {
	folder := filepath.Join(dir, checkpoints)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, hidden := strings.CutPrefix(e.Name(), ".")
		if !hidden {
			continue
		}
		path := filepath.Join(folder, e.Name())
		if step, aside := strings.CutSuffix(name, ".old"); aside {
			final := filepath.Join(folder, step)
			if _, err := os.Stat(final); errors.Is(err, os.ErrNotExist) {
				if err := os.Rename(path, final); err != nil {
					return err
				}
				continue
			}
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoints lists the run's complete checkpoints by step.
func (r *Run) Checkpoints() ([]Saved, error) { return saved(r.Dir) }

// Latest returns the checkpoint to resume from, false where there is none.
func (r *Run) Latest() (Saved, bool) { return latest(r.Dir) }

// Best returns the checkpoint marked as best, or the latest where none is; false where there is none at all.
func (r *Run) Best() (Saved, bool) {
	list, err := saved(r.Dir)
	if err != nil {
		return Saved{}, false
	}
	for _, c := range list {
		if c.Best {
			return c, true
		}
	}
	return latest(r.Dir)
}

// Latest returns the checkpoint to resume from, false where there is none.
func (w *Writer) Latest() (Saved, bool) { return latest(w.dir) }
