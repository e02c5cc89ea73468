package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pngOf encodes a picture.
func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// codes lists the codes of notes.
func codes(notes []Note) (list []string) {
	for _, n := range notes {
		list = append(list, n.Code)
	}
	return list
}

func TestPicturesOfEveryKindBecomeRGB(t *testing.T) {
	rect := image.Rect(0, 0, 2, 1)
	nrgba := image.NewNRGBA(rect)
	copy(nrgba.Pix, []uint8{200, 100, 50, 0, 1, 2, 3, 255})
	gray := image.NewGray(rect)
	copy(gray.Pix, []uint8{7, 250})
	gray16 := image.NewGray16(rect)
	gray16.SetGray16(0, 0, color.Gray16{Y: 0x1234})
	gray16.SetGray16(1, 0, color.Gray16{Y: 0xff00})
	deep := image.NewNRGBA64(rect)
	deep.SetNRGBA64(0, 0, color.NRGBA64{R: 0x80ff, G: 0x0100, B: 0xffff, A: 0x8000})
	deep.SetNRGBA64(1, 0, color.NRGBA64{R: 1, G: 2, B: 3, A: 0xffff})
	palette := image.NewPaletted(rect, color.Palette{color.NRGBA{R: 9, G: 8, B: 7, A: 0}, color.NRGBA{R: 1, G: 2,
		B: 3, A: 255}})
	copy(palette.Pix, []uint8{0, 1})
	for _, c := range []struct {
		name  string
		img   image.Image
		want  []uint8
		notes []string
	}{
		{"alpha", nrgba, []uint8{200, 100, 50, 1, 2, 3}, []string{NoteAlpha}},
		{"grey", gray, []uint8{7, 7, 7, 250, 250, 250}, nil},
		{"16-bit grey", gray16, []uint8{0x12, 0x12, 0x12, 0xff, 0xff, 0xff}, []string{NoteDeepGrey}},
		{"16-bit with alpha", deep, []uint8{0x80, 1, 0xff, 0, 0, 0}, []string{NoteAlpha, NoteDeep}},
		{"palette", palette, []uint8{9, 8, 7, 1, 2, 3}, []string{NoteAlpha}},
	} {
		img, notes, err := decode(pngOf(t, c.img), maxDecoded)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !slices.Equal(img.Pix, c.want) || !slices.Equal(codes(notes), c.notes) {
			t.Errorf("%s: got %v with notes %v, want %v with %v", c.name, img.Pix, notes, c.want, c.notes)
		}
	}
}

func TestInksAreConvertedAsPillowDoes(t *testing.T) {
	m := image.NewCMYK(image.Rect(0, 0, 2, 1))
	copy(m.Pix, []uint8{0, 128, 255, 55, 10, 20, 30, 255})
	img, notes := convert(m, "jpeg")
	if want := []uint8{200, 100, 0, 0, 0, 0}; !slices.Equal(img.Pix, want) ||
		!slices.Equal(codes(notes), []string{NoteCMYK}) {
		t.Errorf("got %v, %v", img.Pix, notes)
	}
}

func TestAGIFKeepsTheColourUnderItsTransparency(t *testing.T) {
	palette := color.Palette{color.RGBA{9, 8, 7, 255}, color.RGBA{1, 2, 3, 255}, color.RGBA{}, color.RGBA{4, 5, 6, 255}}
	frame := image.NewPaletted(image.Rect(1, 1, 3, 2), palette)
	copy(frame.Pix, []uint8{0, 2})
	global := slices.Clone(palette)
	global[2] = color.RGBA{70, 80, 90, 255}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0},
		Config: image.Config{ColorModel: global, Width: 4, Height: 3}}); err != nil {
		t.Fatal(err)
	}
	img, _, err := decode(out.Bytes(), maxDecoded)
	if err != nil {
		t.Fatal(err)
	}
	want := NewRGB(4, 3)
	want.put(1, 1, 9, 8, 7)
	if img.W != 4 || img.H != 3 || !slices.Equal(img.Pix[:18], want.Pix[:18]) {
		t.Errorf("got %dx%d %v", img.W, img.H, img.Pix)
	}
	if !sameButForClear(palette, global) || sameButForClear(palette, palette[:2]) || sameButForClear(global, palette) {
		t.Error("palettes are compared wrongly")
	}
}

// exifOf is an EXIF structure with nothing but the orientation.
func exifOf(order binary.ByteOrder, orientation uint16) []byte {
	head := []byte("MM\x00*")
	if order == binary.LittleEndian {
		head = []byte("II*\x00")
	}
	out := make([]byte, 26)
	copy(out, head)
	order.PutUint32(out[4:], 8)
	order.PutUint16(out[8:], 1)
	order.PutUint16(out[10:], 0x0112)
	order.PutUint16(out[12:], 3)
	order.PutUint32(out[14:], 1)
	order.PutUint16(out[18:], orientation)
	return out
}

// withEXIF puts an EXIF structure into a JPEG or PNG file.
func withEXIF(file, exif []byte) []byte {
	if bytes.HasPrefix(file, []byte("\xff\xd8")) {
		content := append([]byte("Exif\x00\x00"), exif...)
		segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(content)+2))
		return slices.Concat(file[:2], segment, content, file[2:])
	}
	const header = 8 + 25 // signature and IHDR
	chunk := append([]byte("eXIf"), exif...)
	out := slices.Concat(file[:header], binary.BigEndian.AppendUint32(nil, uint32(len(exif))), chunk)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	return append(out, file[header:]...)
}

func TestOrientationIsApplied(t *testing.T) {
	source := image.NewNRGBA(image.Rect(0, 0, 3, 2)) // greys 0 1 2 / 3 4 5
	for i := range 6 {
		source.Set(i%3, i/3, color.NRGBA{uint8(i), uint8(i), uint8(i), 255})
	}
	file := pngOf(t, source)
	for orientation, want := range map[uint16]struct {
		w     int
		greys []uint8
	}{
		0: {3, []uint8{0, 1, 2, 3, 4, 5}}, 1: {3, []uint8{0, 1, 2, 3, 4, 5}}, 9: {3, []uint8{0, 1, 2, 3, 4, 5}},
		2: {3, []uint8{2, 1, 0, 5, 4, 3}}, 3: {3, []uint8{5, 4, 3, 2, 1, 0}}, 4: {3, []uint8{3, 4, 5, 0, 1, 2}},
		5: {2, []uint8{0, 3, 1, 4, 2, 5}}, 6: {2, []uint8{3, 0, 4, 1, 5, 2}},
		7: {2, []uint8{5, 2, 4, 1, 3, 0}}, 8: {2, []uint8{2, 5, 1, 4, 0, 3}},
	} {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			img, notes, err := decode(withEXIF(file, exifOf(order, orientation)), maxDecoded)
			if err != nil {
				t.Fatal(err)
			}
			var greys []uint8
			for i := 0; i < len(img.Pix); i += 3 {
				greys = append(greys, img.Pix[i])
			}
			if img.W != want.w || !slices.Equal(greys, want.greys) {
				t.Errorf("orientation %d, %v: %d wide, %v", orientation, order, img.W, greys)
			}
			if turned := slices.Contains(codes(notes), NoteOrientation); turned != (orientation >= 2 &&
				orientation <= 8) {
				t.Errorf("orientation %d: notes %v", orientation, notes)
			}
		}
	}
}

func TestColourSamplesAreBlendedNotRepeated(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 8, 4), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = 128
	}
	for i := range m.Cb {
		m.Cb[i] = 128
		m.Cr[i] = uint8(64 * (i % m.CStride))
	}
	line := planes{m, false}.rgb()
	var row [8]uint8
	plane{samples: m.Cr, stride: m.CStride, w: 4, h: 2, columns: 2, rows: 2}.row(row[:], make([]int, 4), 1)
	if want := [8]uint8{0, 16, 48, 80, 112, 144, 176, 192}; row != want {
		t.Errorf("blended to %v, want %v", row, want)
	}
	if line.Pix[3*2] != clamp8(128+(91881*(48-128)+1<<15)>>16) {
		t.Errorf("red at column 2 is %d", line.Pix[3*2])
	}
}

func TestEverySubsamplingIsRead(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422,
		image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410} {
		for w := 1; w < 12; w++ {
			m := image.NewYCbCr(image.Rect(0, 0, w, 5), ratio)
			for i := range m.Y {
				m.Y[i] = 90
			}
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = 128, 128
			}
			for _, v := range (planes{m, false}).rgb().Pix {
				if v != 90 {
					t.Fatalf("%v, %d wide: %d", ratio, w, v)
				}
			}
		}
	}
}

func TestWebPBrightnessRunsFrom16To235(t *testing.T) {
	out := make([]uint8, 9)
	studioRGB(out, []uint8{16, 235, 126}, []uint8{128, 128, 128}, []uint8{128, 128, 128})
	if want := []uint8{0, 0, 0, 255, 255, 255, 128, 128, 128}; !slices.Equal(out, want) {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestBrokenAndHugePicturesAreRefusedByName(t *testing.T) {
	good := pngOf(t, image.NewGray(image.Rect(0, 0, 40, 30)))
	for want, file := range map[string][]byte{
		"convert it":        []byte("no picture at all"),
		"cannot be decoded": good[:len(good)-20],
	} {
		path := filepath.Join(t.TempDir(), "x.png")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Decode(path); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	}
	if _, _, err := decode(good, 1000); err == nil || !strings.Contains(err.Error(), "shrink it") {
		t.Errorf("over the limit: %v", err)
	}
	if _, _, err := Decode(filepath.Join(t.TempDir(), "absent.png")); err == nil {
		t.Error("an absent file: no error")
	}
}

func TestExaminingAPictureSaysWhatDecodingItDoes(t *testing.T) {
	jpg := jpegOf(t, 40, 30)
	clear := image.NewNRGBA(image.Rect(0, 0, 9, 7))
	for what, file := range map[string][]byte{
		"colour": jpg, "turned": withEXIF(jpg, exifOf(binary.BigEndian, 6)), "cut": jpg[:len(jpg)/2],
		"upside down": withEXIF(jpg, exifOf(binary.LittleEndian, 3)),
		"grey":        pngOf(t, image.NewGray(image.Rect(0, 0, 9, 7))),
		"16 bits":     pngOf(t, image.NewGray16(clear.Rect)),
		"clear":       pngOf(t, clear), "none": []byte("none"),
	} {
		_, notes, err := DecodeBytes(file)
		seen, fault := Examine(file)
		if !slices.Equal(seen, notes) || fmt.Sprint(fault) != fmt.Sprint(err) {
			t.Errorf("%s: examined: %v, %v; decoded: %v, %v", what, seen, fault, notes, err)
		}
		if want := map[string]int{"turned": 1, "upside down": 1, "clear": 1, "16 bits": 2}[what]; len(seen) != want {
			t.Errorf("%s: notes %v, want %d", what, seen, want)
		}
	}
}

// jpegOf encodes seeded noise.
func jpegOf(t testing.TB, w, h int) []byte {
	t.Helper()
	source, img := noisy(w, h), image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, color.NRGBA{source.Pix[3*i], source.Pix[3*i+1], source.Pix[3*i+2], 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func FuzzDecode(f *testing.F) {
	f.Add(pngOf(f, image.NewNRGBA(image.Rect(0, 0, 3, 2))))
	f.Add(withEXIF(jpegOf(f, 9, 7), exifOf(binary.BigEndian, 6)))
	var out bytes.Buffer
	if err := gif.Encode(&out, image.NewGray(image.Rect(0, 0, 4, 4)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Add([]byte("II*\x00\x08\x00\x00\x00"))
	f.Add([]byte("BM"))
	f.Fuzz(func(t *testing.T, file []byte) {
		img, notes, err := decode(file, 1<<16)
		if seen, fault := examine(file, 1<<16); !slices.Equal(seen, notes) || fmt.Sprint(fault) != fmt.Sprint(err) {
			t.Fatalf("examined: %v, %v; decoded: %v, %v", seen, fault, notes, err)
		}
		if err != nil {
			return
		}
		if err := img.Check(); err != nil {
			t.Fatal(err)
		}
		if small := Resize(img, 7, 5); small.Check() != nil {
			t.Fatalf("resized to %d×%d with %d values", small.W, small.H, len(small.Pix))
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(withEXIF([]byte("\xff\xd8\xff\xd9"), exifOf(binary.LittleEndian, 6)))
	f.Add(slices.Concat([]byte("RIFF\x2a\x00\x00\x00WEBPEXIF\x1a\x00\x00\x00"), exifOf(binary.BigEndian, 3)))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x02eXIfMM\x00\x00\x00\x00"))
	f.Add(exifOf(binary.BigEndian, 8))
	f.Fuzz(func(t *testing.T, file []byte) {
		if o := orientation(bytes.NewReader(file), int64(len(file))); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}

func BenchmarkDecodeJPEG(b *testing.B) {
	file := jpegOf(b, 640, 480)
	b.SetBytes(640 * 480 * 3)
	for b.Loop() {
		if _, _, err := decode(file, maxDecoded); err != nil {
			b.Fatal(err)
		}
	}
}
