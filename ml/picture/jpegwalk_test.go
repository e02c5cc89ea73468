package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// sameVerdict holds a walk against the decoder; walked says that the walk had an answer.
func sameVerdict(t *testing.T, name string, file []byte) (walked bool) {
	t.Helper()
	w, h, walked := walkJPEG(file)
	if !walked {
		return false
	}
	img, kind, err := image.Decode(bytes.NewReader(file))
	if err != nil || kind != "jpeg" {
		t.Fatalf("%s: walked to its end, but the decoder says %s %v", name, kind, err)
	}
	switch img.(type) {
	case *image.YCbCr, *image.Gray:
	default:
		t.Fatalf("%s: walked to its end, and is a %T", name, img)
	}
	if img.Bounds() != image.Rect(0, 0, w, h) {
		t.Fatalf("%s: walked as %d×%d, decoded as %v", name, w, h, img.Bounds())
	}
	return true
}

// ordinaryJPEGs are files as they should be walked through.
func ordinaryJPEGs(t *testing.T) map[string][]byte {
	files := map[string][]byte{"smooth": jpegOf(t, 30, 20)}
	grey := image.NewGray(image.Rect(0, 0, 31, 17))
	for i := range grey.Pix {
		grey.Pix[i] = byte(i * i)
	}
	colours := image.NewRGBA(image.Rect(0, 0, 67, 45))
	for i := range colours.Pix {
		colours.Pix[i] = byte(i * i * i >> 7)
	}
	for name, img := range map[string]image.Image{"grey": grey, "colours": colours,
		"flat": image.NewRGBA(image.Rect(0, 0, 1, 1))} {
		for _, quality := range []int{20, 75, 100} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			files[name+" "+string(rune('0'+quality/20))] = out.Bytes()
		}
	}
	return files
}

func TestJPEGIsWalkedAsItsDecoderReadsIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	changed := 0
	for name, whole := range ordinaryJPEGs(t) {
		if !sameVerdict(t, name, whole) {
			t.Errorf("%s: an ordinary file is left to the decoder", name)
		}
		for end := range whole {
			if sameVerdict(t, name, whole[:end]) {
				t.Errorf("%s: walked to the end of its first %d bytes of %d", name, end, len(whole))
			}
		}
		for range 1500 {
			file := bytes.Clone(whole)
			for range 1 + rng.IntN(3) {
				at := rng.IntN(len(file))
				switch rng.IntN(4) {
				case 0:
					file[at] = byte(rng.IntN(256))
				case 1:
					file[at] ^= 1 << rng.IntN(8)
				case 2:
					file = append(file[:at], file[min(len(file), at+1+rng.IntN(3)):]...)
				case 3:
					file = append(file[:at:at], append([]byte{0xff, byte(rng.IntN(256))}, file[at:]...)...)
				}
			}
			if sameVerdict(t, name, file) {
				changed++
			}
		}
	}
	if changed < 300 {
		t.Errorf("only %d of the changed files were walked to their end", changed)
	}
}

// TestPicturesOfOthersAreWalkedAsTheirDecoderReadsThem looks at what is beside the repository.
func TestPicturesOfOthersAreWalkedAsTheirDecoderReadsThem(t *testing.T) {
	n, walked := 0, 0
	for _, folder := range []string{"data", "cases"} {
		_ = filepath.WalkDir(filepath.Join("../../../shared", folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil
			}
			file, err := os.ReadFile(path)
			if err != nil || !bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
				return nil
			}
			n++
			if sameVerdict(t, path, file) {
				walked++
			}
			return nil
		})
	}
	if n == 0 {
		t.Skip("shared/data and shared/cases are not beside the repository")
	}
	t.Logf("%d of %d were walked to their end", walked, n)
}

func BenchmarkExamine(b *testing.B) {
	file := jpegOf(b, 640, 480)
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			if _, _, ok := walkJPEG(file); !ok {
				b.Fatal("left to the decoder")
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
