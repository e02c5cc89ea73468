package picture

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// noisy is a picture of seeded noise.
func noisy(w, h int) *RGB {
	img := NewRGB(w, h)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.UintN(256))
	}
	return img
}

func TestResizeOfOneColourKeepsIt(t *testing.T) {
	img := NewRGB(37, 53)
	for i := range img.Pix {
		img.Pix[i] = uint8(10 + 100*(i%3))
	}
	for _, size := range [][2]int{{37, 53}, {5, 7}, {200, 3}, {1, 1}, {37, 90}, {80, 53}} {
		out := Resize(img, size[0], size[1])
		if out.W != size[0] || out.H != size[1] || len(out.Pix) != 3*size[0]*size[1] {
			t.Fatalf("%v gives %dx%d", size, out.W, out.H)
		}
		for i, v := range out.Pix {
			if v != uint8(10+100*(i%3)) {
				t.Fatalf("%v: value %d is %d", size, i, v)
			}
		}
	}
}

func TestResizeNeverChangesItsSource(t *testing.T) {
	img := noisy(20, 30)
	before := slices.Clone(img.Pix)
	for _, size := range [][2]int{{20, 30}, {10, 30}, {20, 9}, {41, 7}} {
		out := Resize(img, size[0], size[1])
		out.Pix[0] ^= 0xff
	}
	if !slices.Equal(img.Pix, before) {
		t.Error("the source was written to")
	}
}

func TestCropCopiesWhatLiesInside(t *testing.T) {
	img := noisy(6, 5)
	out, err := Crop(img, -3, 2, 4, 99)
	if err != nil || out.W != 4 || out.H != 3 {
		t.Fatalf("got %+v, %v", out, err)
	}
	if !slices.Equal(out.Pix[:12], img.Pix[3*2*6:3*(2*6+4)]) || !slices.Equal(out.Pix[24:], img.Pix[3*4*6:3*(4*6+4)]) {
		t.Error("the pixels are others")
	}
	for _, box := range [][4]int{{6, 0, 9, 5}, {3, 3, 3, 4}, {4, 0, 2, 5}} {
		if _, err := Crop(img, box[0], box[1], box[2], box[3]); err == nil {
			t.Errorf("%v: no error", box)
		}
	}
}

func BenchmarkResize(b *testing.B) {
	for _, c := range []struct {
		name       string
		w, h, x, y int
	}{{"1080p-down", 1920, 1080, 644, 364}, {"1080p-same", 1920, 1080, 1932, 1092}, {"224-up", 224, 224, 280, 280}} {
		img := noisy(c.w, c.h)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(img.Pix)))
			for b.Loop() {
				Resize(img, c.x, c.y)
			}
		})
	}
}
