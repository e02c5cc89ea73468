package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/gif" // the formats that are read, here and below
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// pictureEndings are the file names taken for pictures. The later ones are known to other programs and not read here: a
// finding says so, instead of a label file without a picture.
var (
	pictureEndings   = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
	unreadPictures   = []string{".heic", ".heif", ".avif", ".dng", ".mpo", ".pfm", ".jp2"}
	pngEnd           = []byte{0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82}
	errUnknownFormat = fmt.Errorf("a format that is not read: convert it to JPEG or PNG")
)

func isPicture(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return slices.Contains(pictureEndings, ending) || slices.Contains(unreadPictures, ending)
}

// mostPixels is the largest picture that is decoded, here and for training; more is a likely attack.
const mostPixels = 178_956_970

// pictureFacts is what can be said of a picture without decoding it.
type pictureFacts struct {
	width, height int   // pixels of the picture as it is meant to be seen; 0 where even the header cannot be read
	bytes         int64 // size of the file
}

// inspectPicture reads a picture's header and checks that its end is there. Only where the end looks odd is the picture
// decoded. The error says why it cannot be decoded whole; facts hold what could be read all the same.
func inspectPicture(path string) (facts pictureFacts, err error) {
	// The decoders are other people's: one that panics on a broken file must not take the program along.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	info, err := os.Stat(path) // before opening: a pipe would wait for its other end
	if err != nil {
		return facts, bare(err)
	}
	switch {
	case !info.Mode().IsRegular():
		return facts, fmt.Errorf("no file")
	case info.Size() == 0:
		return facts, fmt.Errorf("an empty file")
	}
	facts.bytes = info.Size()
	file, err := os.Open(path)
	if err != nil {
		return facts, bare(err)
	}
	defer file.Close()
	header, kind, err := image.DecodeConfig(bufio.NewReaderSize(file, 8<<10))
	if err != nil {
		if slices.Contains(unreadPictures, strings.ToLower(filepath.Ext(path))) {
			err = errUnknownFormat
		}
		return facts, err
	}
	facts.width, facts.height = header.Width, header.Height
	switch {
	case header.Width <= 0 || header.Height <= 0:
		return pictureFacts{bytes: info.Size()}, fmt.Errorf("%d×%d pixels", header.Width, header.Height)
	case int64(header.Width)*int64(header.Height) > mostPixels:
		return facts, fmt.Errorf("%d×%d pixels, more than the %d that are decoded", header.Width, header.Height, mostPixels)
	}
	if kind == "jpeg" && liesOnItsSide(file) {
		facts.width, facts.height = header.Height, header.Width
	}
	if ends(file, kind, info.Size()) {
		return facts, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return facts, bare(err)
	}
	if _, _, err := image.Decode(bufio.NewReader(file)); err != nil {
		return facts, fmt.Errorf("its header says %d×%d, but it is cut off or damaged: %w", header.Width, header.Height, err)
	}
	return facts, nil
}

// ends says whether a file of that kind ends as it should.
func ends(file io.ReaderAt, kind string, size int64) bool {
	tail := make([]byte, 12)
	if size < int64(len(tail)) {
		return false
	}
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return false
	}
	switch kind {
	case "jpeg":
		return bytes.HasSuffix(tail, []byte{0xff, 0xd9})
	case "png":
		return bytes.Equal(tail, pngEnd)
	case "gif":
		return tail[len(tail)-1] == ';'
	case "webp", "bmp":
		head := make([]byte, 8)
		if _, err := file.ReadAt(head, 0); err != nil {
			return false
		}
		if kind == "webp" {
			return int64(binary.LittleEndian.Uint32(head[4:]))+8 <= size
		}
		return int64(binary.LittleEndian.Uint32(head[2:])) <= size
	}
	return false
}

// liesOnItsSide says whether a JPEG's EXIF data ask for a quarter turn, so that its width is seen as its height. Labels
// are shares of the picture as it is seen.
func liesOnItsSide(file io.ReaderAt) bool {
	const app1, startOfScan = 0xe1, 0xda
	segment := make([]byte, 4)
	for at := int64(2); ; {
		if _, err := file.ReadAt(segment, at); err != nil || segment[0] != 0xff || segment[1] == startOfScan {
			return false
		}
		size := int64(binary.BigEndian.Uint16(segment[2:]))
		if segment[1] == app1 && size > 16 {
			content := make([]byte, size-2)
			if _, err := file.ReadAt(content, at+4); err != nil {
				return false
			}
			if tiff, isEXIF := bytes.CutPrefix(content, []byte("Exif\x00\x00")); isEXIF {
				return quarterTurn(tiff)
			}
		}
		at += 2 + max(size, 2)
	}
}

// quarterTurn reads tag 0x0112, orientation, in the first directory of a TIFF structure: 5 to 8 are on their side.
func quarterTurn(tiff []byte) bool {
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(tiff) < 8 || int64(order.Uint32(tiff[4:]))+2 > int64(len(tiff)) {
		return false
	}
	directory := tiff[order.Uint32(tiff[4:]):]
	entries := directory[2:]
	for range order.Uint16(directory) {
		if len(entries) < 12 {
			return false
		}
		if order.Uint16(entries) == 0x0112 {
			turn := order.Uint16(entries[8:])
			return turn >= 5 && turn <= 8
		}
		entries = entries[12:]
	}
	return false
}

// bare takes the path off a file error, for findings name the file themselves.
func bare(err error) error {
	if path, ok := err.(*fs.PathError); ok {
		return path.Err
	}
	return err
}
