package video

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"finetui/core/filehash"
	"finetui/ml/picture"
)

// Frame is one picture of a clip.
type Frame struct {
	Index   int     // in the clip, from 0
	Seconds float64 // when it is shown, from the container's start
	Picture *picture.RGB
}

// Pick chooses frames of a clip by their indices, ascending; a frame that is named twice comes twice, as one picture.
type Pick func(clip *Info) []int

// Frames decodes the frames that pick chooses, in one pass, at a size that the clip's own answers (nil: as a person
// sees them). info is what Probe said. Where it was counted by packets and decoding yields another number of frames,
// pick is asked again, and the answer's Info has the number that holds. The errors are those of Probe.
func Frames(ctx context.Context, path string, info *Info, pick Pick, size func(*Info) Size,
	report Progress) ([]Frame, *Info, error) {
	before, err := filehash.Look(path)
	if err != nil {
		return nil, nil, err
	}
	for range 2 {
		wanted, scaled, err := order(path, info, pick, size)
		if err != nil || len(wanted) == 0 {
			return nil, info, err
		}
		single := slices.Compact(slices.Clone(wanted))
		p, err := decode(ctx, path, info, single, scaled, !info.Decoded, report)
		var broke *failed
		if err != nil && !(errors.As(err, &broke) && len(p.times) > 0) {
			return nil, nil, fromDecoding(path, before, err)
		}
		if err := unchanged(path, before); err != nil {
			return nil, nil, err
		}
		if !info.Decoded && len(p.times) != info.Frames {
			counted := *info
			counted.setTimes(p.times, p.last)
			counted.Decoded, counted.Lost = true, max(info.Frames-counted.Frames, 0)
			if info = &counted; info.Frames == 0 {
				break
			}
			continue
		}
		if len(p.frames) < len(single) {
			break
		}
		list := make([]Frame, len(wanted))
		for i, index := range wanted {
			at, _ := slices.BinarySearch(single, index)
			list[i] = Frame{index, info.Times[index], p.frames[at]}
		}
		if !info.Decoded { // the pass went over the whole clip and found what the packets said
			sure := *info
			sure.Decoded = true
			info = &sure
		}
		return list, info, nil
	}
	return nil, nil, fault(path, Broken, "does not yield the frames that it holds",
		"copy or record the clip again, or remove it")
}

// order is what pick and size ask for, checked.
func order(path string, info *Info, pick Pick, size func(*Info) Size) ([]int, Size, error) {
	wanted, scaled := pick(info), Size{}
	if size != nil {
		scaled = size(info)
	}
	if scaled == (Size{}) {
		scaled = Size{info.W, info.H}
	}
	if scaled.W < 1 || scaled.H < 1 || scaled.W*scaled.H > mostPixels {
		return nil, scaled, fmt.Errorf("%s: frames of %d×%d pixels cannot be made", path, scaled.W, scaled.H)
	}
	for i, index := range wanted {
		if index < 0 || index >= info.Frames || i > 0 && index < wanted[i-1] {
			return nil, scaled, fmt.Errorf("%s: frame %d was asked for, in a clip of %s, or out of order",
				path, index,
				frames(info.Frames))
		}
	}
	if 3*scaled.W*scaled.H*len(wanted) > mostBytes {
		return nil, scaled, fmt.Errorf("%s: %s of %d×%d pixels are more than fit into memory at once: take fewer, or "+
			"smaller ones", path, frames(len(wanted)), scaled.W, scaled.H)
	}
	return wanted, scaled, nil
}

// Exactly picks those frames.
func Exactly(indices ...int) Pick { return func(*Info) []int { return indices } }

// Pick is the rule as a Pick.
func (s Sampling) Pick(clip *Info) []int { return s.Indices(clip.Frames, clip.FPS) }

// Spread picks n frames that lie equally far apart, the first and the last among them; all, where the clip has no more.
func Spread(n int) Pick {
	return func(clip *Info) []int {
		n := min(n, clip.Frames)
		list := make([]int, n)
		for i := range list {
			list[i] = i * (clip.Frames - 1) / max(n-1, 1)
		}
		return list
	}
}
