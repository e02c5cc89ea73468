package hub

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnEndpointThatNeverEndsIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
		most   int64 // requests
	}{
		"a circle of redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/x", http.StatusFound)
		}, "in a circle", 20},
		"a listing of gigabytes": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"sha": "0123456789abcdef", "siblings": [`)
			line := strings.Repeat(`{"rfilename": "a.json"},`, 4096)
			for range 30_000 { // 3 GB
				if _, err := fmt.Fprint(w, line); err != nil {
					return
				}
			}
		}, "more than 16 MB", 1},
		"files larger than any disk": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				fmt.Fprint(w, `{"sha": "0123456789abcdef", "siblings": [{"rfilename": "config.json"},`+
					`{"rfilename": "tokenizer.json"}, {"rfilename": "model.safetensors"}]}`)
				return
			}
			w.Header().Set("ETag", `"`+path.Base(r.URL.Path)+`"`)
			w.Header().Set("X-Linked-Size", "9000000000000000000")
		}, "make room", 3},
		"a page in its place": {func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>\x1b[2J log in") },
			"no list of files", 1},
		"a page of an error": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "\x1b[2J",
				http.StatusTeapot)
		}, "status 418", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.answer(w, r)
			}))
			defer s.Close()
			_, err := Hub{Cache: t.TempDir(), Endpoint: s.URL}.Fetch(context.Background(), Name{"a/b", "main"}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("error %q, want %q in it and nothing of what was sent", err, c.want)
			}
			if n := asked.Load(); n > c.most {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestAListingThatComesDropByDropIsLeft(t *testing.T) {
	most := listingTime
	listingTime = 100 * time.Millisecond
	defer func() { listingTime = most }()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer s.Close()
	_, err := Hub{Cache: t.TempDir(), Endpoint: s.URL}.Fetch(context.Background(), Name{"a/b", "main"}, nil)
	if err == nil || !strings.Contains(err.Error(), "was not complete after 100ms") {
		t.Errorf("%v", err)
	}
}

func TestNamesOfAListingLeadNowhereElse(t *testing.T) {
	files := []string{"config.json", "tokenizer.json", "model.safetensors", "\x1b[2J.json", "a\nb.json", "../x.json",
		"sub/x.json", "..json"}
	got, err := small(Name{"a/b", "main"}, files)
	if err != nil || strings.Join(got, " ") != "config.json tokenizer.json" {
		t.Errorf("%q, %v", got, err)
	}
}
