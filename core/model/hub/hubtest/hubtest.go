// Package hubtest is a hub on this machine for tests of what fetches models. It reaches no network.
package hubtest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// Model is the name of the one model that the hub has, and Commit its newest commit.
const (
	Model  = "someone/small"
	Commit = "0123456789abcdef0123456789abcdef01234567"
)

// Server is a hub with one model, whose large files lie on another host, as
// the real one's do. Fields are set before the first request.
type Server struct {
	Hub, CDN *httptest.Server

	Files    map[string]string // by name, of the model
	Large    map[string]bool   // names that the other host serves
	Cut      int               // answers of the other host that end after half of what is asked
	NoRanges bool              // it always sends whole files
	Status   int               // in place of every answer
	Token    string            // that is asked for
	Broken   bool              // it sends other bytes than announced
	Hold     chan struct{}     // not nil: it waits with the second half of a file until this is closed

	t        testing.TB
	mutex    sync.Mutex
	requests []string // "METHOD path range"
}

// New starts a hub whose model has these files.
func New(t testing.TB, files map[string]string, large ...string) *Server {
	t.Helper()
	s := &Server{t: t, Files: files, Large: map[string]bool{}}
	for _, name := range large {
		s.Large[name] = true
	}
	s.CDN = httptest.NewServer(http.HandlerFunc(s.serveLarge))
	s.Hub = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.CDN.Close)
	t.Cleanup(s.Hub.Close)
	return s
}

// Of starts a hub whose model is what lies in a folder, its weights large,
// and makes the environment's hub of it, with an empty cache.
func Of(t testing.TB, folder string) *Server {
	t.Helper()
	files := map[string]string{}
	var large []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
		if filepath.Ext(e.Name()) == ".safetensors" {
			large = append(large, e.Name())
		}
	}
	s := New(t, files, large...)
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
		"HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_ENDPOINT", s.Hub.URL)
	t.Setenv("HF_HOME", t.TempDir())
	return s
}

// Requests are those that have come, as "METHOD path range".
func (s *Server) Requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string(nil), s.requests...)
}

// Asked counts the requests that begin so.
func (s *Server) Asked(prefix string) (n int) {
	for _, r := range s.Requests() {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (s *Server) note(r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	if s.Status != 0 {
		w.WriteHeader(s.Status)
		return
	}
	if s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/api/models/"+Model+"/revision/main" {
		var siblings []map[string]string
		for name := range s.Files {
			siblings = append(siblings, map[string]string{"rfilename": name})
		}
		json.NewEncoder(w).Encode(map[string]any{"id": Model, "sha": Commit, "siblings": siblings})
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/"+Model+"/resolve/"+Commit+"/")
	data, there := s.Files[name]
	if !ok || !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.Large[name] {
		sum := sha256.Sum256([]byte(data))
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(data)))
		w.Header().Set("Location", strings.Replace(s.CDN.URL, "127.0.0.1", "localhost", 1)+"/"+name)
		w.WriteHeader(http.StatusFound)
		return
	}
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data))
	w.Header().Set("ETag", `W/"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
}

func (s *Server) serveLarge(w http.ResponseWriter, r *http.Request) {
	s.note(r)
	if r.Header.Get("Authorization") != "" {
		s.t.Error("the token was sent to another host")
	}
	data := s.Files[strings.TrimPrefix(r.URL.Path, "/")]
	if s.Broken {
		data = strings.Repeat("x", len(data))
	}
	if s.NoRanges {
		r.Header.Del("Range")
	}
	s.mutex.Lock()
	cut := s.Cut > 0
	s.Cut--
	s.mutex.Unlock()
	if !cut && s.Hold == nil {
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
	half := from + (len(data)-from)/2
	w.Write([]byte(data[from:half]))
	w.(http.Flusher).Flush()
	if cut {
		panic(http.ErrAbortHandler)
	}
	select {
	case <-s.Hold:
		w.Write([]byte(data[half:]))
	case <-r.Context().Done():
	}
}
