// Package hub brings models from Hugging Face's hub into the cache that its own tools share, and finds what is there
// already. It opens no model and knows none by name.
package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"finetui/ml/wholefile"
)

// Progress is told how far long work is; it may be nil.
type Progress = func(done, total int, what string)

// Hub is where models come from, and the cache that they go to.
type Hub struct {
	Cache    string // folder of all models: models--OWNER--NAME/{blobs,refs,snapshots}
	Endpoint string // "https://huggingface.co", or a mirror's address
	Token    string // of the user; empty: none
	Offline  bool   // ask the cache only
}

// FromEnv is the hub as huggingface_hub's environment variables describe it: HF_HUB_CACHE, HF_HOME, HF_ENDPOINT,
// HF_TOKEN, HF_TOKEN_PATH and HF_HUB_OFFLINE. Unset, they mean the same as there.
func FromEnv() Hub {
	home := os.Getenv("HF_HOME")
	if home == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			cache = "~/.cache"
		}
		home = filepath.Join(cache, "huggingface")
	}
	home = expandHome(home)
	h := Hub{
		Cache: expandHome(first(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"),
			filepath.Join(home, "hub"))),
		Endpoint: strings.TrimRight(first(os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/"),
		Token:    first(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN")),
		Offline:  isOn(os.Getenv("HF_HUB_OFFLINE")) || isOn(os.Getenv("TRANSFORMERS_OFFLINE")),
	}
	if h.Token == "" { // as `hf auth login` keeps it
		if data, err := os.ReadFile(expandHome(first(os.Getenv("HF_TOKEN_PATH"),
			filepath.Join(home, "token")))); err == nil {
			h.Token = string(data)
		}
	}
	h.Token = strings.TrimSpace(h.Token)
	return h
}

// first is the first text that is not empty.
func first(texts ...string) string {
	if i := slices.IndexFunc(texts, func(s string) bool { return s != "" }); i >= 0 {
		return texts[i]
	}
	return ""
}

func isOn(value string) bool {
	return slices.Contains([]string{"1", "on", "yes", "true"}, strings.ToLower(value))
}

func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if home, err := os.UserHomeDir(); ok && err == nil && (rest == "" || rest[0] == '/') {
		return filepath.Join(home, rest)
	}
	return path
}

// Name is a model on the hub.
type Name struct {
	ID       string // "OWNER/NAME"
	Revision string // branch, tag or commit
}

var spelling = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*)(?:@([A-Za-z0-9][A-Za-z0-9_.-]*))?$`)

// ParseName reads "OWNER/NAME" or "OWNER/NAME@REVISION"; ok tells whether text
// is spelled so. Without a revision it is the branch main.
func ParseName(text string) (n Name, ok bool) {
	m := spelling.FindStringSubmatch(text)
	if m == nil || strings.Contains(text, "..") || strings.Contains(m[1], "--") {
		return Name{}, false
	}
	return Name{ID: m[1], Revision: first(m[2], "main")}, true
}

// folder is the model's place in the cache.
func (h Hub) folder(n Name) string {
	return filepath.Join(h.Cache, "models--"+strings.ReplaceAll(n.ID, "/", "--"))
}

// ErrNotCached is the error of Cached for a model that would have to be fetched.
var ErrNotCached = errors.New("not in the cache yet")

// Cached is the folder of a model whose files the cache holds, those that are needed to load it at least. The network
// is not asked, so a newer version on the hub is not seen.
func (h Hub) Cached(n Name) (dir string, err error) {
	folder := h.folder(n)
	commit := n.Revision
	if ref, err := os.ReadFile(filepath.Join(folder, "refs", n.Revision)); err == nil {
		commit = strings.TrimSpace(string(ref))
	}
	if commit == "" || commit != filepath.Base(commit) || !filepath.IsLocal(commit) {
		return "", fmt.Errorf("%s: refs/%s names no snapshot", folder, n.Revision)
	}
	dir = filepath.Join(folder, "snapshots", commit)
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("%s: %w (looked in %s)", n.ID, ErrNotCached, folder)
	}
	if missing := missing(dir); len(missing) > 0 {
		return "", fmt.Errorf("%s: %w as a whole: %s lacks %s", n.ID, ErrNotCached, dir, strings.Join(missing, ", "))
	}
	return dir, nil
}

// Part is the content of one of a model's files, where the cache holds it, be the others there or not: that of the
// revision's snapshot, or, where a first fetch was broken off and no revision is noted yet, of the only one that is
// there. The network is not asked.
func (h Hub) Part(n Name, file string) ([]byte, error) {
	folder := h.folder(n)
	commit := n.Revision
	if ref, err := os.ReadFile(filepath.Join(folder, "refs", n.Revision)); err == nil {
		commit = strings.TrimSpace(string(ref))
	} else if refs, _ := os.ReadDir(filepath.Join(folder, "refs")); len(refs) == 0 {
		if list, _ := os.ReadDir(filepath.Join(folder, "snapshots")); len(list) == 1 {
			commit = list[0].Name()
		}
	}
	if commit == "" || commit != filepath.Base(commit) || !filepath.IsLocal(commit) {
		return nil, fmt.Errorf("%s: %w", n.ID, ErrNotCached)
	}
	return wholefile.Read(filepath.Join(folder, "snapshots", commit, file), maxListing)
}

// Fetch is the folder of a model: the cache's, else fetched from the hub. What an interrupted call
// has fetched is kept, and the next one goes on from there.
func (h Hub) Fetch(ctx context.Context, n Name, report Progress) (dir string, err error) {
	dir, err = h.Cached(n)
	if err == nil || !errors.Is(err, ErrNotCached) {
		return dir, err
	}
	if h.Offline {
		return "", fmt.Errorf("%w; HF_HUB_OFFLINE is set, so nothing is fetched: unset it, or %s", err, h.byHand(n))
	}
	return h.fetch(ctx, n, report)
}

// byHand is how a model gets to a machine without a network.
func (h Hub) byHand(n Name) string {
	return fmt.Sprintf("run `hf download %s` on a machine with a network and copy its folder %s to %s; a folder with the model's files can be given in its place", n.ID, filepath.Base(h.folder(n)), h.Cache)
}
