package model

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/goldentest"
)

// pickled is the built-in base with its weights as torch.save writes them, in one file or several.
func pickled(t *testing.T, shards int) string {
	t.Helper()
	dir := copied(t)
	goldentest.Pickle(t, dir, shards, func(name string) string { return name })
	return dir
}

func TestBasesOfPicklesAnswerAsThoseOfSafetensors(t *testing.T) {
	questions := []Question{{Shows(Pictures(noise(1, 56, 56))...), "Which drain is blocked?"}}
	say := func(b *Base) Reply {
		m, err := b.New(Tuning{})
		if err != nil {
			t.Fatal(err)
		}
		return ask(t, NewSubject(b, m, 1), questions, Asking{View: View{3136, 12544}, MaxNew: 12})[0]
	}
	tiny := openTiny(t)
	want := say(tiny)
	prints := map[string]int{fingerprint(t, tiny): 0}
	for _, shards := range []int{1, 3} {
		b := openFolder(t, pickled(t, shards))
		if got := say(b); got.Text != want.Text || got.Tokens != want.Tokens {
			t.Errorf("%d files: it says %q, the same weights as safetensors %q", shards, got.Text, want.Text)
		}
		if b.WeightBytes() != tiny.WeightBytes() || len(b.WeightFiles()) != shards {
			t.Errorf("%d files: %d bytes a weight, files %q", shards, b.WeightBytes(), b.WeightFiles())
		}
		f := fingerprint(t, b)
		if other, twice := prints[f]; twice {
			t.Errorf("the base of %d files is known as that of %d", shards, other)
		}
		prints[f] = shards
	}
}

func TestFingerprintsCoverPickles(t *testing.T) {
	for _, shards := range []int{1, 3} {
		dir := pickled(t, shards)
		b := openFolder(t, dir)
		before := fingerprint(t, b)
		files := b.WeightFiles()
		if shards > 1 {
			files = append(files, filepath.Join(dir, "pytorch_model.bin.index.json"))
		}
		for _, path := range files {
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			change := flipMiddle
			if strings.HasSuffix(path, ".json") {
				change = func(data []byte) []byte { return append(data, '\n') }
			}
			edit(t, path, change)
			if fingerprint(t, openFolder(t, dir)) == before {
				t.Errorf("%s can change without another fingerprint", filepath.Base(path))
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestBrokenPicklesAreNamed opens and builds bases whose pickles have a fault; the sentence names file and remedy.
func TestBrokenPicklesAreNamed(t *testing.T) {
	file := func(shards, shard int) string {
		if shards == 1 {
			return "pytorch_model.bin"
		}
		return []string{"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"}[shard]
	}
	for name, c := range map[string]struct {
		shards int
		damage func(t *testing.T, dir string)
		want   []string
	}{
		"cut off": {1, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, file(1, 0)), func(d []byte) []byte { return d[:len(d)/2] })
		}, []string{file(1, 0), "cut off", "fetch it again"}},
		"a changed value": {1, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, file(1, 0)), flipMiddle)
		}, []string{file(1, 0), "fetch it again"}},
		"code": {1, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, file(1, 0)), func([]byte) []byte {
				return archive(t, "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.")
			})
		}, []string{file(1, 0), "posix.system", "is not read", "Save the tensors alone"}},
		"no weights at all": {1, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, file(1, 0))) },
			[]string{"holds no weights", "model.safetensors", "pytorch_model.bin"}},
		"a pointer of git": {1, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, file(1, 0)), func([]byte) []byte {
				return []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
			})
		}, []string{file(1, 0), "git lfs pull"}},
		"a missing shard": {2, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, file(2, 1))) },
			[]string{"index.json", file(2, 1), "fetch them into"}},
		"an index of other tensors": {2, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "pytorch_model.bin.index.json"), func(d []byte) []byte {
				return []byte(strings.Replace(string(d), `"model.norm.weight"`, `"model.norm.weights"`, 1))
			})
		}, []string{"index.json", "model.norm.weights"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := pickled(t, c.shards)
			c.damage(t, dir)
			b, err := OpenLocal(dir, "")
			if err == nil {
				defer b.Close()
				_, err = b.New(Tuning{})
			}
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
		})
	}
}

// archive is a file of torch.save that holds a pickle and no values.
func archive(t *testing.T, pickled string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.bin")
	goldentest.TorchArchive(t, path, []byte(pickled), nil)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
