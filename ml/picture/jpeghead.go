package picture

import (
	"encoding/binary"
	"io"
)

// jpegSize reads width and height of an ordinary JPEG: 8 bits, one grey channel or three whose colours are halved as
// cameras do. It needs next to no memory, which counts where a data set has a million of them. ok is false for every
// other file, whatever may be wrong or rare about it: the decoder then reads the header and says so.
func jpegSize(file io.ReaderAt, size int64) (w, h int, ok bool) {
	var head [20]byte
	if n, _ := file.ReadAt(head[:4], 0); n < 4 || head[0] != 0xff || head[1] != 0xd8 {
		return 0, 0, false
	}
	at := int64(2)
	for range 64 { // ordinary files have a dozen segments
		n, _ := file.ReadAt(head[:], at)
		if n < 4 || head[0] != 0xff {
			return 0, 0, false
		}
		length := int64(binary.BigEndian.Uint16(head[2:]))
		switch marker := head[1]; {
		case marker >= 0xc0 && marker <= 0xc2 && !ok: // the start of a frame
			if w, h, ok = frameSize(head[4:n], length-2); !ok {
				return 0, 0, false
			}
			at += 2 + length
		case marker == 0xda: // the start of the pixels
			return w, h, ok
		case marker >= 0xe0 && marker <= 0xef, marker == 0xdb, marker == 0xc4, marker == 0xfe, marker == 0xdd:
			if length < 2 || at+2+length > size {
				return 0, 0, false
			}
			at += 2 + length
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// frameSize reads a frame's header (ISO/IEC 10918-1, B.2.2) of so many bytes.
func frameSize(frame []byte, length int64) (w, h int, ok bool) {
	if len(frame) < 9 || frame[0] != 8 {
		return 0, 0, false
	}
	h, w = int(binary.BigEndian.Uint16(frame[1:])), int(binary.BigEndian.Uint16(frame[3:]))
	channels := int(frame[5])
	if length != int64(6+3*channels) || len(frame) < 6+3*channels || w == 0 || h == 0 {
		return 0, 0, false
	}
	part := func(c int) (id, sampling, table byte) { return frame[6+3*c], frame[7+3*c], frame[8+3*c] }
	switch channels {
	case 1:
		_, sampling, table := part(0)
		return w, h, sampling == 0x11 && table < 4
	case 3:
		a, luma, t0 := part(0)
		b, blue, t1 := part(1)
		c, red, t2 := part(2)
		known := luma == 0x11 || luma == 0x21 || luma == 0x12 || luma == 0x22
		return w, h, known && blue == 0x11 && red == 0x11 && a != b && b != c && a != c && max(t0, t1, t2) < 4
	}
	return 0, 0, false
}
