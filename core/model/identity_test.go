package model

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finetui/ml/safetensors"
)

func fingerprint(t *testing.T, b *Base) string {
	t.Helper()
	f, err := b.Fingerprint(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// copied is the built-in base in a folder of its own.
func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(openTiny(t).Dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openFolder(t *testing.T, dir string) *Base {
	t.Helper()
	b, err := OpenLocal(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// flipMiddle changes one bit of a tensor in the middle of a weight file.
func flipMiddle(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

func TestFingerprintCoversAllThatAnswersDependOn(t *testing.T) {
	dir := copied(t)
	seen := map[string]string{fingerprint(t, openFolder(t, dir)): "the base"}
	for _, c := range []struct {
		name, file string
		change     func([]byte) []byte
	}{
		{"a bit in the middle of the weights", "model.safetensors", flipMiddle},
		{"a space in config.json", "config.json", func(b []byte) []byte { return append(b, ' ') }},
		{"another end token", "generation_config.json", func(b []byte) []byte { return append(b, ' ') }},
		{"another tokenizer", "tokenizer.json", func(b []byte) []byte { return append(b, ' ') }},
		{"another mean", "preprocessor_config.json", func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"image_mean": [`), []byte(`"image_mean": [ `), 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit(t, filepath.Join(dir, c.file), c.change)
			f := fingerprint(t, openFolder(t, dir))
			if seen[f] != "" {
				t.Errorf("the fingerprint is that of %s", seen[f])
			}
			seen[f] = c.name
		})
	}
	if err := os.WriteFile(filepath.Join(dir, "processor_config.json"), []byte(`{"image_processor": {}}`),
		0o644); err != nil {
		t.Fatal(err)
	}
	if f := fingerprint(t, openFolder(t, dir)); seen[f] != "" {
		t.Error("processor_config.json is no part of the fingerprint")
	}
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("words"), 0o644); err != nil {
		t.Fatal(err)
	}
	if a, b := fingerprint(t, openFolder(t, dir)), fingerprint(t, openFolder(t, dir)); a != b {
		t.Error("the same base has two fingerprints")
	}
}

func TestFingerprintIsThatOfWhatWasOpened(t *testing.T) {
	dir := copied(t)
	b := openFolder(t, dir)
	if b.Changed() {
		t.Error("a base is changed as it is opened")
	}
	time.Sleep(20 * time.Millisecond) // a tick of the file system's clock
	edit(t, filepath.Join(dir, "model.safetensors"), flipMiddle)
	if _, err := b.Fingerprint(context.Background(), nil); err == nil ||
		!strings.Contains(err.Error(), "changed or replaced since it was opened") {
		t.Errorf("weights that were replaced under an open base: error %v", err)
	}
	if !b.Changed() {
		t.Error("the change is not noticed")
	}
}

func TestARunsBaseIsHeldAgainstItsFingerprint(t *testing.T) {
	dir := copied(t)
	b := openFolder(t, dir)
	now := fingerprint(t, b)
	old, err := headsAndTails(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, c := range []struct{ then, note, fault string }{
		{"", "", ""},
		{now, "", ""},
		{old, "older build", ""},
		{strings.Repeat("0", 16), "", "is not the one that 0003-basic was started with"},
		{strings.Repeat("0", 64), "", "is not the one that 0003-basic was started with"},
	} {
		note, err := b.Check(ctx, c.then, "0003-basic", nil)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%q: error %v", c.then, err)
		}
		if (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%q: note %q", c.then, note)
		}
	}
	// What the old fingerprint passed, a bit in the middle, the new one does not.
	edit(t, filepath.Join(dir, "model.safetensors"), flipMiddle)
	if same, err := headsAndTails(dir); err != nil || same != old {
		t.Fatalf("the old fingerprint noticed it, error %v", err)
	}
	if _, err := openFolder(t, dir).Check(ctx, now, "0003-basic", nil); err == nil {
		t.Error("a base with other weights passes")
	}
}

func TestShardsAreHashedAndAStrayFileIsNot(t *testing.T) {
	dir := copied(t)
	whole, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	shards := [2][]safetensors.Tensor{}
	index := `{"weight_map": {`
	for i, name := range whole.Names() {
		dtype, shape, _ := whole.Info(name)
		raw, err := whole.Raw(name)
		if err != nil {
			t.Fatal(err)
		}
		shards[i%2] = append(shards[i%2], safetensors.Tensor{Name: name, DType: dtype, Shape: shape,
			Data: bytes.Clone(raw)})
		index += `"` + name + `": "` + [2]string{"a.safetensors", "b.safetensors"}[i%2] + `",`
	}
	whole.Close()
	for i, name := range []string{"a.safetensors", "b.safetensors"} {
		if err := safetensors.Write(filepath.Join(dir, name), shards[i], nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, safetensors.IndexName), []byte(strings.TrimSuffix(index, ",")+"}}"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, openFolder(t, dir))
	if err := os.WriteFile(filepath.Join(dir, "stray.safetensors"), []byte("not of this model"), 0o644); err != nil {
		t.Fatal(err)
	}
	if fingerprint(t, openFolder(t, dir)) != before {
		t.Error("a file that the index does not name changes the fingerprint")
	}
	edit(t, filepath.Join(dir, "b.safetensors"), flipMiddle)
	if fingerprint(t, openFolder(t, dir)) == before {
		t.Error("the second shard is no part of the fingerprint")
	}
}
