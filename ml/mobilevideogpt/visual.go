package mobilevideogpt

import (
	"errors"
	"fmt"

	"finetui/ml/picture"
	"finetui/ml/train"
)

// Shot is one thing that the model is shown, cut for both encoders: a clip, or a picture.
type Shot struct {
	Clip  bool
	Image []*picture.RGB // of a clip Frames, of a picture one; nil: the frame is missing
	Video []*picture.RGB // of a clip the same frames for the video encoder
}

// Shots are what a sample shows, for an Eye.
type Shots struct {
	Shots  []Shot
	config Config
}

// Rows is the number of rows that run through the encoders.
func (s Shots) Rows() (n int) {
	for _, shot := range s.Shots {
		n += s.config.Rows(shot.Clip)
	}
	return n
}

// Values is the number of values that their pixels become.
func (s Shots) Values() (n int) {
	for _, shot := range s.Shots {
		for _, f := range append(shot.Image, shot.Video...) {
			if f != nil {
				n += len(f.Pix)
			}
		}
	}
	return n
}

// Shown is a clip or a picture as it was decoded.
type Shown struct {
	Clip   bool
	Frames []*picture.RGB // of a clip at most 16, in time order; of a picture one
}

// Prepare cuts what is shown for both encoders. A clip of fewer frames than the model reads has missing ones at its
// end.
func (c Config) Prepare(shown []Shown) (Shots, error) {
	out := Shots{config: c}
	for i, s := range shown {
		shot, err := c.shot(s)
		if err != nil {
			return Shots{}, fmt.Errorf("clip or picture %d: %w", i+1, err)
		}
		out.Shots = append(out.Shots, shot)
	}
	return out, nil
}

func (c Config) shot(s Shown) (Shot, error) {
	switch {
	case len(s.Frames) == 0:
		return Shot{}, errors.New("it has no frames")
	case s.Clip && len(s.Frames) > Frames:
		return Shot{}, fmt.Errorf("it has %d frames, and the model reads %d", len(s.Frames), Frames)
	case !s.Clip && len(s.Frames) != 1:
		return Shot{}, fmt.Errorf("a picture has one frame, not %d", len(s.Frames))
	}
	out := Shot{Clip: s.Clip}
	for i, f := range s.Frames {
		small, err := c.Image.Frame(f)
		if err != nil {
			return Shot{}, fmt.Errorf("frame %d: %w", i+1, err)
		}
		out.Image = append(out.Image, small)
		if !s.Clip {
			continue
		}
		if small, err = c.Video.Frame(f); err != nil {
			return Shot{}, fmt.Errorf("frame %d: %w", i+1, err)
		}
		out.Video = append(out.Video, small)
	}
	for s.Clip && len(out.Image) < Frames {
		out.Image, out.Video = append(out.Image, nil), append(out.Video, nil)
	}
	return out, nil
}

// Seen is what the encoders have made of a clip or a picture: what the projectors read.
type Seen struct {
	Image []float32 // [frames·patches, width of the image encoder]
	Video []float32 // [chunks·side², width of the video encoder]; nil: a picture

	Chosen []int     // the frames of a clip that the video encoder read, in time order
	Scores []float64 // of all frames of a clip: the attention that each receives in its chunk
}

// Features are what a sample shows its network.
type Features []Seen

// Rows is 0: what the projectors take is little beside the language model.
func (f Features) Rows() int { return 0 }

// Values is their number.
func (f Features) Values() (n int) {
	for _, s := range f {
		n += len(s.Image) + len(s.Video)
	}
	return n
}

// check holds what was seen against the sizes of the encoders, and returns the number of its tokens.
func (c Config) check(f Features) (tokens int, err error) {
	for i, s := range f {
		frames, video := 1, 0
		if s.Video != nil {
			frames, video = Frames, Frames/Chunk*c.videoSide()*c.videoSide()*c.Video.Hidden
		}
		if len(s.Image) != frames*c.Image.Patches()*c.Image.Hidden || len(s.Video) != video {
			return 0, fmt.Errorf("clip or picture %d has %d and %d values, which are no features of these encoders",
				i+1, len(s.Image), len(s.Video))
		}
		tokens += c.Tokens(s.Video != nil)
	}
	return tokens, nil
}

// features are those of a sample, nil where it has none.
func features(s *train.Sample) (Features, error) {
	switch v := s.Visual.(type) {
	case nil:
		return nil, nil
	case Features:
		return v, nil
	}
	return nil, fmt.Errorf("it brings %T: the encoders are frozen, and the network reads what they have seen", s.Visual)
}

// Keep lays features out as plain values; Kept takes them apart again. Of each they are whether it is a clip, its
// scores and its chosen frames, and the values of both encoders.
func (c Config) Keep(f Features) []float32 {
	out := []float32{float32(len(f))}
	for _, s := range f {
		if s.Video == nil {
			out = append(append(out, 0), s.Image...)
			continue
		}
		out = append(out, 1)
		for _, v := range s.Scores {
			out = append(out, float32(v))
		}
		for _, v := range s.Chosen {
			out = append(out, float32(v))
		}
		out = append(append(out, s.Image...), s.Video...)
	}
	return out
}

// Kept is what Keep has laid out; false where it does not fit.
func (c Config) Kept(values []float32) (f Features, ok bool) {
	take := func(n int) []float32 {
		if n > len(values) {
			ok = false
			return nil
		}
		v := values[:n:n]
		values = values[n:]
		return v
	}
	ok = true
	head := take(1)
	if !ok || !(head[0] >= 0 && head[0] <= 1<<16) {
		return nil, false
	}
	for range int(head[0]) {
		var s Seen
		kind := take(1)
		if !ok {
			return nil, false
		}
		frames := 1
		if kind[0] == 1 {
			frames = Frames
			for _, v := range take(Frames) {
				s.Scores = append(s.Scores, float64(v))
			}
			for _, v := range take(c.Select * Frames / Chunk) {
				if !(v >= 0 && v < Frames) {
					return nil, false
				}
				s.Chosen = append(s.Chosen, int(v))
			}
		}
		s.Image = take(frames * c.Image.Patches() * c.Image.Hidden)
		if kind[0] == 1 {
			s.Video = take(Frames / Chunk * c.videoSide() * c.videoSide() * c.Video.Hidden)
		}
		if !ok {
			return nil, false
		}
		f = append(f, s)
	}
	return f, len(values) == 0
}

// Grid is how many frames are seen of a clip or a picture, of how many patches each, and how many places the video
// encoder's map of each chunk has.
func (c Config) Grid(clip bool) [3]int {
	if !clip {
		return [3]int{1, c.Image.Patches(), 0}
	}
	return [3]int{Frames, c.Image.Patches(), c.videoSide() * c.videoSide()}
}
