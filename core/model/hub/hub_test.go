package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// server is a hub with one model, "someone/small", whose large files lie on another host, as the real one's do.
type server struct {
	t        *testing.T
	files    map[string]string
	large    map[string]bool // names that another host serves
	hub, cdn *httptest.Server

	mutex    sync.Mutex
	requests []string // "METHOD path range"
	cut      int      // answers of the other host that end after half of what is asked
	noRanges bool     // it always sends whole files
	status   int      // in place of every answer
	token    string   // that is asked for
	broken   bool     // it sends other bytes than announced
}

func newServer(t *testing.T) *server {
	t.Helper()
	weights := strings.Repeat("0123456789abcdef", 1<<14)
	s := &server{t: t, large: map[string]bool{"a.safetensors": true, "b.safetensors": true}, files: map[string]string{
		"config.json": `{"model_type": "small"}`, "tokenizer.json": `{}`, "tokenizer_config.json": `{"a": 1}`, "README.md": "not wanted",
		"model.safetensors.index.json": `{"weight_map": {"x": "a.safetensors", "y": "b.safetensors", "z": "a.safetensors"}}`,
		"a.safetensors":                weights, "b.safetensors": weights + "!", "c.safetensors": "not listed", "onnx/config.json": "not wanted",
	}}
	s.cdn = httptest.NewServer(http.HandlerFunc(s.serveLarge))
	s.hub = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.cdn.Close)
	t.Cleanup(s.hub.Close)
	pause := firstPause
	firstPause = time.Millisecond
	t.Cleanup(func() { firstPause = pause })
	return s
}

func (s *server) at(cache string) Hub { return Hub{Cache: cache, Endpoint: s.hub.URL} }

func (s *server) note(r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
}

// asked counts the requests that begin so.
func (s *server) asked(prefix string) (n int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, r := range s.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/api/models/someone/small/revision/main" {
		var siblings []map[string]string
		for name := range s.files {
			siblings = append(siblings, map[string]string{"rfilename": name})
		}
		json.NewEncoder(w).Encode(map[string]any{"id": "someone/small", "sha": commit, "siblings": siblings})
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/someone/small/resolve/"+commit+"/")
	data, there := s.files[name]
	if !ok || !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.large[name] {
		sum := sha256.Sum256([]byte(data))
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(data)))
		w.Header().Set("Location", strings.Replace(s.cdn.URL, "127.0.0.1", "localhost", 1)+"/"+name)
		w.WriteHeader(http.StatusFound)
		return
	}
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data))
	w.Header().Set("ETag", `W/"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
}

func (s *server) serveLarge(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	if r.Header.Get("Authorization") != "" {
		s.t.Error("the token was sent to another host")
	}
	data := s.files[strings.TrimPrefix(r.URL.Path, "/")]
	if s.broken {
		data = strings.Repeat("x", len(data))
	}
	if s.noRanges {
		r.Header.Del("Range")
	}
	s.mutex.Lock()
	cut := s.cut > 0
	s.cut--
	s.mutex.Unlock()
	if !cut {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
		return
	}
	from := 0
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write([]byte(data[from : from+(len(data)-from)/2]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

var someone = Name{"someone/small", "main"}

// check looks for the files that a fetched model must have.
func (s *server) check(dir string) {
	s.t.Helper()
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json", "a.safetensors", "b.safetensors"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != s.files[name] {
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
	s.token = "secret"
	h := s.at(cache)
	h.Token = "secret"
	if _, err := h.Cached(someone); !errors.Is(err, ErrNotCached) {
		t.Errorf("an empty cache: %v", err)
	}
	var last [2]int
	dir, err := h.Fetch(context.Background(), someone, func(done, total int, what string) { last = [2]int{done, total} })
	if err != nil {
		t.Fatal(err)
	}
	s.check(dir)
	if want := filepath.Join(cache, "models--someone--small", "snapshots", commit); dir != want {
		t.Errorf("fetched to %s, huggingface_hub would look in %s", dir, want)
	}
	if ref, err := os.ReadFile(filepath.Join(cache, "models--someone--small", "refs", "main")); err != nil || string(ref) != commit {
		t.Errorf("refs/main is %q, %v", ref, err)
	}
	if link, err := os.Readlink(filepath.Join(dir, "config.json")); err != nil || !strings.HasPrefix(link, "../../blobs/") {
		t.Errorf("config.json leads to %q, %v", link, err)
	}
	if last[0] != last[1] {
		t.Errorf("the last report was %v", last)
	}
	before := len(s.requests)
	s.hub.Close()
	for _, offline := range []bool{false, true} {
		h.Offline = offline
		if again, err := h.Fetch(context.Background(), someone, nil); err != nil || again != dir {
			t.Errorf("from the cache: %s, %v", again, err)
		}
	}
	if len(s.requests) != before {
		t.Errorf("the hub was asked for what is in the cache: %v", s.requests[before:])
	}
	if _, err := h.Cached(Name{"someone/small", commit}); err != nil {
		t.Errorf("by its commit: %v", err)
	}
}

func TestInterruptedFetchGoesOn(t *testing.T) {
	for _, noRanges := range []bool{false, true} {
		s, cache := newServer(t), t.TempDir()
		s.cut = 3
		s.noRanges = noRanges
		dir, err := s.at(cache).Fetch(context.Background(), someone, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.check(dir)
		if !noRanges && s.asked("GET /a.safetensors bytes=131072-") != 1 {
			t.Errorf("it did not go on where it stood: %v", s.requests)
		}
	}
}

func TestNextCallGoesOnWhereOneWasStopped(t *testing.T) {
	s, cache := newServer(t), t.TempDir()
	s.cut = 1
	ctx, cancel := context.WithCancel(context.Background())
	firstPause = time.Minute
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := s.at(cache).Fetch(ctx, someone, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stopped call: %v", err)
	}
	if _, err := s.at(cache).Cached(someone); !errors.Is(err, ErrNotCached) || strings.Contains(err.Error(), "config.json") {
		t.Errorf("half a model in the cache: %v", err)
	}
	dir, err := s.at(cache).Fetch(context.Background(), someone, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.check(dir)
	if s.asked("GET /a.safetensors bytes=131072-") != 1 || s.asked("GET /someone/small/resolve/"+commit+"/config.json") != 1 {
		t.Errorf("what had come was fetched again: %v", s.requests)
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
	if n := s.asked("GET /a.safetensors"); n != 1 {
		t.Errorf("a.safetensors was fetched %d times", n)
	}
}

func TestWhatCannotBeFetchedSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*server, *Hub)
		want   []string
	}{
		"no such model or private": {func(s *server, h *Hub) { s.status = 401 }, []string{"someone/small", "401", "HF_TOKEN"}},
		"token without rights":     {func(s *server, h *Hub) { s.token, h.Token = "a", "b" }, []string{"401", "the token in HF_TOKEN"}},
		"terms":                    {func(s *server, h *Hub) { s.status = 403 }, []string{"403", "terms", "/someone/small"}},
		"not there":                {func(s *server, h *Hub) { s.status = 404 }, []string{"404", "look for its name"}},
		"out of order":             {func(s *server, h *Hub) { s.status = 503 }, []string{"503", "later"}},
		"no network":               {func(s *server, h *Hub) { s.hub.Close() }, []string{"cannot be fetched", "HF_ENDPOINT", "hf download someone/small", "models--someone--small"}},
		"other host away":          {func(s *server, h *Hub) { s.cdn.Close() }, []string{"a.safetensors", "0 of 262144 bytes", "hf download"}},
		"offline":                  {func(s *server, h *Hub) { h.Offline = true }, []string{"HF_HUB_OFFLINE", "hf download someone/small"}},
		"no tokenizer":             {func(s *server, h *Hub) { delete(s.files, "tokenizer.json") }, []string{"no tokenizer.json"}},
		"pickle only":              {func(s *server, h *Hub) { delete(s.files, "model.safetensors.index.json") }, []string{"only weights in safetensors"}},
		"shard missing":            {func(s *server, h *Hub) { delete(s.files, "b.safetensors") }, []string{"b.safetensors", "404"}},
		"hostile shard":            {func(s *server, h *Hub) { s.files["model.safetensors.index.json"] = `{"weight_map":{"x":"../../x"}}` }, []string{`"../../x"`}},
		"other bytes":              {func(s *server, h *Hub) { s.broken = true }, []string{"a.safetensors is not what the hub announced"}},
		"no hub":                   {func(s *server, h *Hub) { h.Endpoint = s.cdn.URL }, []string{"cannot be fetched"}},
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
		"tiny": {}, "./models/x": {}, "../x": {}, "a/b/c": {}, "~/x": {}, "/a/b": {}, "a/..": {}, "a/b@": {}, "a/b@x/y": {}, "a--b/c": {}, "": {},
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
		{map[string]string{"XDG_CACHE_HOME": "/x"}, Hub{Cache: "/x/huggingface/hub", Endpoint: "https://huggingface.co"}},
		{map[string]string{"HF_HOME": home, "HF_ENDPOINT": "https://mirror.example/"}, Hub{Cache: filepath.Join(home, "hub"), Endpoint: "https://mirror.example", Token: "kept"}},
		{map[string]string{"HF_HOME": "~", "HF_HUB_CACHE": "~/c", "HF_TOKEN": " t\n", "HF_HUB_OFFLINE": "Yes"}, Hub{Cache: filepath.Join(home, "c"), Endpoint: "https://huggingface.co", Token: "t", Offline: true}},
	} {
		for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
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
