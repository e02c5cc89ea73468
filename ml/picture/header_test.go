package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// webpWithEXIF puts an EXIF chunk behind a WebP file's own.
func webpWithEXIF(file, exif []byte) []byte {
	out := slices.Concat(file, []byte("EXIF"), binary.LittleEndian.AppendUint32(nil, uint32(len(exif))), exif)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// tinyWebP is a lossless WebP picture of one pixel.
var tinyWebP = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

func TestHeaderTellsTheSizeThatDecodeReturns(t *testing.T) {
	png, jpeg := pngOf(t, image.NewGray(image.Rect(0, 0, 30, 20))), jpegOf(t, 30, 20)
	turned := exifOf(binary.LittleEndian, 6)
	chunk := append([]byte("eXIf"), turned...)
	late := slices.Concat(png[:len(png)-12], binary.BigEndian.AppendUint32(nil, uint32(len(turned))), chunk,
		binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk)), png[len(png)-12:])
	asLong := bytes.Clone(turned)
	binary.LittleEndian.PutUint16(asLong[12:], 4)
	for name, test := range map[string]struct {
		file              []byte
		w, h, orientation int
		format            string
	}{
		"PNG":                            {png, 30, 20, 1, "png"},
		"JPEG":                           {jpeg, 30, 20, 1, "jpeg"},
		"PNG, turned":                    {withEXIF(png, turned), 20, 30, 6, "png"},
		"PNG, turned at its end":         {late, 20, 30, 6, "png"},
		"JPEG, turned":                   {withEXIF(jpeg, turned), 20, 30, 6, "jpeg"},
		"JPEG, turned by a long number":  {withEXIF(jpeg, asLong), 20, 30, 6, "jpeg"},
		"JPEG, mirrored":                 {withEXIF(jpeg, exifOf(binary.BigEndian, 2)), 30, 20, 2, "jpeg"},
		"WebP, turned":                   {webpWithEXIF(tinyWebP, turned), 1, 1, 6, "webp"},
		"JPEG, an orientation of nought": {withEXIF(jpeg, exifOf(binary.BigEndian, 0)), 30, 20, 1, "jpeg"},
	} {
		head, err := ReadHeader(bytes.NewReader(test.file), int64(len(test.file)))
		if err != nil || head.W != test.w || head.H != test.h || head.Orientation != test.orientation ||
			head.Format != test.format {
			t.Errorf("%s: got %+v, %v", name, head, err)
		}
		img, _, err := DecodeBytes(test.file)
		if err != nil || img.W != head.W || img.H != head.H {
			t.Errorf("%s: the header says %d×%d, decoding gives %+v, %v", name, head.W, head.H, img, err)
		}
	}
}

// TestHeadersOfTheCasesAgreeWithThePictures reads every picture of the shared cases both ways.
func TestHeadersOfTheCasesAgreeWithThePictures(t *testing.T) {
	root := os.Getenv("FINETUI_CASES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "cases")
	}
	files, _ := filepath.Glob(filepath.Join(root, "data", "*exif*", "data", "*", "images", "*"))
	if len(files) == 0 {
		t.Skip("no turned pictures under", root, "(FINETUI_CASES)")
	}
	turned := 0
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, err := ReadHeader(bytes.NewReader(file), int64(len(file)))
		img, _, decodeErr := DecodeBytes(file)
		if err != nil || decodeErr != nil || head.W != img.W || head.H != img.H {
			t.Errorf("%s: %+v, %v; decoded %v", path, head, err, decodeErr)
		}
		if head.Orientation == 6 {
			turned++
		}
	}
	if turned < 3 {
		t.Errorf("%d of %d pictures are turned", turned, len(files))
	}
}

// TestColoursOfTheCasesAreThoseOfPillow compares with convert("RGB") of Pillow 13.0.0: the first two pixels.
func TestColoursOfTheCasesAreThoseOfPillow(t *testing.T) {
	root := os.Getenv("FINETUI_CASES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared", "cases")
	}
	folder := filepath.Join(root, "data", "17-cmyk-palette-alpha", "data", "train", "images")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no pictures at", folder, "(FINETUI_CASES)")
	}
	for name, want := range map[string][6]uint8{
		"t0.jpg": {0x98, 0x8a, 0x95, 0x98, 0x8a, 0x95}, // four inks, inverted
		"t1.png": {0x98, 0x8a, 0x95, 0x98, 0x8a, 0x95}, // a palette with a transparent colour
		"t2.png": {0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x8f}, // grey with alpha
		"t3.png": {0xff, 0xff, 0xff, 0x00, 0x00, 0x00}, // one bit
		"t4.png": {0x98, 0x8a, 0x95, 0x98, 0x8a, 0x95}, // alpha
	} {
		img, _, err := Decode(filepath.Join(folder, name))
		if err != nil || [6]uint8(img.Pix[:6]) != want {
			t.Errorf("%s: %x, %v, want %x", name, img.Pix[:6], err, want)
		}
	}
}

func TestDamageIsSaidInPlainWords(t *testing.T) {
	png, jpeg := pngOf(t, image.NewGray(image.Rect(0, 0, 40, 30))), jpegOf(t, 64, 64)
	changed := bytes.Clone(png)
	changed[len(png)-20] ^= 0x40
	for want, file := range map[string][]byte{
		"a checksum inside does not fit":      changed,
		"its data end in the middle (invalid": append(bytes.Clone(jpeg[:len(jpeg)/2]), 0xff, 0xd9), // closed again
		"its data end in the middle":          jpeg[:len(jpeg)-len(jpeg)/2],
	} {
		if _, _, err := DecodeBytes(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestDarkSixteenBitGreyIsNoted(t *testing.T) {
	for most, dark := range map[uint16]bool{4095: true, 3: true, 4096: false, 65535: false} {
		m := image.NewGray16(image.Rect(0, 0, 3, 2))
		m.SetGray16(1, 1, color.Gray16{Y: most})
		_, notes, err := DecodeBytes(pngOf(t, m))
		if err != nil || slices.Contains(codes(notes), NoteDark) != dark ||
			!slices.Contains(codes(notes), NoteDeepGrey) {
			t.Errorf("up to %d: %v, %v", most, notes, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(withEXIF(pngOf(f, image.NewGray(image.Rect(0, 0, 3, 2))), exifOf(binary.BigEndian, 6)))
	f.Add(withEXIF(jpegOf(f, 3, 2), exifOf(binary.LittleEndian, 8)))
	f.Add(webpWithEXIF(tinyWebP, exifOf(binary.LittleEndian, 5)))
	f.Fuzz(func(t *testing.T, file []byte) {
		head, err := readHeader(bytes.NewReader(file), int64(len(file)), 1<<16)
		if err != nil {
			return
		}
		if img, _, err := decode(file, 1<<16); err == nil && (img.W != head.W || img.H != head.H) {
			t.Fatalf("the header says %d×%d, decoding gives %d×%d", head.W, head.H, img.W, img.H)
		}
	})
}
