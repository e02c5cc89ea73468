package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/qwen2vl/pixels"
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

// pictureFacts is what can be said of a picture without decoding it.
type pictureFacts struct {
	width, height int   // pixels of the picture as it is meant to be seen; 0 where even the header cannot be read
	orientation   int   // of EXIF, 1 to 8: how the file's pixels are turned for that; 0 where unknown
	bytes         int64 // size of the file
}

// inspectPicture reads a picture's header and checks that its end is there. Only where the end looks odd is the picture
// decoded. The error says why it cannot be decoded whole; facts hold what could be read all the same.
func inspectPicture(path string) (facts pictureFacts, err error) {
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
	header, err := pixels.ReadHeader(file, info.Size())
	facts.width, facts.height, facts.orientation = header.W, header.H, header.Orientation
	if err != nil {
		if slices.Contains(unreadPictures, strings.ToLower(filepath.Ext(path))) {
			err = errUnknownFormat
		}
		return facts, err
	}
	if ends(file, header.Format, info.Size()) {
		return facts, nil
	}
	content, err := os.ReadFile(path)
	if err == nil {
		_, _, err = pixels.DecodeBytes(content)
	}
	if err != nil {
		return facts, fmt.Errorf("its header says %d×%d, but it is cut off or damaged: %w", header.W, header.H, bare(err))
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

// bare takes the path off a file error, for findings name the file themselves.
func bare(err error) error {
	if path, ok := err.(*fs.PathError); ok {
		return path.Err
	}
	return err
}
