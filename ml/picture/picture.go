// Package picture reads picture files as the field's Python programs do: decoded as Pillow decodes, upright, with 8
// bits a channel, resized bit for bit as Pillow resizes. It knows no model and draws nothing.
package picture

import "fmt"

// RGB is a picture of 8 bits a channel: row after row from the top, three bytes (red, green, blue) a pixel.
type RGB struct {
	W, H int
	Pix  []uint8 // W·H·3
}

// NewRGB is a black picture.
func NewRGB(w, h int) *RGB { return &RGB{w, h, make([]uint8, 3*w*h)} }

// Crop copies the part of the picture from column x0 and row y0 up to, without, x1 and y1, as far as it lies inside.
// Where nothing does, that is an error.
func Crop(img *RGB, x0, y0, x1, y1 int) (*RGB, error) {
	left, top, right, bottom := max(x0, 0), max(y0, 0), min(x1, img.W), min(y1, img.H)
	if left >= right || top >= bottom {
		return nil, fmt.Errorf("nothing of a %dx%d picture lies in columns %d to %d of rows %d to %d", img.W, img.H, x0,
			x1, y0, y1)
	}
	out := NewRGB(right-left, bottom-top)
	for y := top; y < bottom; y++ {
		copy(out.Pix[3*out.W*(y-top):], img.Pix[3*(y*img.W+left):3*(y*img.W+right)])
	}
	return out, nil
}

// Check refuses a picture that has no pixels, or other than its size says.
func (img *RGB) Check() error {
	if img == nil || img.W <= 0 || img.H <= 0 || len(img.Pix) != 3*img.W*img.H {
		return fmt.Errorf("the picture has no pixels, or not as many as its size says")
	}
	return nil
}
