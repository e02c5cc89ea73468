package media

import "finetui/ml/picture"

// Picture is a picture as it was decoded, for who draws it: W×H pixels of three bytes each, row by row in Pix.
type Picture = picture.RGB

// NewPicture is a black picture of w×h pixels.
func NewPicture(w, h int) *Picture { return picture.NewRGB(w, h) }
