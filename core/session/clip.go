package session

import (
	"context"
	"path/filepath"
	"slices"

	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/video"
)

// Clip is a clip for the screen: frames to play through, and which of them a subject is shown.
type Clip struct {
	*video.Info
	Frames []video.Frame // small, in time order
	Shown  []int         // places in Frames of those that the subject is shown, in their order; one may come twice
}

// played is how many frames are there to play through, beside those that the subject is shown.
const played = 64

// Clip reads a clip as a subject of this session is shown it. pictures keeps frames.
func (s *Session) Clip(ctx context.Context, t *Setting, path string, pictures *media.Cache) (*Clip, error) {
	encoder := t.Encoder()
	pick := func(clip *video.Info) []int {
		all := slices.Concat(encoder.Pick(clip), video.Spread(played)(clip))
		slices.Sort(all)
		return slices.Compact(all)
	}
	frames, info, err := pictures.Frames(ctx, path, pick)
	if err != nil {
		return nil, err
	}
	clip := &Clip{Info: info, Frames: frames}
	for _, index := range encoder.Pick(info) {
		place, there := slices.BinarySearchFunc(frames, index,
			func(f video.Frame, index int) int { return f.Index - index })
		if there {
			clip.Shown = append(clip.Shown, place)
		}
	}
	return clip, nil
}

// present is the base of a setting where it is on this machine; else nil. Nothing is fetched and no weights are read,
// and nobody waits for a model that is being loaded.
func (p *pool) present(t *Setting) *model.Base {
	p.looking.Lock()
	defer p.looking.Unlock()
	key := t.baseKey()
	before := p.looked[key]
	if before != nil && !before.Changed() {
		return before
	}
	b, away, err := model.OpenPresent(t.Project.Config.Model.Base, t.root)
	if err != nil || away {
		return nil // what is wrong with it is said when it is asked
	}
	if before != nil {
		p.gone = append(p.gone, before)
	}
	p.looked[key] = b
	return b
}

// baseKey tells the bases of settings apart.
func (t *Setting) baseKey() string {
	name := t.Project.Config.Model.Base
	if name != model.Tiny && !filepath.IsAbs(name) {
		return filepath.Join(t.root, name)
	}
	return name
}
