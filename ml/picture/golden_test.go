package picture

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/goldentest"
)

// decodeFile is Decode for files that must be readable.
func decodeFile(t testing.TB, path string) *RGB {
	t.Helper()
	img, _, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// farthest is the largest difference of two pictures of one size, in grey levels, and the mean one.
func farthest(t testing.TB, a, b *RGB) (most int, mean float64) {
	t.Helper()
	if a.W != b.W || a.H != b.H {
		t.Fatalf("%dx%d against %dx%d pixels", a.W, a.H, b.W, b.H)
	}
	sum := 0
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		most = max(most, d, -d)
		sum += max(d, -d)
	}
	return most, float64(sum) / float64(len(a.Pix))
}

// pictureCase is an entry of images/cases.json, as far as it concerns decoding.
type pictureCase struct{ Key, Input, Decoded string }

// Decoders of JPEG may differ by a level or two; what this guards is the filter between colour samples, without which
// coloured edges are off by dozens.
func TestGoldenJPEGsAreDecodedCloseToPillow(t *testing.T) {
	golden := filepath.Dir(filepath.Dir(goldentest.Dir(t, "images", "cases.json")))
	var cases []pictureCase
	goldentest.JSON(t, filepath.Join(golden, "images", "cases.json"), &cases)
	for _, c := range cases {
		if c.Decoded == "" || filepath.Ext(c.Input) != ".jpg" || strings.HasSuffix(c.Key, "-down") ||
			strings.HasSuffix(c.Key, "-up") {
			continue
		}
		t.Run(c.Key, func(t *testing.T) {
			path := filepath.Join(golden, c.Input)
			if _, err := os.Stat(path); err != nil {
				path = filepath.Join(goldentest.Shared(t, "data"), c.Input)
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Skipf("the photograph is not here: %v", err)
			}
			want := decodeFile(t, filepath.Join(golden, c.Decoded))
			want = Upright(want, orientation(bytes.NewReader(file), int64(len(file))))
			most, mean := farthest(t, decodeFile(t, path), want)
			t.Logf("off by up to %d levels, %.3f on average", most, mean)
			if most > 4 || mean > 0.5 {
				t.Errorf("off by up to %d levels, %.3f on average", most, mean)
			}
		})
	}
}

func TestGoldenSixteenBitRGBKeepsTheUpperByte(t *testing.T) {
	golden := filepath.Dir(filepath.Dir(goldentest.Dir(t, "images", "cases.json")))
	path := filepath.Join(golden, "images", "input", "rgb16.png")
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	img, notes, err := Decode(path)
	if err != nil {
		t.Fatal(err)
	}
	if most, _ := farthest(t, img, decodeFile(t, filepath.Join(golden, "images", "decoded", "rgb16.png"))); most != 0 {
		t.Errorf("off by %d levels", most)
	}
	if len(notes) != 1 || notes[0].Code != NoteDeep {
		t.Errorf("notes %v", notes)
	}
}
