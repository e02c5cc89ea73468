package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// TestJPEGSizeNeverDiffersFromTheDecoders changes bytes of headers at random: where jpegSize answers, the decoder says
// the same, and of a whole file it answers.
func TestJPEGSizeNeverDiffersFromTheDecoders(t *testing.T) {
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 31, 17)), nil); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	answered := 0
	for _, whole := range [][]byte{jpegOf(t, 30, 20), grey.Bytes()} {
		if _, _, ok := jpegSize(bytes.NewReader(whole), int64(len(whole))); !ok {
			t.Error("an ordinary file is left to the decoder")
		}
		for range 20_000 {
			file := bytes.Clone(whole)
			for range 1 + rng.IntN(3) {
				file[rng.IntN(min(len(file), 700))] = byte(rng.IntN(256))
			}
			file = file[:len(file)-rng.IntN(2)*rng.IntN(len(file))]
			w, h, ok := jpegSize(bytes.NewReader(file), int64(len(file)))
			if !ok {
				continue
			}
			answered++
			c, kind, err := image.DecodeConfig(bytes.NewReader(file))
			if err != nil || kind != "jpeg" || c.Width != w || c.Height != h {
				t.Fatalf("jpegSize says %d×%d, the decoder %s %d×%d, %v of % x", w, h, kind, c.Width, c.Height, err,
					file[:min(len(file), 200)])
			}
		}
	}
	if answered < 1000 {
		t.Errorf("only %d of the changed files were ordinary", answered)
	}
}
