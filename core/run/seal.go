package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/ml/train"
	"finetui/ml/wholefile"
)

// sealFile says of a checkpoint what its files hold, and how it did on valid. It is written last.
const sealFile = "checkpoint.json"

// Score is how a checkpoint did on valid.
type Score struct {
	Loss     Float `json:"loss"`
	Accuracy Float `json:"accuracy"`
	MacroF1  Float `json:"macro_f1"`
}

// By is the score that TRAIN.BEST_BY names: the higher, the better. No score, or one that is no number, is below all
// others; by the last step all are alike.
func (s *Score) By(name config.BestBy) float64 {
	if name == config.BestByLast {
		return 0
	}
	if s == nil {
		return math.Inf(-1)
	}
	v := map[config.BestBy]float64{config.BestByAccuracy: float64(s.Accuracy), config.BestByMacroF1: float64(s.MacroF1)}
	score, ok := v[name]
	if !ok {
		score = -float64(s.Loss)
	}
	if math.IsNaN(score) {
		return math.Inf(-1)
	}
	return score
}

// seal is a sealFile.
type seal struct {
	Schema int               `json:"schema"`
	Step   int               `json:"step"`
	Files  map[string]string `json:"files"`           // name → SHA-256 of the bytes
	Valid  *Score            `json:"valid,omitempty"` // nil: it was not measured yet
}

// readSeal reads a checkpoint's sealFile. One of an older program has none: fs.ErrNotExist.
func readSeal(dir string) (s seal, err error) {
	path := filepath.Join(dir, sealFile)
	text, err := wholefile.Read(path, smallFile)
	if err != nil {
		return s, err
	}
	object, sealed, broken := disk.Unseal(text)
	if !sealed || json.Unmarshal(object, &s) != nil {
		return seal{}, fmt.Errorf("%s is damaged", sealFile)
	}
	if broken != nil {
		return seal{}, fmt.Errorf("%s is damaged: %w", sealFile, broken)
	}
	return s, nil
}

// makeSeal notes what the files of a checkpoint hold.
func makeSeal(dir string, step int) (s seal, err error) {
	s = seal{Schema: Schema, Step: step, Files: map[string]string{}}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() || e.Name() == sealFile {
			continue
		}
		if s.Files[e.Name()], err = sumOf(filepath.Join(dir, e.Name())); err != nil {
			return s, err
		}
	}
	return s, err
}

func sumOf(path string) (string, error) {
	f, err := wholefile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Verify reads the checkpoint's files and holds them against their checksums. An error is a sentence that says what is
// damaged. A checkpoint of an older program has no checksums: nil.
func (s Saved) Verify() error { return s.verify(func(string) bool { return true }) }

// answers says of a checkpoint's file whether a model that answers depends on it: all do but those that only the next
// step needs.
func answers(name string) bool {
	return !strings.HasPrefix(name, "optimizer.") && name != train.StateFile
}

// verify is Verify for some of the files.
func (s Saved) verify(which func(name string) bool) error {
	seal, err := readSeal(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if seal.Step != s.Step {
		return fmt.Errorf("%s is that of step %d", sealFile, seal.Step)
	}
	var names []string
	for name := range seal.Files {
		if which(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		path := filepath.Join(s.Path, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s is missing", name)
		case err == nil && !info.Mode().IsRegular():
			return fmt.Errorf("%s is %s", name, wholefile.Kind(info))
		}
		sum, err := sumOf(path)
		if err != nil {
			return fmt.Errorf("%s cannot be read: %w", name, err)
		}
		if sum != seal.Files[name] {
			return fmt.Errorf("%s is damaged: its checksum does not fit", name)
		}
	}
	return nil
}
