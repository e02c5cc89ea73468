package pixels

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"os"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// maxDecoded is the largest number of pixels that is decoded; Pillow refuses the same, as a likely attack.
const maxDecoded = 178_956_970

// Decode reads a JPEG, PNG, GIF (its first frame), WebP, BMP or TIFF file as upright 8-bit RGB, and notes what the
// file had that this does not: orientation, transparency, 16 bits, four inks. Errors name the file.
func Decode(path string) (*RGB, []Note, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	img, notes, err := decode(file, maxDecoded)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, notes, nil
}

// decode is Decode for a file that is already in memory; it refuses pictures of more than most pixels before it reads them.
func decode(file []byte, most int64) (out *RGB, notes []Note, err error) {
	// The decoders are other people's: one that panics on a broken file must not take the program along.
	defer func() {
		if p := recover(); p != nil {
			out, notes, err = nil, nil, fmt.Errorf("the picture is broken: %v", p)
		}
	}()
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	if errors.Is(err, image.ErrFormat) {
		return nil, nil, errors.New("not a JPEG, PNG, GIF, WebP, BMP or TIFF picture: convert it to one of these")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the picture cannot be decoded: %w", err)
	}
	if config.Width <= 0 || config.Height <= 0 {
		return nil, nil, fmt.Errorf("the picture has %dx%d pixels", config.Width, config.Height)
	}
	if int64(config.Width)*int64(config.Height) > most {
		return nil, nil, fmt.Errorf("the picture has %dx%d pixels, more than the %d that are read: shrink it", config.Width, config.Height, most)
	}
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, nil, fmt.Errorf("the picture cannot be decoded: %w", err)
	}
	if img.Bounds().Empty() {
		return nil, nil, errors.New("the picture has no pixels")
	}
	out, notes = convert(img, format)
	if frame, ok := img.(*image.Paletted); ok && format == "gif" {
		if global, ok := config.ColorModel.(color.Palette); ok && sameButForClear(frame.Palette, global) {
			frame.Palette = global
			out.putPalette(frame)
		}
		out = onCanvas(out, frame.Rect.Min, config.Width, config.Height)
	}
	if o := orientation(file); o != 1 {
		out = upright(out, o)
		notes = append(notes, Note{NoteOrientation, fmt.Sprintf("was turned upright (EXIF orientation %d)", o)})
	}
	return out, notes, nil
}

// sameButForClear tells whether a GIF's frame has the colours of the whole file. Its decoder blackens the one that is
// transparent; in the file's own list that one still has its colour.
func sameButForClear(frame, global color.Palette) bool {
	if len(frame) > len(global) {
		return false
	}
	for i, c := range frame {
		if _, _, _, alpha := c.RGBA(); alpha != 0 && c != global[i] {
			return false
		}
	}
	return true
}

// onCanvas puts a frame at its place on a black canvas; the first frame of a GIF may be smaller than the picture.
func onCanvas(frame *RGB, at image.Point, w, h int) *RGB {
	if frame.W == w && frame.H == h {
		return frame
	}
	out := NewRGB(w, h)
	for y := range frame.H {
		if at.Y+y < 0 || at.Y+y >= h || at.X < 0 || at.X >= w {
			continue
		}
		copy(out.Pix[3*((at.Y+y)*w+at.X):3*(at.Y+y+1)*w], frame.Pix[3*y*frame.W:3*(y+1)*frame.W])
	}
	return out
}
