package video

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/bits"
	"slices"

	"finetui/ml/wholefile"
)

// peeked is what a file's own structure says, before FFmpeg looks at it.
type peeked struct {
	still string // a picture of this format; "": none that is known here
	known bool   // it begins as a container of clips does
	boxes bool   // it is made of boxes, as MP4 and QuickTime are
	cut   bool   // a part of it ends behind the file's end
}

// peek looks at the file's outermost structure: whether what it announces is there.
func peek(path string, size int64) (peeked, error) {
	f, err := wholefile.Open(path)
	if err != nil {
		return peeked{}, err
	}
	defer f.Close()
	return peekAt(f, size)
}

func peekAt(f io.ReaderAt, size int64) (peeked, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return peeked{}, err
	}
	head = head[:n]
	var p peeked
	p.still = stillFormat(head)
	switch {
	case p.still != "":
	case bytes.HasPrefix(head, []byte{0x1A, 0x45, 0xDF, 0xA3}):
		p.known, p.cut = true, ebmlCut(f, size)
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI ":
		p.known = true
		p.cut = int64(binary.LittleEndian.Uint32(head[4:])) > size-8
	case len(head) >= 12 && slices.Contains(outerBoxes, string(head[4:8])):
		p.known, p.boxes, p.cut = true, true, boxesCut(f, size)
	case len(head) > 188 && head[0] == 0x47 && head[188] == 0x47, len(head) > 196 && head[4] == 0x47 &&
		head[196] == 0x47:
		p.known = true // packets of a transport stream
	default:
		p.known = slices.ContainsFunc(beginnings, func(begin string) bool {
			return bytes.HasPrefix(head,
				[]byte(begin))
		})
	}
	return p, nil
}

// outerBoxes are what an MP4 or QuickTime file begins with; beginnings are those of other containers.
var (
	outerBoxes = []string{"ftyp", "moov", "mdat", "moof", "free", "skip", "wide", "styp", "sidx", "pnot",
		"uuid", "meta"}
	beginnings = []string{"FLV", "OggS", "\x00\x00\x01", "\x00\x00\x00\x01", "DKIF", "GIF8", "\x30\x26\xB2\x75",
		"YUV4MPEG2",
		"RIFF", "\x06\x0E\x2B\x34"}
)

// stillFormat is the picture format that a file begins as.
func stillFormat(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("BM")) && len(head) > 18 && head[5] == 0 && head[15] == 0 && head[16] == 0:
		return "BMP"
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return "TIFF"
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		switch string(head[8:12]) {
		case "avif", "heic", "heix", "mif1":
			return "HEIF"
		}
	case len(head) > 20 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		if string(head[12:16]) != "VP8X" || head[20]&2 == 0 { // bit 1: it moves
			return "WebP"
		}
	}
	return ""
}

// boxName says whether four bytes can be the name of a box.
func boxName(name []byte) bool {
	for _, c := range name {
		if c < ' ' || c > '~' && c != 0xA9 {
			return false
		}
	}
	return true
}

// boxesCut walks the outermost boxes of an MP4 or QuickTime file: whether one that holds the index or frames goes on
// behind the file's end.
func boxesCut(f io.ReaderAt, size int64) bool {
	head := make([]byte, 16)
	at := int64(0)
	for range 100_000 { // a fragmented file has two a fragment
		n, _ := f.ReadAt(head, at)
		if n < 8 {
			return false
		}
		length, name := int64(binary.BigEndian.Uint32(head)), string(head[4:8])
		if !boxName(head[4:8]) {
			return false
		}
		switch {
		case length == 0: // to the file's end
			return false
		case length == 1 && n == 16:
			length = int64(min(binary.BigEndian.Uint64(head[8:]), 1<<62))
		}
		if length < 8 {
			return false
		}
		if length > size-at {
			return name == "moov" || name == "mdat" || name == "moof"
		}
		at += length
	}
	return false
}

// ebmlCut says whether the segment of a Matroska or WebM file goes on behind the file's end. One that was written as a
// stream does not say how long it is.
func ebmlCut(f io.ReaderAt, size int64) bool {
	_, length, body := element(f, 0)
	if body < 0 || length < 0 || length > size {
		return false
	}
	id, length, body := element(f, body+length)
	return id == 0x18538067 && body >= 0 && length >= 0 && length > size-body
}

// element reads the head of an EBML element: its name, its length (−1: not said), where its body begins (−1: none).
func element(f io.ReaderAt, at int64) (id uint64, length, body int64) {
	head := make([]byte, 12)
	n, _ := f.ReadAt(head, at)
	head = head[:n]
	if len(head) < 2 || head[0] == 0 {
		return 0, -1, -1
	}
	idBytes := bits.LeadingZeros8(head[0]) + 1
	if idBytes > 4 || len(head) <= idBytes || head[idBytes] == 0 {
		return 0, -1, -1
	}
	for _, c := range head[:idBytes] {
		id = id<<8 | uint64(c)
	}
	rest := head[idBytes:]
	bytes := bits.LeadingZeros8(rest[0]) + 1
	if len(rest) < bytes {
		return 0, -1, -1
	}
	value := uint64(rest[0]) & (1<<(8-bytes) - 1)
	open := value == 1<<(8-bytes)-1
	for _, c := range rest[1:bytes] {
		value = value<<8 | uint64(c)
		open = open && c == 0xFF
	}
	body = at + int64(idBytes+bytes)
	if open || value > 1<<62 {
		return id, -1, body
	}
	return id, int64(value), body
}
