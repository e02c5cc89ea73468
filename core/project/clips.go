package project

import (
	"context"
	"errors"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
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
	probe := func(ctx context.Context, path string) (w, h int, clip dataset.Clip, err error) {
		opened.Do(func() { store = video.Open(root, keptClips) })
		info, err := store.Info(ctx, path)
		if missing := (*video.NoFFmpeg)(nil); errors.As(err, &missing) {
			return 0, 0, clip, nil
		}
		if err != nil {
			return 0, 0, clip, err
		}
		return info.W, info.H, dataset.Clip{Frames: info.Frames, FPS: info.FPS, Seconds: info.Duration}, nil
	}
	return dataset.Read(dataset.Probing(ctx, probe), c, root, report)
}
