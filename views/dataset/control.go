package dataset

import (
	"context"

	"finetui/core/config"
	"finetui/core/media"
	"finetui/core/project"
	"finetui/core/stats"
)

// Control is what the pane needs of the program, handed in by it: all that reads, writes or draws files. Each is called
// in commands, beside the screen.
type Control struct {
	Picture Decoder

	// Frames are the frames of a clip at the times at which MODEL.BASE sees it. report tells how many of how many are
	// decoded.
	Frames func(ctx context.Context, file *config.Snapshot, path string, report func(done, total int)) (*project.Sight,
		error)

	// DrawDemo draws the demo's sets where DATASET.PATH and EVAL.DATA say.
	DrawDemo func(ctx context.Context, file *config.Snapshot, report func(done, total int, what string)) error

	WriteAnalysis func(path string, a *stats.Analysis) error
	WriteSheet    func(path string, s media.Sheet) error // as PNG
}

// A Decoder decodes a picture file, or has kept it from before.
type Decoder func(path string) (*media.Picture, error)
