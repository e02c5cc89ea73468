package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"finetui/core/disk"
	"finetui/core/level"
	"finetui/ml/wholefile"
)

// Checkpoint lets write fill a folder and shows it, complete and with checksums, as checkpoints/step-NNNNNN; the folder
// is made beside and renamed. Then it is latest, and old checkpoints go: the Keep newest and the best stay. Every row
// that was appended before is in metrics.jsonl by then, and on the disk.
//
// If anything fails (a full disk: IsDiskFull), the half-made folder is removed, the older checkpoints stay as they
// were, an error event is recorded, and the error returned; the run may go on.
func (w *Writer) Checkpoint(step int, write func(dir string) error) error {
	name := stepName(step)
	folder := filepath.Join(w.dir, checkpoints)
	tmp := filepath.Join(folder, "."+name+".tmp")
	if err := w.makeCheckpoint(step, tmp, filepath.Join(folder, name), write); err != nil {
		err = fmt.Errorf("checkpoint of step %d was not written, the older ones are intact: %w", step,
			errors.Join(err, wholefile.RemoveAll(tmp)))
		return errors.Join(err, w.Append(&Event{Head: Head{Step: step}, Level: level.Error, Text: err.Error()}))
	}
	if err := wholefile.RemoveAll(filepath.Join(folder, brokenName(step))); err != nil {
		w.Logf("the damaged checkpoint of step %d is still there: %v", step, err)
	}
	return w.Mend()
}

// makeCheckpoint fills tmp, brings it to the disk and renames it to final, in place of one of the same step.
func (w *Writer) makeCheckpoint(step int, tmp, final string, write func(dir string) error) error {
	start := time.Now()
	if err := wholefile.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	if err := write(tmp); err != nil {
		return err
	}
	s, err := makeSeal(tmp, step)
	if err != nil {
		return err
	}
	if err := writeSeal(tmp, s); err != nil {
		return err
	}
	size, err := syncTree(tmp)
	if err != nil {
		return err
	}
	// The row comes first: a process that is killed in between writes both anew.
	err = w.Append(&Checkpoint{Head: Head{Step: step}, Path: filepath.Join(checkpoints, filepath.Base(final)),
		Seconds: Float(time.Since(start).Seconds()), Bytes: size})
	if err == nil {
		err = w.flush()
	}
	if err != nil {
		return err
	}
	// After a resume a step repeats. Its old folder steps aside under a name that readers skip.
	aside := filepath.Join(filepath.Dir(final), "."+filepath.Base(final)+".old")
	if err := wholefile.RemoveAll(aside); err != nil {
		return err
	}
	if err := wholefile.Rename(final, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := wholefile.Rename(tmp, final); err != nil {
		if back := wholefile.Rename(aside, final); !errors.Is(back, os.ErrNotExist) {
			err = errors.Join(err, back)
		}
		return err
	}
	if err := wholefile.RemoveAll(aside); err != nil {
		return err
	}
	return wholefile.SyncPath(filepath.Dir(final))
}

// Rate writes down how the checkpoint of a step did on valid. The best of all is kept until another one is. Every row
// that was appended before is in metrics.jsonl by then, so that no check counts as done whose row is lost.
func (w *Writer) Rate(step int, score Score) error {
	dir := filepath.Join(w.dir, checkpoints, stepName(step))
	s, err := readSeal(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s, err = makeSeal(dir, step)
	}
	if err == nil {
		err = w.flush()
	}
	if err == nil {
		s.Valid = &score
		err = writeSeal(dir, s)
	}
	if err != nil {
		return fmt.Errorf("rate the checkpoint of step %d: %w", step, err)
	}
	return w.Mend()
}

// Adopt gives a checkpoint of an older program its checksums, and the score that is known of it.
func (w *Writer) Adopt(s Saved, score *Score) error {
	seal, err := makeSeal(s.Path, s.Step)
	if err != nil {
		return err
	}
	seal.Valid = score
	return writeSeal(s.Path, seal)
}

func writeSeal(dir string, s seal) error {
	text, err := disk.Seal(s, "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, sealFile), text)
}

// Mend makes the links best and latest say what lies there, and removes the checkpoints that are no longer kept.
func (w *Writer) Mend() error {
	list, err := saved(w.dir, w.Info())
	if err != nil || len(list) == 0 {
		return err
	}
	folder := filepath.Join(w.dir, checkpoints)
	for _, s := range list {
		for name, is := range map[string]bool{latestLink: s.Latest, bestLink: s.Best} {
			if !is {
				continue
			}
			kept, err := link(folder, name, filepath.Base(s.Path), list)
			if err != nil { // readers find out by themselves
				w.Logf("%s could not be set to %s: %v", name, filepath.Base(s.Path), err)
			}
			if kept != "" {
				err := w.Append(&Event{Head: Head{Step: s.Step}, Level: level.Warn,
					Text: fmt.Sprintf("%s was a folder with files of its own; it is called %s now",
						filepath.Join(checkpoints, name), filepath.Base(kept))})
				if err != nil {
					return err
				}
			}
		}
	}
	return w.prune(list)
}

func (w *Writer) prune(list []Saved) error {
	for i, c := range list {
		if c.Best || i >= len(list)-max(1, w.Keep) {
			continue
		}
		// Under a hidden name first: a reader never sees half a checkpoint.
		gone := filepath.Join(filepath.Dir(c.Path), "."+filepath.Base(c.Path)+".gone")
		if err := wholefile.Rename(c.Path, gone); err != nil {
			return fmt.Errorf("remove old checkpoints: %w", err)
		}
		if err := wholefile.RemoveAll(gone); err != nil {
			return fmt.Errorf("remove old checkpoints: %w", err)
		}
	}
	return nil
}

// Latest returns the checkpoint to resume from, false where there is none.
func (w *Writer) Latest() (Saved, bool) { return latest(w.dir) }

// Best returns the checkpoint with the best score, false where none has one.
func (w *Writer) Best() (Saved, bool) {
	list, err := saved(w.dir, w.Info())
	if err != nil {
		return Saved{}, false
	}
	for _, s := range list {
		if s.Best {
			return s, true
		}
	}
	return Saved{}, false
}

// SetAside takes a damaged checkpoint out of the list, and says so. Its folder stays, as
// checkpoints/broken-step-NNNNNN, until the step is reached again.
func (w *Writer) SetAside(s Saved, why error) error {
	aside := filepath.Join(filepath.Dir(s.Path), brokenName(s.Step))
	if err := wholefile.RemoveAll(aside); err != nil {
		return err
	}
	if err := wholefile.Rename(s.Path, aside); err != nil {
		return err
	}
	way := "the run begins anew, since there is no other"
	if before, ok := w.Latest(); ok {
		way = fmt.Sprintf("the run goes on from that of step %d", before.Step)
	}
	text := fmt.Sprintf("the checkpoint of step %d is damaged (%v): %s; what is left of it is in %s", s.Step, why, way,
		filepath.Join(checkpoints, filepath.Base(aside)))
	w.Logf("%s", text)
	return w.Append(&Event{Head: Head{Step: s.Step}, Level: level.Warn, Text: text})
}

func brokenName(step int) string { return "broken-" + stepName(step) }

// setBrokenAside goes back to the newest checkpoint whose files are what they were.
func (w *Writer) setBrokenAside() error {
	for {
		s, ok := w.Latest()
		if !ok {
			return nil
		}
		fault := s.Verify()
		if fault == nil {
			return nil
		}
		if err := w.SetAside(s, fault); err != nil {
			return err
		}
	}
}

// clearHalfMade removes what a killed writer left under hidden names. A checkpoint that had stepped aside for a
// successor that never came is put back.
func clearHalfMade(dir string) error {
	folder := filepath.Join(dir, checkpoints)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, hidden := strings.CutPrefix(e.Name(), ".")
		path := filepath.Join(folder, e.Name())
		if !hidden {
			if err := clearTemporary(path, e); err != nil {
				return err
			}
			continue
		}
		if step, aside := strings.CutSuffix(name, ".old"); aside {
			final := filepath.Join(folder, step)
			if _, err := os.Stat(final); errors.Is(err, os.ErrNotExist) {
				if err := wholefile.Rename(path, final); err != nil {
					return err
				}
				continue
			}
		}
		if err := wholefile.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// clearTemporary removes the file that a writer was killed over in a checkpoint that is shown: its next score.
func clearTemporary(path string, e fs.DirEntry) error {
	if !e.IsDir() || !strings.HasPrefix(e.Name(), "step-") {
		return nil
	}
	return clearTemporaries(path)
}

// clearTemporaries removes the files of a folder that a killed process left before it could rename them (wholefile).
func clearTemporaries(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), ".tmp-") && !e.IsDir() {
			err = errors.Join(err, wholefile.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
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
		return wholefile.SyncPath(path)
	})
	return size, err
}

// IsDiskFull tells whether an error says that the disk, a quota or a size limit left no room.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
