package hub

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"finetui/core/model/hub/hubtest"
)

// server is a hub with one small model in two shards, and what a test holds it against.
type server struct {
	*hubtest.Server
	t *testing.T
}

func newServer(t *testing.T) *server {
	t.Helper()
	weights := strings.Repeat("0123456789abcdef", 1<<14)
	pause := firstPause
	firstPause = time.Millisecond
	t.Cleanup(func() { firstPause = pause })
	return &server{hubtest.New(t, map[string]string{
		"config.json": `{"model_type": "small"}`, "tokenizer.json": `{}`, "tokenizer_config.json": `{"a": 1}`,
		"README.md":                    "not wanted",
		"model.safetensors.index.json": `{"weight_map": {"x": "a.safetensors", "y": "b.safetensors", "z": "a.safetensors"}}`,
		"a.safetensors":                weights, "b.safetensors": weights + "!", "c.safetensors": "not listed",
		"onnx/config.json": "not wanted",
	}, "a.safetensors", "b.safetensors"), t}
}

func (s *server) at(cache string) Hub { return Hub{Cache: cache, Endpoint: s.Hub.URL} }

var someone = Name{hubtest.Model, "main"}

// check looks for the files that a fetched model must have.
func (s *server) check(dir string) {
	s.t.Helper()
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json",
		"model.safetensors.index.json", "a.safetensors", "b.safetensors"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != s.Files[name] {
			s.t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	for _, name := range []string{"README.md", "c.safetensors"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			s.t.Errorf("%s was fetched", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "..", "..", "blobs", "*.incomplete")); len(left) > 0 {
		s.t.Errorf("left behind: %v", left)
	}
}

func TestFetchedOnceAndThenFromTheCache(t *testing.T) {
	s, cache := newServer(t), t.TempDir()
	s.Token = "secret"
	h := s.at(cache)
	h.Token = "secret"
	if _, err := h.Cached(someone); !errors.Is(err, ErrNotCached) {
		t.Errorf("an empty cache: %v", err)
	}
	var last [2]int
	var said []string
	dir, err := h.Fetch(context.Background(), someone, func(done, total int, what string) {
		last,
			said = [2]int{done, total}, append(said, what)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.check(dir)
	if want := filepath.Join(cache, "models--someone--small", "snapshots", hubtest.Commit); dir != want {
		t.Errorf("fetched to %s, huggingface_hub would look in %s", dir, want)
	}
	if ref, err := os.ReadFile(filepath.Join(cache, "models--someone--small", "refs", "main")); err != nil ||
		string(ref) != hubtest.Commit {
		t.Errorf("refs/main is %q, %v", ref, err)
	}
	if link, err := os.Readlink(filepath.Join(dir, "config.json")); err != nil ||
		!strings.HasPrefix(link, "../../blobs/") {
		t.Errorf("config.json leads to %q, %v", link, err)
	}
	if last[0] != last[1] {
		t.Errorf("the last report was %v", last)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "asking the hub for someone/small") ||
		!strings.Contains(all, "MB, a.safetensors") || !strings.Contains(all, "MB, b.safetensors") {
		t.Errorf("the reports were %q", said)
	}
	before := len(s.Requests())
	s.Hub.Close()
	for _, offline := range []bool{false, true} {
		h.Offline = offline
		if again, err := h.Fetch(context.Background(), someone, nil); err != nil || again != dir {
			t.Errorf("from the cache: %s, %v", again, err)
		}
	}
	if len(s.Requests()) != before {
		t.Errorf("the hub was asked for what is in the cache: %v", s.Requests()[before:])
	}
	if _, err := h.Cached(Name{"someone/small", hubtest.Commit}); err != nil {
		t.Errorf("by its commit: %v", err)
	}
}

// A repository without safetensors is fetched as pickles, and only then.
func TestPicklesAreFetchedWhereThereAreNoSafetensors(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"shards": {map[string]string{"pytorch_model.bin.index.json": `{"weight_map": {"x": "p-1.bin", "y": "p-2.bin"}}`,
			"p-1.bin": "1", "p-2.bin": "2", "training_args.bin": "3"}, []string{"p-1.bin", "p-2.bin"}},
		"one file": {map[string]string{"pytorch_model.bin": "1"}, []string{"pytorch_model.bin"}},
		"both": {map[string]string{"pytorch_model.bin": "1", "model.safetensors": "2"},
			[]string{"model.safetensors"}},
	} {
		s := newServer(t)
		delete(s.Files, "model.safetensors.index.json")
		for file, text := range c.files {
			s.Files[file] = text
		}
		h := s.at(t.TempDir())
		dir, err := h.Fetch(context.Background(), someone, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, pattern := range []string{"*.bin", "*.safetensors"} {
			found, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, path := range found {
				got = append(got, filepath.Base(path))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: fetched %q, want %q", name, got, c.want)
		}
		if again, err := h.Cached(someone); err != nil || again != dir {
			t.Errorf("%s: from the cache %s, %v", name, again, err)
		}
	}
}

func TestInterruptedFetchGoesOn(t *testing.T) {
	for _, noRanges := range []bool{false, true} {
		s, cache := newServer(t), t.TempDir()
		s.Cut = 3
		s.NoRanges = noRanges
		dir, err := s.at(cache).Fetch(context.Background(), someone, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.check(dir)
		if !noRanges && s.Asked("GET /a.safetensors bytes=131072-") != 1 {
			t.Errorf("it did not go on where it stood: %v", s.Requests())
		}
	}
}

func TestNextCallGoesOnWhereOneWasStopped(t *testing.T) {
	s, cache := newServer(t), t.TempDir()
	s.Cut = 1
	ctx, cancel := context.WithCancel(context.Background())
	firstPause = time.Minute
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := s.at(cache).Fetch(ctx, someone, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stopped call: %v", err)
	}
	if _, err := s.at(cache).Cached(someone); !errors.Is(err, ErrNotCached) ||
		strings.Contains(err.Error(), "config.json") {
		t.Errorf("half a model in the cache: %v", err)
	}
	dir, err := s.at(cache).Fetch(context.Background(), someone, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.check(dir)
	if s.Asked("GET /a.safetensors bytes=131072-") != 1 ||
		s.Asked("GET /someone/small/resolve/"+hubtest.Commit+"/config.json") != 1 {
		t.Errorf("what had come was fetched again: %v", s.Requests())
	}
}

func TestTwoCallsFetchOnce(t *testing.T) {
	s, cache := newServer(t), t.TempDir()
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if dir, err := s.at(cache).Fetch(context.Background(), someone, nil); err != nil {
				t.Error(err)
			} else {
				s.check(dir)
			}
		})
	}
	wait.Wait()
	if n := s.Asked("GET /a.safetensors"); n != 1 {
		t.Errorf("a.safetensors was fetched %d times", n)
	}
}

func TestWhatCannotBeFetchedSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*server, *Hub)
		want   []string
	}{
		"no such model or private": {func(s *server, h *Hub) { s.Status = 401 }, []string{"someone/small", "401",
			"HF_TOKEN"}},
		"token without rights": {func(s *server, h *Hub) { s.Token, h.Token = "a", "b" },
			[]string{"401", "the token in HF_TOKEN"}},
		"terms": {func(s *server, h *Hub) { s.Status = 403 }, []string{"403", "terms",
			"/someone/small"}},
		"not there":    {func(s *server, h *Hub) { s.Status = 404 }, []string{"404", "look for its name"}},
		"out of order": {func(s *server, h *Hub) { s.Status = 503 }, []string{"503", "later"}},
		"no network": {func(s *server, h *Hub) { s.Hub.Close() }, []string{"cannot be fetched",
			"HF_ENDPOINT", "hf download someone/small", "models--someone--small"}},
		"other host away": {func(s *server, h *Hub) { s.CDN.Close() }, []string{"a.safetensors",
			"0 of 262144 bytes", "hf download"}},
		"offline": {func(s *server, h *Hub) { h.Offline = true }, []string{"HF_HUB_OFFLINE",
			"hf download someone/small"}},
		"no tokenizer": {func(s *server, h *Hub) { delete(s.Files, "tokenizer.json") },
			[]string{"no tokenizer.json"}},
		"weights in another format": {func(s *server, h *Hub) { delete(s.Files, "model.safetensors.index.json") },
			[]string{"model.safetensors", "pytorch_model.bin", "other formats"}},
		"shard missing": {func(s *server, h *Hub) { delete(s.Files, "b.safetensors") },
			[]string{"b.safetensors", "404"}},
		"hostile shard": {func(s *server,
			h *Hub) {
			s.Files["model.safetensors.index.json"] = `{"weight_map":{"x":"../../x"}}`
		},
			[]string{`"../../x"`}},
		"other bytes": {func(s *server, h *Hub) { s.Broken = true },
			[]string{"a.safetensors is not what the hub announced"}},
		"no hub": {func(s *server, h *Hub) { h.Endpoint = s.CDN.URL }, []string{"cannot be fetched"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			h := s.at(t.TempDir())
			c.change(s, &h)
			_, err := h.Fetch(context.Background(), someone, nil)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q in it", err, want)
				}
			}
			if _, err := h.Cached(someone); err == nil {
				t.Error("it is in the cache as if it were whole")
			}
		})
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]Name{
		"Qwen/Qwen2-VL-2B-Instruct": {"Qwen/Qwen2-VL-2B-Instruct", "main"}, "a/b@v1.0": {"a/b", "v1.0"},
		"tiny": {}, "./models/x": {}, "../x": {}, "a/b/c": {}, "~/x": {}, "/a/b": {}, "a/..": {}, "a/b@": {},
		"a/b@x/y": {}, "a--b/c": {}, "": {},
	} {
		if got, ok := ParseName(text); got != want || ok != (want.ID != "") {
			t.Errorf("%q is %+v, %v", text, got, ok)
		}
	}
}

func TestEnvironmentIsThatOfOtherTools(t *testing.T) {
	home := t.TempDir()
	for _, c := range []struct {
		env  map[string]string
		want Hub
	}{
		{nil, Hub{Cache: filepath.Join(home, ".cache/huggingface/hub"), Endpoint: "https://huggingface.co"}},
		{map[string]string{"XDG_CACHE_HOME": "/x"}, Hub{Cache: "/x/huggingface/hub",
			Endpoint: "https://huggingface.co"}},
		{map[string]string{"HF_HOME": home, "HF_ENDPOINT": "https://mirror.example/"},
			Hub{Cache: filepath.Join(home, "hub"), Endpoint: "https://mirror.example", Token: "kept"}},
		{map[string]string{"HF_HOME": "~", "HF_HUB_CACHE": "~/c", "HF_TOKEN": " t\n", "HF_HUB_OFFLINE": "Yes"},
			Hub{Cache: filepath.Join(home, "c"), Endpoint: "https://huggingface.co", Token: "t", Offline: true}},
	} {
		for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME",
			"HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE",
			"TRANSFORMERS_OFFLINE"} {
			t.Setenv(name, c.env[name])
		}
		t.Setenv("HOME", home)
		if err := os.WriteFile(filepath.Join(home, "token"), []byte("kept\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := FromEnv(); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.env, got, c.want)
		}
	}
}
