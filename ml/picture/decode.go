package picture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"slices"
	"strings"
	"sync"

	"finetui/ml/wholefile"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// maxDecoded is the largest number of pixels that is decoded; Pillow refuses the same, as a likely attack.
const maxDecoded = 178_956_970

// Header is what a picture file says of itself before it is decoded.
type Header struct {
	W, H        int    // pixels of the picture as Decode returns it, upright
	Format      string // "jpeg", "png", "gif", "webp", "bmp" or "tiff"
	Orientation int    // of EXIF, 1 to 8
	config      image.Config
}

// Plain says that programs which know nothing but colours of 8 bits see a file's pixels as Decode does: it is not
// turned, has no 16 bits a channel and no four inks.
func (h Header) Plain() bool {
	switch h.config.ColorModel {
	case color.CMYKModel, color.Gray16Model, color.RGBA64Model, color.NRGBA64Model, color.Alpha16Model:
		return false
	}
	return h.Orientation <= 1
}

// ReadHeader reads the header of a picture file of size bytes, and no pixels. An error says why Decode would not read
// it; W and H are set all the same where the file tells them.
func ReadHeader(file io.ReaderAt, size int64) (Header, error) {
	return readHeader(file, size, maxDecoded)
}

// headBuffers are used again: a data set has many pictures.
var headBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 8<<10) }}

// readHeader is ReadHeader with the largest number of pixels that is read.
func readHeader(file io.ReaderAt, size, most int64) (head Header, err error) {
	defer func() { // as intact
		if p := recover(); p != nil {
			head, err = Header{}, fmt.Errorf("the picture is damaged: %v", p)
		}
	}()
	if w, h, ok := jpegSize(file, size); ok {
		head.config, head.Format = image.Config{ColorModel: color.YCbCrModel, Width: w, Height: h}, "jpeg"
	} else {
		buffer := headBuffers.Get().(*bufio.Reader)
		defer headBuffers.Put(buffer)
		buffer.Reset(io.NewSectionReader(file, 0, size))
		head.config, head.Format, err = image.DecodeConfig(buffer)
	}
	if errors.Is(err, image.ErrFormat) {
		return head, errors.New(whatElse(file))
	}
	if err != nil {
		return head, fmt.Errorf("the picture's header cannot be read: %w", err)
	}
	w, h := head.config.Width, head.config.Height
	if w <= 0 || h <= 0 {
		return head, fmt.Errorf("the picture has %d×%d pixels", w, h)
	}
	head.Orientation = orientation(file, size)
	if head.W, head.H = w, h; head.Orientation >= 5 {
		head.W, head.H = h, w
	}
	if int64(w)*int64(h) > most {
		return head, fmt.Errorf("the picture has %d×%d pixels, more than the %d that are read: shrink it", w, h, most)
	}
	return head, nil
}

// whatElse says what a file is that is no picture of those which are read.
func whatElse(file io.ReaderAt) string {
	head := make([]byte, 512)
	n, _ := file.ReadAt(head, 0)
	head = bytes.ToLower(bytes.TrimSpace(head[:n]))
	begins := func(with string) bool { return bytes.HasPrefix(head, []byte(with)) }
	switch {
	case begins("version https://git-lfs"):
		return "a pointer of Git LFS in place of the picture: call git lfs pull where it was cloned"
	case begins("<!doctype html"), begins("<html"):
		return "a web page in place of the picture: download it again"
	}
	return "not a JPEG, PNG, GIF, WebP, BMP or TIFF picture: convert it to one of these"
}

// Decode reads a JPEG, PNG, GIF (its first frame), WebP, BMP or TIFF file as upright 8-bit RGB, and notes what the
// file had that this does not: orientation, transparency, 16 bits, four inks. Errors name the file.
func Decode(path string) (*RGB, []Note, error) {
	file, err := wholefile.Read(path, 1<<30)
	if err != nil {
		return nil, nil, err
	}
	img, notes, err := DecodeBytes(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, notes, nil
}

// DecodeBytes is Decode for a file that is already in memory. Errors do not name it.
func DecodeBytes(file []byte) (*RGB, []Note, error) { return decode(file, maxDecoded) }

// Examine says whether DecodeBytes would read a file, and what it would note, in less time: colours are left as they
// are stored where that changes neither.
func Examine(file []byte) ([]Note, error) { return examine(file, maxDecoded) }

// examine is Examine, as decode is DecodeBytes.
func examine(file []byte, most int64) (notes []Note, err error) {
	defer func() {
		if err != nil {
			notes = nil
		}
	}()
	defer intact(&err)
	head, err := readHeader(bytes.NewReader(file), int64(len(file)), most)
	if err != nil {
		return nil, err
	}
	if w, h, ok := walkJPEG(file); ok {
		return asStored(head, w, h)
	}
	img, err := pixels(file)
	if err != nil {
		return nil, err
	}
	switch img.(type) {
	case *image.YCbCr, *image.Gray: // of which convert notes nothing
		return asStored(head, img.Bounds().Dx(), img.Bounds().Dy())
	}
	_, notes, err = finish(img, head)
	return notes, err
}

// asStored is what is noted of a picture of that size of which nothing is noted but how it is turned.
func asStored(head Header, w, h int) ([]Note, error) {
	if head.Orientation >= 5 {
		w, h = h, w
	}
	return turned(nil, head.Orientation), head.fits(w, h)
}

// intact makes an error of a panic: the decoders are other people's, and one that stumbles over a broken file must not
// take the program along.
func intact(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the picture is damaged: %v", p)
	}
}

// decode refuses pictures of more than most pixels before it reads them.
func decode(file []byte, most int64) (out *RGB, notes []Note, err error) {
	defer func() {
		if err != nil {
			out, notes = nil, nil
		}
	}()
	defer intact(&err)
	head, err := readHeader(bytes.NewReader(file), int64(len(file)), most)
	if err != nil {
		return nil, nil, err
	}
	img, err := pixels(file)
	if err != nil {
		return nil, nil, err
	}
	return finish(img, head)
}

// pixels reads a file's pixels as they are stored.
func pixels(file []byte) (image.Image, error) {
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("the picture cannot be decoded: %s (%w)", damage(err), err)
	}
	if img.Bounds().Empty() {
		return nil, errors.New("the picture has no pixels")
	}
	return img, nil
}

// finish makes upright RGB of what was read.
func finish(img image.Image, head Header) (*RGB, []Note, error) {
	out, notes := convert(img, head.Format)
	if frame, ok := img.(*image.Paletted); ok && head.Format == "gif" {
		if global, ok := head.config.ColorModel.(color.Palette); ok && sameButForClear(frame.Palette, global) {
			frame.Palette = global
			out.putPalette(frame)
		}
		out = onCanvas(out, frame.Rect.Min, head.config.Width, head.config.Height)
	}
	if head.Orientation != 1 {
		out = Upright(out, head.Orientation)
	}
	return out, turned(notes, head.Orientation), head.fits(out.W, out.H)
}

// turned notes that a picture was turned upright, where it was.
func turned(notes []Note, orientation int) []Note {
	if orientation == 1 {
		return notes
	}
	return append(notes, Note{NoteOrientation,
		fmt.Sprintf("was turned upright (EXIF orientation %d)", orientation)})
}

// fits is an error where a picture has another size than its header says.
func (h Header) fits(w, height int) error {
	if w == h.W && height == h.H {
		return nil
	}
	return fmt.Errorf("its header says %d×%d pixels, and it holds %d×%d: save it again", h.W, h.H, w, height)
}

// damage says in plain words what a decoder stumbled over.
func damage(err error) string {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), says("EOF", "short Huffman", "missing 0xff00",
		"not enough pixel data", "truncated"):
		return "its data end in the middle"
	case says("checksum"):
		return "a checksum inside does not fit, so bytes have changed or are lost"
	case says("unsupported", "not implemented"):
		return "it is of a kind that is not read here; save it as an ordinary JPEG or PNG"
	}
	return "its data are damaged"
}

// sameButForClear tells whether a GIF's frame has the colours of the whole file. Its decoder blackens the one that is
// transparent; in the file's own list that one still has its colour.
func sameButForClear(frame, global color.Palette) bool {
	if len(frame) > len(global) {
		return false
	}
	for i, c := range frame {
		if _, _, _, alpha := c.RGBA(); alpha != 0 && c != global[i] {
			return false
		}
	}
	return true
}

// onCanvas puts a frame at its place on a black canvas; the first frame of a GIF may be smaller than the picture.
func onCanvas(frame *RGB, at image.Point, w, h int) *RGB {
	if frame.W == w && frame.H == h {
		return frame
	}
	out := NewRGB(w, h)
	for y := range frame.H {
		if at.Y+y < 0 || at.Y+y >= h || at.X < 0 || at.X >= w {
			continue
		}
		copy(out.Pix[3*((at.Y+y)*w+at.X):3*(at.Y+y+1)*w], frame.Pix[3*y*frame.W:3*(y+1)*frame.W])
	}
	return out
}
