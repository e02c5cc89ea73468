package media

import (
	"image"
	"image/color"
	"image/png"
	"io"

	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/wholefile"
)

// Sheet lays pictures out in rows of so many columns, each shrunk to w×h pixels at most and centred in its cell. gap is
// the distance between cells, and around them, in pixels. A nil picture leaves its cell empty.
func Sheet(pictures []*pixels.RGB, columns, w, h, gap int, ground color.RGBA) *pixels.RGB {
	columns = max(min(columns, len(pictures)), 1)
	rows := max((len(pictures)+columns-1)/columns, 1)
	sheet := pixels.NewRGB(columns*(w+gap)+gap, rows*(h+gap)+gap)
	fill(sheet, 0, 0, sheet.W, sheet.H, ground)
	for i, picture := range pictures {
		if picture == nil {
			continue
		}
		small := Fit(picture, w, h)
		x := gap + i%columns*(w+gap) + (w-small.W)/2
		y := gap + i/columns*(h+gap) + (h-small.H)/2
		for row := range small.H {
			copy(sheet.Pix[3*((y+row)*sheet.W+x):], small.Pix[3*row*small.W:3*(row+1)*small.W])
		}
	}
	return sheet
}

// Image is the picture for the packages that take Go's own kind.
func Image(picture *pixels.RGB) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, picture.W, picture.H))
	for i := range picture.W * picture.H {
		copy(out.Pix[4*i:4*i+3], picture.Pix[3*i:])
		out.Pix[4*i+3] = 255
	}
	return out
}

// WritePNG writes the picture to a file; a reader never finds half of it.
func WritePNG(path string, picture *pixels.RGB) error {
	return wholefile.Create(path, 0o644, func(w io.Writer) error { return png.Encode(w, Image(picture)) })
}
