package project

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/video"
)

// keptClips bounds what is kept of clips while a set is read: no frames, a few hundred bytes of each.
const keptClips = 256 << 20

// ReadSet reads a data set, and looks into its clips. What was found of a clip is kept in the project's folder, by what
// the clip holds. On a machine without FFmpeg their sizes stay unknown.
func ReadSet(ctx context.Context, c config.Dataset, root string, report Progress) (*dataset.Dataset, error) {
	var opened sync.Once
	var store *video.Store
	defer func() { store.Close() }()
	var unseen atomic.Int64
	var lacking atomic.Pointer[video.NoFFmpeg]
	probe := func(ctx context.Context, path string) (w, h int, clip dataset.Clip, err error) {
		opened.Do(func() { store = video.Open(root, keptClips) })
		info, err := store.Info(ctx, path)
		if missing := (*video.NoFFmpeg)(nil); errors.As(err, &missing) {
			unseen.Add(1)
			lacking.Store(missing)
			return 0, 0, clip, nil
		}
		if err != nil {
			return 0, 0, clip, err
		}
		return info.W, info.H, dataset.Clip{Frames: info.Frames, FPS: info.FPS, Seconds: info.Duration,
			Codec: info.Codec}, nil
	}
	set, err := dataset.Read(dataset.Probing(ctx, probe), c, root, report)
	if missing := lacking.Load(); err == nil && missing != nil {
		set.Findings = append([]dataset.Finding{noFFmpeg(missing, int(unseen.Load()))}, set.Findings...)
	}
	return set, err
}

// noFFmpeg says of a set of clips that nothing can be done with it here, and how to mend that.
func noFFmpeg(missing *video.NoFFmpeg, clips int) dataset.Finding {
	return dataset.Finding{Code: "no_ffmpeg", Level: level.Error,
		Text: fmt.Sprintf("the program %s is not on this machine, so that %s cannot be looked into, shown or trained on",
			missing.Program, dataset.Counted(clips, "clip", "clips")), Do: video.Install}
}
