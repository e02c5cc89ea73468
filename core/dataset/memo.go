package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"io"
	"os"
	"path/filepath"

	"finetui/ml/wholefile"
)

// Memo is a file in a project's .finetui folder that keeps what was worked out of a large set, under the state that
// this depends on. It is never needed: where it is missing, broken or of another state, the set is read.
type Memo struct {
	Path  string
	Title string // that its file begins with
}

// MemoOf is the memo of a name for the project in a folder.
func MemoOf(project, name string) Memo {
	return Memo{filepath.Join(project, ".finetui", name), "finetui " + name + " 1\n"}
}

const mostKept = 1 << 28 // bytes

// Read fills in what was kept under a state, which is asked for where there is one to compare it with.
func (m Memo) Read(stateOf func() (State, bool), into any) bool {
	file, err := wholefile.Read(m.Path, mostKept)
	if err != nil || !bytes.HasPrefix(file, []byte(m.Title)) {
		return false
	}
	state, told := stateOf()
	if !told {
		return false
	}
	text, ours := bytes.CutPrefix(file, append([]byte(m.Title), state[:]...))
	if !ours || len(text) < sha256.Size {
		return false
	}
	if sum := sha256.Sum256(text[sha256.Size:]); !bytes.Equal(sum[:], text[:sha256.Size]) {
		return false
	}
	return gob.NewDecoder(bytes.NewReader(text[sha256.Size:])).Decode(into) == nil
}

// Write keeps a value under the state in which the set was before it was read. It fails in silence: the set is read
// again then.
func (m Memo) Write(state State, value any) {
	if info, err := os.Lstat(m.Path); err == nil && !info.Mode().IsRegular() {
		return // somebody else's
	}
	var text bytes.Buffer
	if gob.NewEncoder(&text).Encode(value) != nil || text.Len() > mostKept ||
		os.MkdirAll(filepath.Dir(m.Path), 0o755) != nil {
		return
	}
	sum := sha256.Sum256(text.Bytes())
	_ = wholefile.Create(m.Path, 0o644, func(out io.Writer) error {
		for _, part := range [][]byte{[]byte(m.Title), state[:], sum[:], text.Bytes()} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}
