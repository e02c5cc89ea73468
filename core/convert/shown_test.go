package convert

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/project"
	"finetui/ml/picture"
)

// onePicture opens a project of a picture that is a file of these bytes, with a box in it.
func onePicture(t *testing.T, name string, file []byte, classes string, overrides ...string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	label := "data/train/labels/" + strings.TrimSuffix(name, filepath.Ext(name)) + ".txt"
	for path, text := range map[string]string{"config.toml": "", "data/data.yaml": "train: train/images\nnames: " +
		classes + "\n",
		label: "0 0.5 0.5 0.1 0.5\n", "data/train/images/" + name: string(file)} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Override(append([]string{"RECIPE.CONTEXT=full", "RECIPE.SAMPLING=instance", "RECIPE.CROP_SQUARE=false",
		"EVAL.DATA="}, overrides...)); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(t.Context(), f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// turned is a JPEG of 40×24 pixels that is to be seen as 24×40 (orientation 6), dark at its left.
func turned(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 40, 24))
	for i := range img.Pix {
		img.Pix[i] = byte(6 * (i % 40))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(2 + len(exif))}, exif...)
	return append(head, out.Bytes()[2:]...)
}

// What records name is what is shown here, to a program that knows neither EXIF nor 16 bits.
func TestRecordsNamePicturesAsTheyAreShown(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		deep.SetGray16(i%32, i/32, color.Gray16{uint16(60 * i)})
	}
	for name, c := range map[string]struct {
		file   []byte
		copied string
	}{
		"turned.jpg": {turned(t), "media/train/turned-whole.jpg"},
		"deep.png":   {encoded(t, deep), "media/train/deep-whole.png"},
		"plain.png":  {encoded(t, image.NewGray(image.Rect(0, 0, 32, 32))), ""},
	} {
		for _, dialect := range ofPictures() {
			p := onePicture(t, name, c.file, "[crack]", "CONVERT.DIALECT="+dialect)
			result := convertAll(t, p)
			if got := slices.Contains(codes(result), "info picture_copied"); got != (c.copied != "") {
				t.Errorf("%s %s: %v", dialect, name, codes(result))
			}
			err := Read(result.Files[0].Path, config.Dialect(dialect), nil, func(r Record) error {
				path := r.media(Image)[0]
				if c.copied != "" && path != c.copied {
					t.Errorf("%s %s: the record names %s", dialect, name, path)
				}
				file, err := os.ReadFile(filepath.Join(result.Output, path))
				if err != nil {
					return err
				}
				plain, _, err := image.Decode(bytes.NewReader(file)) // as it lies there, not turned
				if err != nil {
					return err
				}
				want, _, err := picture.Decode(p.Data.Items[0].Media)
				if err != nil {
					return err
				}
				if b := plain.Bounds(); b.Dx() != want.W || b.Dy() != want.H {
					t.Errorf("%s %s: %d×%d pixels, shown are %d×%d", dialect, name, b.Dx(), b.Dy(), want.W, want.H)
					return nil
				}
				for i := range want.W * want.H {
					r, _, _, _ := plain.At(i%want.W, i/want.W).RGBA()
					if d := int(r>>8) - int(want.Pix[3*i]); d < -6 || d > 6 {
						t.Errorf("%s %s: pixel %d is %d, shown is %d", dialect, name, i, r>>8, want.Pix[3*i])
						break
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatIsTooLongForTheModelIsLeftOutWithAWord(t *testing.T) {
	long, high := image.NewGray(image.Rect(0, 0, 2300, 10)), image.NewGray(image.Rect(0, 0, 20, 800))
	for _, dialect := range ofPictures() {
		for _, c := range []struct {
			img       image.Image
			overrides []string
			left      bool
		}{
			{long, nil, true},
			{long, []string{"CONVERT.KEEP_MISSING=true"}, true},
			{long, []string{"RECIPE.CONTEXT=marked"}, true},
			{high, nil, false},
			{high, []string{"RECIPE.CONTEXT=crop", "RECIPE.CROP_MARGIN=0"}, false}, // cut out with its surroundings
		} {
			result := convertAll(t, onePicture(t, "a.png", encoded(t, c.img), "[crack]",
				append(c.overrides, "CONVERT.DIALECT="+dialect)...))
			if got := slices.Contains(codes(result), "warn picture_too_long"); got != c.left ||
				c.left == (len(result.Files) > 0 && result.Files[0].Split != "") {
				t.Errorf("%s %v %v: %v, files %v", dialect, c.img.Bounds(), c.overrides, codes(result), result.Files)
			}
		}
	}
}

func TestControlTokensAreRefusedInEveryDialect(t *testing.T) {
	for _, token := range []string{"<image>", "<video>", "<audio>", "<|im_end|>", "<|im_start|>", "<|endoftext|>",
		"<|vision_start|>", "<|image_pad|>", "<|box_end|>"} {
		for _, dialect := range ofPictures() {
			result := convertAll(t, onePicture(t, "a.png", encoded(t, image.NewGray(image.Rect(0, 0, 32, 32))),
				"['"+token+" blur']", "CONVERT.DIALECT="+dialect))
			if !slices.Contains(codes(result), "error record_unfit") || len(result.Files) > 0 {
				t.Errorf("%s %s: %v", dialect, token, codes(result))
			}
		}
	}
	for _, name := range []string{"a < b | c > d", "<b>", "<imagery>"} {
		result := convertAll(t, onePicture(t, "a.png", encoded(t, image.NewGray(image.Rect(0, 0, 32, 32))),
			"['"+name+"']"))
		if slices.Contains(codes(result), "error record_unfit") {
			t.Errorf("%s: %v", name, codes(result))
		}
	}
}
