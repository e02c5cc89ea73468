package stats

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"io"
	"os"
	"path/filepath"

	"finetui/core/dataset"
	"finetui/ml/wholefile"
)

// The analysis of a large set is kept in the project's .finetui folder under the state that the set was in. It is never
// needed: where it is missing, broken or of another state, the set is read.

const (
	keptTitle = "finetui analysis 1\n"
	mostKept  = 1 << 28 // bytes
)

func keptFile(project string) string { return filepath.Join(project, ".finetui", "analysis") }

// Kept is the analysis of a project's set in the state that it is in, where it was kept; else nil. The state is asked
// for where there is one to compare it with.
func Kept(project string, stateOf func() (dataset.State, bool)) *Analysis {
	file, err := wholefile.Read(keptFile(project), mostKept)
	if err != nil || !bytes.HasPrefix(file, []byte(keptTitle)) {
		return nil
	}
	state, told := stateOf()
	if !told {
		return nil
	}
	text, ours := bytes.CutPrefix(file, append([]byte(keptTitle), state[:]...))
	if !ours || len(text) < sha256.Size {
		return nil
	}
	if sum := sha256.Sum256(text[sha256.Size:]); !bytes.Equal(sum[:], text[:sha256.Size]) {
		return nil
	}
	a := &Analysis{}
	if gob.NewDecoder(bytes.NewReader(text[sha256.Size:])).Decode(a) != nil {
		return nil
	}
	return a
}

// Keep keeps the analysis of a project's set that was in that state before it was read. It fails in silence: the set is
// read again then.
func (a *Analysis) Keep(project string, state dataset.State) {
	path := keptFile(project)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return // somebody else's
	}
	var text bytes.Buffer
	if gob.NewEncoder(&text).Encode(a) != nil || text.Len() > mostKept || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	sum := sha256.Sum256(text.Bytes())
	_ = wholefile.Create(path, 0o644, func(out io.Writer) error {
		for _, part := range [][]byte{[]byte(keptTitle), state[:], sum[:], text.Bytes()} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}
