package picture

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// walkJPEG walks through an ordinary JPEG as its decoder does, from code to code, and makes no pixels of them: a quarter
// of the time. Where it comes to the end, the decoder reads the file without an error, as a YCbCr or grey picture of
// that size. ok is false for every other file, whatever may be wrong or rare about it: the decoder then says so.
//
// Ordinary is one grey channel or YCbCr, sequential, Huffman codes of 8 bits a value, each segment at its place.
func walkJPEG(file []byte) (w, h int, ok bool) {
	walk := jpegWalks.Get().(*jpegWalk)
	defer jpegWalks.Put(walk)
	walk.begin(file)
	return walk.run()
}

// jpegWalks are used again with their tables, which most files of a set have in common.
var jpegWalks = sync.Pool{New: func() any { return new(jpegWalk) }}

// jpegWalk is a walk through one file.
type jpegWalk struct {
	file []byte
	at   int

	w, h     int
	channels []jpegChannel
	interval int  // MCUs between two restart markers; 0: there are none
	scanned  bool // pixels have come

	defined [2][2]bool // tables of this file: for DC and AC, two each
	tables  [2][2]jpegTable

	bits  uint64 // of the codes, the first one uppermost
	count int    // of bits
	room  [3]jpegChannel
}

// jpegChannel is a component of the frame: its name, and its blocks in an MCU across and down.
type jpegChannel struct {
	name byte
	h, v int
}

func (j *jpegWalk) begin(file []byte) {
	j.file, j.at, j.w, j.h = file, 2, 0, 0
	j.channels, j.interval, j.scanned, j.defined = nil, 0, false, [2][2]bool{}
}

// run reads segment after segment (ISO/IEC 10918-1, B.1.1.3).
func (j *jpegWalk) run() (w, h int, ok bool) {
	if len(j.file) < 4 || j.file[0] != 0xff || j.file[1] != 0xd8 {
		return 0, 0, false
	}
	for j.at+4 <= len(j.file) && j.file[j.at] == 0xff && j.file[j.at+1] != 0xd9 {
		marker, length := j.file[j.at+1], int(binary.BigEndian.Uint16(j.file[j.at+2:]))
		if length < 2 || j.at+2+length > len(j.file) {
			return 0, 0, false
		}
		body := j.file[j.at+4 : j.at+2+length]
		j.at += 2 + length
		switch {
		case marker == 0xc0 || marker == 0xc1:
			ok = j.frame(body)
		case marker == 0xc4:
			ok = j.huffman(body)
		case marker == 0xdb:
			ok = soundQuantization(body)
		case marker == 0xdd:
			ok = len(body) == 2
			if ok {
				j.interval = int(binary.BigEndian.Uint16(body))
			}
		case marker == 0xda:
			ok = j.scan(body)
		case marker == 0xee: // of Adobe: it may say that the channels are no YCbCr
			ok = !bytes.HasPrefix(body, []byte("Adobe")) || len(body) >= 12 && body[11] == 1
		default:
			ok = marker >= 0xe0 && marker <= 0xef || marker == 0xfe
		}
		if !ok {
			return 0, 0, false
		}
	}
	ended := j.at+2 <= len(j.file) && j.file[j.at] == 0xff && j.file[j.at+1] == 0xd9
	return j.w, j.h, ended && j.scanned
}

// frame reads a frame's header (B.2.2).
func (j *jpegWalk) frame(body []byte) bool {
	w, h, ok := frameSize(body, int64(len(body)))
	if !ok || j.channels != nil {
		return false
	}
	j.w, j.h, j.channels = w, h, j.room[:body[5]]
	for c := range j.channels {
		sampling := body[7+3*c]
		j.channels[c] = jpegChannel{body[6+3*c], int(sampling >> 4), int(sampling & 15)}
	}
	return len(j.channels) == 1 || string([]byte{body[6], body[9], body[12]}) != "RGB"
}

// soundQuantization says whether tables of quantization (B.2.4.1) are whole.
func soundQuantization(body []byte) bool {
	for len(body) > 0 {
		size := 1 + 64
		if body[0]>>4 == 1 {
			size = 1 + 128
		}
		if body[0]>>4 > 1 || body[0]&15 > 3 || len(body) < size {
			return false
		}
		body = body[size:]
	}
	return true
}

// jpegTable is a table of Huffman codes (C).
type jpegTable struct {
	text  []byte                 // as it stands in the file
	short [1 << shortCode]uint16 // by the next bits: the value, and below how many bits it takes; 0: a longer code
	most  [17]int32              // the largest code of each length; -1: none has it
	first [17]int32              // what is added to a code of a length for its place in values
	value [256]byte
}

const shortCode = 9

// huffman reads tables (B.2.4.2).
func (j *jpegWalk) huffman(body []byte) bool {
	for len(body) > 0 {
		if len(body) < 17 || body[0]>>4 > 1 || body[0]&15 > 1 {
			return false
		}
		n := 0
		for _, count := range body[1:17] {
			n += int(count)
		}
		if n == 0 || n > 256 || len(body) < 17+n {
			return false
		}
		kind, id := body[0]>>4, body[0]&15
		if !j.tables[kind][id].set(body[1:17+n], kind == 0) {
			return false
		}
		j.defined[kind][id] = true
		body = body[17+n:]
	}
	return true
}

// set makes the table of the numbers of codes of each length and the values, of DC or AC. It is false where that is no
// code.
func (t *jpegTable) set(text []byte, dc bool) bool {
	if bytes.Equal(t.text, text) {
		return true
	}
	t.text = t.text[:0]
	clear(t.short[:])
	copy(t.value[:], text[16:])
	code, place := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(text[length-1])
		code <<= 1
		if code+n > 1<<length {
			return false
		}
		t.first[length], t.most[length] = place-code, code+n-1
		if n == 0 {
			t.most[length] = -1
		}
		for range n {
			if length <= shortCode {
				entry := uint16(t.value[place])<<8 | uint16(length+sizeOf(t.value[place], dc))
				from := int(code) << (shortCode - length)
				for k := range 1 << (shortCode - length) {
					t.short[from+k] = entry
				}
			}
			code, place = code+1, place+1
		}
	}
	t.text = append(t.text, text...)
	return true
}

// scan walks through a scan (B.2.3) with that header.
func (j *jpegWalk) scan(body []byte) bool {
	if len(body) < 1 || j.channels == nil {
		return false
	}
	n := int(body[0])
	if n < 1 || n > len(j.channels) || len(body) != 4+2*n {
		return false
	}
	type part struct {
		jpegChannel
		dc, ac *jpegTable
	}
	var parts [3]part
	blocks, seen := 0, [3]bool{}
	for i := range parts[:n] {
		dc, ac := body[2+2*i]>>4, body[2+2*i]&15
		if dc > 1 || ac > 1 || !j.defined[0][dc] || !j.defined[1][ac] {
			return false
		}
		which := -1
		for c, channel := range j.channels {
			if channel.name == body[1+2*i] {
				which = c
			}
		}
		if which < 0 || seen[which] {
			return false
		}
		seen[which] = true
		parts[i] = part{j.channels[which], &j.tables[0][dc], &j.tables[1][ac]}
		blocks += parts[i].h * parts[i].v
	}
	if blocks > 10 || n == 1 && len(j.channels) > 1 { // a channel alone has its own order of blocks
		return false
	}
	j.scanned = true
	across, down := 8*j.channels[0].h, 8*j.channels[0].v
	all := ((j.w + across - 1) / across) * ((j.h + down - 1) / down)
	j.bits, j.count = 0, 0
	restart := byte(0xd0)
	for mcu := 1; mcu <= all; mcu++ {
		for i := range parts[:n] {
			p := &parts[i]
			for range p.h * p.v {
				if !j.block(p.dc, p.ac) {
					return false
				}
			}
		}
		if j.interval > 0 && mcu%j.interval == 0 && mcu < all {
			if !j.rests() || j.at+2 > len(j.file) || j.file[j.at] != 0xff || j.file[j.at+1] != restart {
				return false
			}
			j.at += 2
			j.bits, j.count = 0, 0
			restart = 0xd0 | (restart+1)&7
		}
	}
	return j.rests()
}

// rests says whether what is left of the codes is less than a byte, as it is before a marker.
func (j *jpegWalk) rests() bool { return j.count < 8 }

// sizeOf is how many bits follow a code: those of a value.
func sizeOf(value byte, dc bool) int {
	if dc {
		return int(min(value, 64)) // more than any block has
	}
	return int(value & 15)
}

// block walks through the codes of a block (F.2.2), whose values only tell how many bits they take.
func (j *jpegWalk) block(dc, ac *jpegTable) bool {
	value, n := j.code(dc, true)
	if value > 15 || !j.skip(n) {
		return false
	}
	for place := 1; place < 64; place++ {
		if j.count < 32 {
			j.fill()
		}
		entry := ac.short[j.bits>>(64-shortCode)]
		value, n := byte(entry>>8), int(entry&255)
		if entry == 0 {
			value, n = j.code(ac, false)
		}
		if n > j.count {
			return false
		}
		j.bits <<= n
		j.count -= n
		if value == 0 {
			return true // all others are zeros
		}
		if place += int(value >> 4); place > 63 || value&15 == 0 && value != 0xf0 {
			return false
		}
	}
	return true
}

// code is the next value, and how many bits it takes: more than there are where there is none.
func (j *jpegWalk) code(t *jpegTable, dc bool) (value byte, bits int) {
	if j.count < 32 {
		j.fill()
	}
	if entry := t.short[j.bits>>(64-shortCode)]; entry != 0 {
		return byte(entry >> 8), int(entry & 255)
	}
	for length := shortCode + 1; length <= 16; length++ {
		if code := int32(j.bits >> (64 - length)); code <= t.most[length] {
			value = t.value[code+t.first[length]]
			return value, length + sizeOf(value, dc)
		}
	}
	return 0, 65
}

// skip goes past so many bits; it is false where there are fewer.
func (j *jpegWalk) skip(n int) bool {
	if j.count < n {
		return false
	}
	j.bits <<= n
	j.count -= n
	return true
}

// fill takes bytes up to the next marker, as many as there is room for.
func (j *jpegWalk) fill() {
	if j.at+8 <= len(j.file) {
		next := binary.BigEndian.Uint64(j.file[j.at:])
		if (^next-0x0101010101010101)&next&0x8080808080808080 == 0 { // none of them is 0xff
			n := (64 - j.count) / 8
			j.bits |= next >> j.count
			j.bits &= ^uint64(0) << (64 - j.count - 8*n)
			j.at, j.count = j.at+n, j.count+8*n
			return
		}
	}
	for j.count <= 56 && j.at < len(j.file) {
		b := j.file[j.at]
		if b == 0xff {
			if j.at+1 >= len(j.file) || j.file[j.at+1] != 0 {
				return
			}
			j.at++
		}
		j.at++
		j.bits |= uint64(b) << (56 - j.count)
		j.count += 8
	}
}
