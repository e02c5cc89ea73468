package pixels

import (
	"bytes"
	"encoding/binary"
)

// orientation is the EXIF orientation (1 to 8) of a JPEG, PNG, WebP or TIFF file; 1, upright, where it says nothing or
// nothing sensible.
func orientation(file []byte) int {
	var tiff []byte
	switch {
	case bytes.HasPrefix(file, []byte{0xff, 0xd8}):
		tiff = exifOfJPEG(file)
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		tiff = exifOfPNG(file)
	case len(file) >= 12 && string(file[:4]) == "RIFF" && string(file[8:12]) == "WEBP":
		tiff = exifOfWebP(file)
	case bytes.HasPrefix(file, []byte("II*\x00")), bytes.HasPrefix(file, []byte("MM\x00*")):
		tiff = file
	}
	return orientationOfTIFF(bytes.TrimPrefix(tiff, []byte("Exif\x00\x00")))
}

// exifOfJPEG is the content of the first APP1 segment that holds EXIF.
func exifOfJPEG(file []byte) []byte {
	for at := 2; at+4 <= len(file); {
		if file[at] != 0xff {
			return nil
		}
		marker := file[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == 0xd9 || marker == 0xda { // end of the picture, start of its data
			return nil
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // markers without content
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(file[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(file) {
			return nil
		}
		if content := file[at+4 : end]; marker == 0xe1 && bytes.HasPrefix(content, []byte("Exif\x00\x00")) {
			return content
		}
		at = end
	}
	return nil
}

// exifOfPNG is the content of the eXIf chunk.
func exifOfPNG(file []byte) []byte {
	for at := 8; at+12 <= len(file); {
		size := int64(binary.BigEndian.Uint32(file[at:]))
		if size > int64(len(file)-at-12) {
			return nil
		}
		if string(file[at+4:at+8]) == "eXIf" {
			return file[at+8 : at+8+int(size)]
		}
		at += 12 + int(size)
	}
	return nil
}

// exifOfWebP is the content of the EXIF chunk.
func exifOfWebP(file []byte) []byte {
	for at := 12; at+8 <= len(file); {
		size := int64(binary.LittleEndian.Uint32(file[at+4:]))
		if size > int64(len(file)-at-8) {
			return nil
		}
		if string(file[at:at+4]) == "EXIF" {
			return file[at+8 : at+8+int(size)]
		}
		at += 8 + int(size+size&1)
	}
	return nil
}

// orientationOfTIFF looks for tag 0x0112 in the first directory of a TIFF structure.
func orientationOfTIFF(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// upright turns and mirrors a picture as its EXIF orientation asks for.
func upright(img *RGB, orientation int) *RGB {
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
