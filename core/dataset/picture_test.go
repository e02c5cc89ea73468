package dataset

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// withOrientation puts an EXIF segment behind the first marker of a JPEG.
func withOrientation(jpeg string, order binary.AppendByteOrder, turn uint16) string {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(tiff, 0x0112)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, turn)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	content := "Exif\x00\x00" + string(tiff)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(content)+2))
	return jpeg[:2] + string(head) + content + jpeg[2:]
}

func TestPicturesAreMeasuredByTheirHeaders(t *testing.T) {
	jpeg, png := pictureFile(t, "a.jpg", 16, 12), pictureFile(t, "a.png", 16, 12)
	tests := []struct {
		name, file    string
		width, height int
		fault         string
	}{
		{"whole.jpg", jpeg, 16, 12, ""},
		{"whole.png", png, 16, 12, ""},
		{"upright.jpg", withOrientation(jpeg, binary.LittleEndian, 1), 16, 12, ""},
		{"upside down.jpg", withOrientation(jpeg, binary.BigEndian, 3), 16, 12, ""},
		{"turned.jpg", withOrientation(jpeg, binary.LittleEndian, 6), 12, 16, ""},
		{"turned the other way.jpg", withOrientation(jpeg, binary.BigEndian, 8), 12, 16, ""},
		{"something behind the end.jpg", jpeg + "\x00\x00trailer", 16, 12, ""},
		{"cut.jpg", jpeg[:len(jpeg)-20], 16, 12, "cut off or damaged"},
		{"cut.png", png[:len(png)-20], 16, 12, "cut off or damaged"},
		{"empty.jpg", "", 0, 0, "empty"},
		{"words.png", "no picture", 0, 0, "convert it"},
		{"other.heic", "ftypheic", 0, 0, "convert"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), test.name)
		if err := os.WriteFile(path, []byte(test.file), 0o644); err != nil {
			t.Fatal(err)
		}
		facts, err := inspectPicture(place{path: path}, make([]byte, headBytes))
		if facts.width != test.width || facts.height != test.height || facts.glance.bytes != int64(len(test.file)) {
			t.Errorf("%s: got %+v, want %d×%d", test.name, facts, test.width, test.height)
		}
		if (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.fault)
		}
	}
}

func FuzzPictureHeader(f *testing.F) {
	f.Add([]byte(withOrientation(pictureFile(f, "a.jpg", 4, 4), binary.LittleEndian, 6)))
	f.Add([]byte(pictureFile(f, "a.png", 4, 4)))
	f.Add([]byte("GIF89a"))
	path := filepath.Join(f.TempDir(), "picture")
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		facts, err := inspectPicture(place{path: path}, make([]byte, headBytes))
		if err == nil && (facts.width <= 0 || facts.height <= 0) {
			t.Errorf("a picture of %+v has no finding", facts)
		}
	})
}

func TestAPipeIsNoPicture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.jpg")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes on this file system:", err)
	}
	if _, err := inspectPicture(place{path: path}, make([]byte, headBytes)); err == nil { // and it comes back at all
		t.Error("a pipe was taken for a picture")
	}
}
