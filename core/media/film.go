package media

import (
	"context"
	"fmt"
	"os"

	"finetui/core/video"
)

// filmSide bounds the frames of clips on screens, in pixels: more than a panel of a terminal shows.
const filmSide = 448

// Frames are the frames of a clip that pick chooses, small enough for a screen, and what the clip is. Those that were
// looked at lately are kept as pictures are. They are shared: nobody changes them.
func (c *Cache) Frames(ctx context.Context, path string, pick video.Pick) ([]video.Frame, *video.Info, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	file := cacheKey{path: path, time: stat.ModTime(), bytes: stat.Size(), frames: "all"}
	chosen := func(clip *video.Info) cacheKey {
		key := file
		key.frames = fmt.Sprint(pick(clip))
		return key
	}
	var clip *video.Info
	if kept := c.get(file); kept != nil {
		clip = kept.clip
		if kept := c.get(chosen(clip)); kept != nil {
			return kept.frames, clip, nil
		}
	} else if clip, err = video.Probe(ctx, path); err != nil {
		return nil, nil, err
	}
	small := func(clip *video.Info) video.Size { return clip.Within(filmSide, filmSide) }
	frames, clip, err := video.Frames(ctx, path, clip, pick, small, nil)
	if err != nil {
		return nil, nil, err
	}
	c.put(&cached{key: file, clip: clip})
	c.put(&cached{key: chosen(clip), frames: frames})
	return frames, clip, nil
}
