package video

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"finetui/core/features"
	"finetui/core/filehash"
	"finetui/ml/mapped"
	"finetui/ml/picture"
)

// rules names the way in which what Probe says comes to be, and frames are read; another number forgets what was kept.
const rules = "clips 1"

// Store keeps what clips are and the frames that were taken of them, in a project's .finetui folder: by what the clip's
// file holds, never by its name, so that a copy is known and a replaced file is not. Any number of goroutines and
// processes may use one. A nil Store keeps nothing.
type Store struct {
	hashes *filehash.Store
	kept   *features.Cache
}

// Open opens the store of the project in a folder, for at most limit bytes of frames; 0: nil.
func Open(root string, limit int64) *Store {
	if limit <= 0 {
		return nil
	}
	return &Store{filehash.In(root), features.OpenFor(features.Values{NotKept: "Frames of clips are not kept",
		Instead: "decodes each clip anew"}, filepath.Join(root, ".finetui", "frames"), limit)}
}

// Trouble says in a sentence why frames are not kept any more; empty: they are.
func (s *Store) Trouble() string {
	if s == nil {
		return ""
	}
	return s.kept.Trouble()
}

// Close ends the use of the store.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	s.hashes.Flush()
	return s.kept.Close()
}

// Info is Probe that looks at each clip once.
func (s *Store) Info(ctx context.Context, path string) (*Info, error) {
	if s == nil {
		return Probe(ctx, path)
	}
	clip, err := s.identify(ctx, path)
	if err != nil {
		return nil, err
	}
	return s.info(ctx, path, clip)
}

// Check is Check that decodes each clip once.
func (s *Store) Check(ctx context.Context, path string, report Progress) (*Info, error) {
	if s == nil {
		return Check(ctx, path, report)
	}
	clip, err := s.identify(ctx, path)
	if err != nil {
		return nil, err
	}
	if info := s.keptInfo(clip.key("sure", "")); info != nil {
		return info, nil
	}
	info, err := Check(ctx, path, report)
	if err == nil {
		s.keepInfo(ctx, path, clip, info)
	}
	return info, err
}

// Frames are the frames that pick chooses; those that are kept are not decoded again. The pictures are the caller's.
func (s *Store) Frames(ctx context.Context, path string, pick Pick, size func(*Info) Size,
	report Progress) ([]Frame, *Info, error) {
	if s == nil {
		info, err := Probe(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		return Frames(ctx, path, info, pick, size, report)
	}
	clip, err := s.identify(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	info, err := s.info(ctx, path, clip)
	if err != nil {
		return nil, nil, err
	}
	ffmpegs, err := version(ctx, "ffmpeg")
	if err != nil {
		return nil, nil, err
	}
	name := func(info *Info, index int, size Size) features.Key {
		args, _ := build("clip", ffmpegs, info, []int{index}, size, index+1)
		return clip.key("frame", strings.Join(args, "\n"))
	}
	if info.Decoded { // else the number of frames is not sure yet, and with it which ones are meant
		wanted, scaled, err := order(path, info, pick, size)
		if err != nil {
			return nil, nil, err
		}
		if list := s.frames(name, info, wanted, scaled); list != nil {
			return list, info, nil
		}
	}
	list, sure, err := Frames(ctx, path, info, pick, size, report)
	if err != nil {
		return nil, nil, err
	}
	if again, err := s.identify(ctx, path); err != nil || again != clip {
		return list, sure, err // another file by now
	}
	if !info.Decoded && sure.Decoded {
		s.keepInfo(ctx, path, clip, sure)
	}
	for _, f := range list {
		s.kept.PutBytes(name(sure, f.Index, Size{f.Picture.W, f.Picture.H}), f.Picture.Pix)
	}
	return list, sure, nil
}

// content is what everything that is kept of a clip depends on: its bytes, the two programs, the rules.
type content [sha256.Size]byte

func (s *Store) identify(ctx context.Context, path string) (content, error) {
	sum, err := s.hashes.Sum(ctx, path, nil)
	if err != nil {
		if ctx.Err() != nil {
			return content{}, ctx.Err()
		}
		_, err := Probe(ctx, path) // says it as it does for all
		if err == nil {
			err = fault(path, Endless, "changes while it is read", "wait until what writes it is done, and try again")
		}
		return content{}, err
	}
	text := fmt.Appendf(nil, "%s\n%x\n", rules, sum)
	for _, program := range []string{"ffprobe", "ffmpeg"} {
		by, err := version(ctx, program)
		if err != nil {
			return content{}, err
		}
		text = fmt.Appendf(text, "%q\n", by.text)
	}
	return sha256.Sum256(text), nil
}

// key is the name of one thing about a clip: what it is, and for a frame the command that decodes it.
func (c content) key(what, command string) features.Key {
	return sha256.Sum256(fmt.Appendf(nil, "%s\n%x\n%s", what, c, command))
}

// info is what is kept of a clip, at best as decoding has confirmed it.
func (s *Store) info(ctx context.Context, path string, clip content) (*Info, error) {
	for _, what := range []string{"sure", "probed"} {
		if info := s.keptInfo(clip.key(what, "")); info != nil {
			return info, nil
		}
	}
	info, err := Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	s.keepInfo(ctx, path, clip, info)
	return info, nil
}

// keepInfo keeps what was found out, where the file is still the one that was meant.
func (s *Store) keepInfo(ctx context.Context, path string, clip content, info *Info) {
	if again, err := s.identify(ctx, path); err != nil || again != clip {
		return
	}
	what := "probed"
	if info.Decoded {
		what = "sure"
	}
	if text, err := json.Marshal(info); err == nil {
		s.kept.PutBytes(clip.key(what, ""), text)
	}
}

func (s *Store) keptInfo(key features.Key) *Info {
	raw, ok := s.kept.GetBytes(key)
	if !ok {
		return nil
	}
	info := &Info{}
	var err error
	if lost := mapped.Guard(func() error { err = json.Unmarshal(raw, info); return nil }); lost != nil || err != nil ||
		info.Frames != len(info.Times) {
		return nil
	}
	return info
}

// frames are the kept ones, where all are; else nil.
func (s *Store) frames(name func(*Info, int, Size) features.Key, info *Info, wanted []int, size Size) []Frame {
	list := make([]Frame, len(wanted))
	for i, index := range wanted {
		raw, ok := s.kept.GetBytes(name(info, index, size))
		img := picture.NewRGB(size.W, size.H)
		if !ok || len(raw) != len(img.Pix) {
			return nil
		}
		if mapped.Guard(func() error { copy(img.Pix, raw); return nil }) != nil {
			return nil
		}
		list[i] = Frame{index, info.Times[index], img}
	}
	return list
}
