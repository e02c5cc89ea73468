package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASlipInAPathIsPutRight(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"demo/data", "demo/balanced", "models/qwen2-vl-2b", ".finetui/exports",
		"a\x1b[31m"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, want string }{
		{"demo/dta", "; did you mean demo/data?"},
		{"dmeo/data", "; did you mean demo/data?"},
		{"demo/DATA", "; did you mean demo/data?"},
		{"./demo/balance", "; did you mean demo/balanced?"},
		{"../" + filepath.Base(root) + "/demo/dat", "; did you mean ../" + filepath.Base(root) + "/demo/data?"},
		{filepath.Join(root, "models/qwen2-vl-2B"), "; did you mean " + filepath.Join(root, "models/qwen2-vl-2b") +
			"?"},
		{".finetu/exports", "; did you mean .finetui/exports?"},
		{"tiyn", "; did you mean tiny?"}, // a word that may stand there
		{"dmeo/dta", ""},                 // two slips are no slip
		{"photographs", ""},
		{"demo/data", ""}, // it is there
		{"a\x1b[31", ""},  // nothing that a terminal would obey
		{"", ""},
	} {
		if got := PathHint(root, c.path, "tiny"); got != c.want {
			t.Errorf("%q: %q, want %q", c.path, got, c.want)
		}
	}
}
