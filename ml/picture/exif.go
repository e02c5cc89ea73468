package picture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// orientation is the EXIF orientation (1 to 8) of a JPEG, PNG, WebP or TIFF file of size bytes; 1, upright, where it
// says nothing or nothing sensible. It reads no more than the heads of segments and the EXIF data.
func orientation(file io.ReaderAt, size int64) int {
	exif := io.NewSectionReader(file, 0, 0)
	switch head, _ := piece(file, 0, 12); {
	case bytes.HasPrefix(head, []byte{0xff, 0xd8}):
		exif = exifOfJPEG(file, size)
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		exif = exifOfChunks(file, size, 8, pngChunk)
	case len(head) == 12 && string(head[:4]) == "RIFF" && string(head[8:]) == "WEBP":
		exif = exifOfChunks(file, size, 12, webpChunk)
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		exif = io.NewSectionReader(file, 0, size)
	}
	prefix := []byte("Exif\x00\x00")
	if head, _ := piece(exif, 0, len(prefix)); bytes.Equal(head, prefix) {
		exif = io.NewSectionReader(exif, int64(len(prefix)), exif.Size()-int64(len(prefix)))
	}
	return orientationOfTIFF(exif)
}

// mostSteps bounds the segments and chunks that are passed over in search of EXIF data.
const mostSteps = 1 << 20

// piece is n bytes at a place, or the fewer that are there.
func piece(file io.ReaderAt, at int64, n int) (read []byte, whole bool) {
	read = make([]byte, n)
	got, _ := file.ReadAt(read, at)
	return read[:got], got == n
}

// exifOfJPEG is the content of the first APP1 segment that holds EXIF.
func exifOfJPEG(file io.ReaderAt, size int64) *io.SectionReader {
	nothing := io.NewSectionReader(file, 0, 0)
	at := int64(2)
	for range mostSteps {
		head, whole := piece(file, at, 10)
		if len(head) < 4 || head[0] != 0xff {
			return nothing
		}
		marker := head[1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == 0xd9 || marker == 0xda { // end of the picture, start of its data
			return nothing
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // markers without content
			at += 2
			continue
		}
		length := int64(binary.BigEndian.Uint16(head[2:]))
		if length < 2 || at+2+length > size {
			return nothing
		}
		if whole && marker == 0xe1 && string(head[4:]) == "Exif\x00\x00" {
			return io.NewSectionReader(file, at+4, length-2)
		}
		at += 2 + length
	}
	return nothing
}

// chunk is how a format writes its chunks: from the 8 bytes at the head of one, its name, the length of its content,
// and how far it is from its beginning to the next.
type chunk func(head []byte) (name string, length, next int64)

func pngChunk(head []byte) (name string, length, next int64) {
	length = int64(binary.BigEndian.Uint32(head))
	return string(head[4:]), length, length + 12
}

func webpChunk(head []byte) (name string, length, next int64) {
	length = int64(binary.LittleEndian.Uint32(head[4:]))
	return string(head[:4]), length, 8 + length + length&1
}

// exifOfChunks is the content of the chunk that holds EXIF, in a file whose first chunk is at that place.
func exifOfChunks(file io.ReaderAt, size, at int64, parse chunk) *io.SectionReader {
	for range mostSteps {
		head, whole := piece(file, at, 8)
		if !whole {
			break
		}
		name, length, next := parse(head)
		if at+8+length > size {
			break
		}
		if name == "eXIf" || name == "EXIF" {
			return io.NewSectionReader(file, at+8, length)
		}
		at += next
	}
	return io.NewSectionReader(file, 0, 0)
}

// orientationOfTIFF looks for tag 0x0112 in the first directory of a TIFF structure.
func orientationOfTIFF(tiff io.ReaderAt) int {
	head, whole := piece(tiff, 0, 8)
	if !whole {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(head[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(head[4:]))
	count, whole := piece(tiff, at, 2)
	if !whole {
		return 1
	}
	entries, _ := piece(tiff, at+2, 12*int(order.Uint16(count)))
	for ; len(entries) >= 12; entries = entries[12:] {
		const tag, short, long = 0x0112, 3, 4
		if order.Uint16(entries) != tag {
			continue
		}
		v := uint32(0)
		switch order.Uint16(entries[2:]) {
		case short:
			v = uint32(order.Uint16(entries[8:]))
		case long:
			v = order.Uint32(entries[8:])
		}
		if v >= 1 && v <= 8 {
			return int(v)
		}
		return 1
	}
	return 1
}

// Upright turns and mirrors a picture as its EXIF orientation asks for.
func Upright(img *RGB, orientation int) *RGB {
	w, h := img.W, img.H
	var from func(x, y int) (int, int) // where the pixel of the upright picture comes from
	switch orientation {
	case 2:
		from = func(x, y int) (int, int) { return w - 1 - x, y }
	case 3:
		from = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4:
		from = func(x, y int) (int, int) { return x, h - 1 - y }
	case 5:
		from = func(x, y int) (int, int) { return y, x }
	case 6:
		from = func(x, y int) (int, int) { return y, h - 1 - x }
	case 7:
		from = func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8:
		from = func(x, y int) (int, int) { return w - 1 - y, x }
	default:
		return img
	}
	out := NewRGB(w, h)
	if orientation >= 5 {
		out.W, out.H = h, w
	}
	for y := range out.H {
		for x := range out.W {
			sx, sy := from(x, y)
			copy(out.Pix[3*(y*out.W+x):][:3], img.Pix[3*(sy*w+sx):])
		}
	}
	return out
}
