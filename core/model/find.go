package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/filehash"
	"finetui/core/model/hub"
	"finetui/core/printable"
)

// Progress is told how far long work is; it may be nil.
type Progress = func(done, total int, what string)

// OpenBase opens MODEL.BASE: "tiny", a folder, relative ones from root, or a model on the hub ("OWNER/NAME", or with a
// revision "OWNER/NAME@REVISION"), which is fetched unless the cache has it.
func OpenBase(ctx context.Context, name, root string, report Progress) (*Base, error) {
	return openBase(name, root, func(h hub.Hub, n hub.Name) (string, error) { return h.Fetch(ctx, n, report) })
}

// OpenLocal is OpenBase for those who must not fetch anything.
func OpenLocal(name, root string) (*Base, error) {
	return openBase(name, root, func(h hub.Hub, n hub.Name) (string, error) {
		dir, err := h.Cached(n)
		if errors.Is(err, hub.ErrNotCached) {
			err = fmt.Errorf("%w; a run fetches it, and so do finetui lint, eval and infer", err)
		}
		return dir, err
	})
}

// OpenPresent is OpenBase for those who leave fetching to others: away says that the base is not on this machine yet
// and that OpenBase would fetch it. Where HF_HUB_OFFLINE keeps it from that, the error says what to do.
func OpenPresent(name, root string) (b *Base, away bool, err error) {
	b, err = openBase(name, root, func(h hub.Hub, n hub.Name) (string, error) {
		dir, err := h.Cached(n)
		if !errors.Is(err, hub.ErrNotCached) {
			return dir, err
		}
		if h.Offline {
			return h.Fetch(context.Background(), n, nil) // asks nobody
		}
		away = true
		return "", err
	})
	if away {
		return nil, true, nil
	}
	return b, false, err
}

func openBase(name, root string, get func(hub.Hub, hub.Name) (string, error)) (*Base, error) {
	dir, err := locate(name, root, get)
	if err != nil {
		return nil, unusable(name, err)
	}
	b := &Base{Name: name, Dir: dir}
	if err := b.read(filehash.In(root)); err != nil {
		return nil, unusable(name, err)
	}
	return b, nil
}

// unusable says that MODEL.BASE is the cause. One that leads nowhere is a fault of the configuration.
func unusable(name string, err error) error {
	err = fmt.Errorf("MODEL.BASE = %q: %w", name, err)
	if errors.Is(err, fs.ErrNotExist) {
		return &config.Unusable{Key: "MODEL.BASE", Cause: err}
	}
	return err
}

// locate finds a base's folder. A folder of the project goes before a model of the same name on the hub.
func locate(name, root string, get func(hub.Hub, hub.Name) (string, error)) (string, error) {
	if name == Tiny {
		return unpackTiny()
	}
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir, nil
	}
	n, onHub := hub.ParseName(name)
	if !onHub {
		if hint := config.PathHint(root, name, Tiny); hint != "" {
			return "", printable.Missing("there is no folder %s%s", dir, hint)
		}
		return "", printable.Missing("there is no folder %s; give %q, the folder of a downloaded model with its "+
			"config.json, tokenizer.json and weights, or a model's name on the hub (OWNER/NAME)", dir, Tiny)
	}
	found, err := get(hub.FromEnv(), n)
	if err != nil {
		return "", fmt.Errorf("%w (and there is no folder %s%s)", err, dir, config.PathHint(root, name))
	}
	return found, nil
}

// Moved is where the base of a run is looked for: what own, its constants, name as MODEL.BASE, or, where that is not on
// this machine any more, the folder that MODEL.BASE of now names. Whether it is the base of then, Check tells.
func Moved(own, now *config.Snapshot) (name, root string) {
	name, root = own.Config.Model.Base, own.Root
	cached := func(h hub.Hub, n hub.Name) (string, error) { return h.Cached(n) }
	if _, err := locate(name, root, cached); err == nil {
		return name, root
	}
	if dir := now.Abs(now.Config.Model.Base); now.Config.Model.Base != Tiny {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, now.Root
		}
	}
	return name, root
}

// Away is the kind of a base whose weights are not on this machine: known where the hub's cache holds its configuration
// already.
func Away(name string) (k Kind, known bool) {
	n, onHub := hub.ParseName(name)
	if !onHub {
		return nil, false
	}
	text, err := hub.FromEnv().Part(n, "config.json")
	if err != nil {
		return nil, false
	}
	k, err = openKind(text, "")
	return k, err == nil
}

var sizeInName = regexp.MustCompile(`(?:^|[-_/])(\d+(?:\.\d+)?)[bB](?:[-_@]|$)`)

// NamedSize is how many parameters a base's name says that it has ("7B"), 0 where it says nothing. It is a hint: that
// of Qwen2-VL-7B is the language model's alone.
func NamedSize(name string) int64 {
	m := sizeInName.FindStringSubmatch(name)
	if m == nil {
		return 0
	}
	billions, err := strconv.ParseFloat(m[1], 64)
	if err != nil || billions > 10000 {
		return 0
	}
	return int64(billions * 1e9)
}

// Likely is the kind of a base of which nothing is here but its
// name: by the size that stands there, nil where none does.
func Likely(name string) Kind {
	n := NamedSize(name)
	switch {
	case n == 0:
		return nil
	case strings.Contains(strings.ToLower(name), "mobile-videogpt"):
		return likelyVideo(n)
	}
	return likely(n)
}

// Listed is how many bytes of weights the hub lists for a base, where its list is in the cache already: that comes with
// the first small files, before any weights.
func Listed(name string) (bytes int64, ok bool) {
	n, onHub := hub.ParseName(name)
	if !onHub {
		return 0, false
	}
	return hub.FromEnv().WeightBytes(n)
}
