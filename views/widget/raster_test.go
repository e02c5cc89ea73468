package widget

import (
	"image"
	"image/draw"
)

// NewRaster copies the pixels of an image, transparency over black.
func NewRaster(img image.Image) Raster {
	bounds := img.Bounds()
	rgba := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	draw.Draw(rgba, rgba.Bounds(), img, bounds.Min, draw.Src)
	r := Raster{bounds.Dx(), bounds.Dy(), make([]byte, bounds.Dx()*bounds.Dy()*3)}
	for i := range r.W * r.H {
		copy(r.RGB[i*3:i*3+3], rgba.Pix[i*4:])
	}
	return r
}
