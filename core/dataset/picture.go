package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/printable"
	"finetui/ml/picture"
	"finetui/ml/wholefile"
)

// pictureEndings are the file names taken for pictures. The later ones are known to other programs and not read here: a
// finding says so, instead of a label file without a picture.
var (
	pictureEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".jfif",
		".jpe"}
	unreadPictures   = []string{".heic", ".heif", ".avif", ".dng", ".mpo", ".pfm", ".jp2", ".jxl"}
	pngEnd           = []byte{0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82}
	errUnknownFormat = fmt.Errorf("a format that is not read: convert it to JPEG or PNG")
)

func isPicture(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return slices.Contains(pictureEndings, ending) || slices.Contains(unreadPictures, ending)
}

// pictureFacts is what can be said of a picture without decoding it.
type pictureFacts struct {
	width, height int // pixels of the picture as it is meant to be seen; 0 where even the header cannot be read
	orientation   int // of EXIF, 1 to 8: how the file's pixels are turned for that; 0 where unknown
	glance        glance
}

// glance is what tells most files apart after a look at both their ends: pictures of which it differs are not the same.
type glance struct {
	bytes      int64 // size of the file; 0 where there is none
	head, tail uint32
}

const (
	headBytes = 16 << 10 // of a picture's beginning that is read at once: the whole of a small one
	tailBytes = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // in hardware

// inspectPicture reads a picture's header and checks that its end is there. Only where the end looks odd
// is the picture decoded. The error says why it cannot be decoded whole; facts hold what could be read
// all the same. buffer is used for headBytes of the file.
func inspectPicture(p place, buffer []byte) (facts pictureFacts, err error) {
	if err := p.look(); err != nil {
		if err == errFolder {
			err = errNoFile
		}
		return facts, err
	}
	file, err := openFile(p)
	if err != nil {
		return facts, err
	}
	defer file.close()
	size := file.size
	if size == 0 {
		return facts, errors.New("an empty file")
	}
	facts.glance.bytes = size
	if err := file.read(buffer[:headBytes]); err != nil {
		return facts, err
	}
	var end [tailBytes]byte
	tail := end[:min(size, tailBytes)]
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		tail = nil
	}
	facts.glance.head, facts.glance.tail = crc32.Checksum(file.head, castagnoli), crc32.Checksum(tail, castagnoli)
	header, err := picture.ReadHeader(file, size)
	facts.width, facts.height, facts.orientation = header.W, header.H, header.Orientation
	if err != nil {
		if slices.Contains(unreadPictures, strings.ToLower(filepath.Ext(p.path))) {
			err = errUnknownFormat
		}
		return facts, err
	}
	if ends(file.head, tail, header.Format, size) {
		return facts, nil
	}
	content, err := wholefile.Read(p.path, 1<<30)
	if err == nil {
		_, _, err = picture.DecodeBytes(content)
	}
	if err != nil {
		return facts, fmt.Errorf("its header says %d×%d, but it is cut off or damaged: %w", header.W,
			header.H, bare(err))
	}
	return facts, nil
}

// ends says whether a file of that kind, of which these are the beginning and the end, ends as it should.
func ends(head, tail []byte, kind string, size int64) bool {
	if len(head) < 12 || len(tail) < 12 {
		return false
	}
	switch kind {
	case "jpeg":
		return bytes.HasSuffix(tail, []byte{0xff, 0xd9})
	case "png":
		return bytes.HasSuffix(tail, pngEnd)
	case "gif":
		return tail[len(tail)-1] == ';'
	case "webp":
		return int64(binary.LittleEndian.Uint32(head[4:]))+8 <= size
	case "bmp":
		return int64(binary.LittleEndian.Uint32(head[2:])) <= size
	}
	return false
}

// bare is an error without the file that it names, in words: findings name the file themselves.
func bare(err error) error { return errors.New(printable.Reason(err)) }
