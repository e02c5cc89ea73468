package video

import (
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
)

// asked are the entries of ffprobe's report that parse understands.
const asked = "packet=stream_index,pts,dts,duration,size,flags" +
	":stream=index,codec_name,codec_type,width,height,sample_aspect_ratio,pix_fmt,color_range,color_space," +
	"field_order,r_frame_rate,avg_frame_rate,time_base,bits_per_raw_sample" +
	":stream_disposition=attached_pic" +
	":stream_tags=rotate" +
	":stream_side_data=side_data_type,rotation,crop_top,crop_bottom,crop_left,crop_right" +
	":format=format_name,nb_streams,start_time"

// report is what ffprobe says of a file.
type report struct {
	format  string
	streams int     // of any kind
	start   float64 // seconds
	video   []*stream
}

// stream is a video stream and its packets.
type stream struct {
	index         int
	codec, pixels string
	w, h          int
	aspect        float64
	rotation      float64
	crop          [4]int // top, bottom, left, right
	fullRange     bool
	matrix        string
	interlaced    bool
	bits          int
	base, average float64 // frames a second; 0: not said
	tick          float64 // seconds of a unit of pts; 0: not said
	cover         bool

	packets packets
}

// packets are those of one stream that are to be shown.
type packets struct {
	pts      []int64 // in the order of the file
	last     int64   // duration of the one with the highest pts, in ticks; 0: not said
	highest  int64
	hidden   int  // packets that are decoded and not shown
	doubtful bool // one without a time, without bytes, or damaged
	starts   bool // the first one can be decoded by itself
}

// none is a time that is not said.
const none = math.MinInt64

var (
	errEndless = errors.New("endless")
	errReport  = errors.New("ffprobe writes what it never wrote before")
)

// parse reads a report in ffprobe's compact form: sections, a line each, of fields between bars. Unknown sections and
// fields are passed over. It keeps at most mostFrames packets a stream and 100 streams.
func parse(r io.Reader) (*report, error) {
	rep := &report{}
	counted := map[int]*packets{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for lines.Scan() {
		section, rest, _ := strings.Cut(lines.Text(), "|")
		switch section {
		case "packet":
			if err := addPacket(counted, rest); err != nil {
				return nil, err
			}
		case "stream":
			if len(rep.video) == 100 {
				return nil, errReport
			}
			if s := parseStream(rest); s != nil {
				rep.video = append(rep.video, s)
			}
		case "format":
			for key, value := range fields(rest) {
				switch key {
				case "format_name":
					rep.format = value
				case "nb_streams":
					rep.streams = whole(value)
				case "start_time":
					rep.start = number(value)
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(errReport, err)
	}
	for _, s := range rep.video {
		if p := counted[s.index]; p != nil {
			s.packets = *p
		}
	}
	return rep, nil
}

// fields yields the fields of a line. Values that parse needs hold neither bars nor backslashes.
func fields(line string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for line != "" {
			var field string
			field, line, _ = strings.Cut(line, "|")
			key, value, _ := strings.Cut(field, "=")
			if !yield(key, value) {
				return
			}
		}
	}
}

func addPacket(counted map[int]*packets, line string) error {
	index, pts, dts, duration, size := -1, int64(none), int64(none), int64(0), -1
	flags := ""
	for key, value := range fields(line) {
		switch key {
		case "stream_index":
			index = whole(value)
		case "pts":
			pts = ticks(value)
		case "dts":
			dts = ticks(value)
		case "duration":
			duration = max(ticks(value), 0)
		case "size":
			size = whole(value)
		case "flags":
			flags = value
		}
	}
	p := counted[index]
	if p == nil {
		if len(counted) == 100 || index < 0 {
			return errReport
		}
		p = &packets{starts: strings.Contains(flags, "K"), highest: none}
		counted[index] = p
	}
	if strings.Contains(flags, "D") {
		p.hidden++
		return nil
	}
	if len(p.pts) == mostFrames {
		return errEndless
	}
	if pts == none || size <= 0 || strings.Contains(flags, "C") {
		p.doubtful = true
	}
	if pts == none {
		pts = dts
	}
	p.pts = append(p.pts, pts)
	if pts > p.highest || len(p.pts) == 1 {
		p.highest, p.last = pts, duration
	}
	return nil
}

// parseStream is a video stream of a report; nil: of another kind.
func parseStream(line string) *stream {
	s := &stream{index: -1, aspect: 1}
	kind := "video"
	for key, value := range fields(line) {
		switch key {
		case "index":
			s.index = whole(value)
		case "codec_type":
			kind = value
		case "codec_name":
			s.codec = value
		case "width":
			s.w = whole(value)
		case "height":
			s.h = whole(value)
		case "sample_aspect_ratio":
			s.aspect = aspect(value)
		case "pix_fmt":
			s.pixels = value
		case "color_range":
			s.fullRange = value == "pc"
		case "color_space":
			s.matrix = said(value)
		case "field_order":
			s.interlaced = value != "progressive" && said(value) != ""
		case "r_frame_rate":
			s.base = ratio(value)
		case "avg_frame_rate":
			s.average = ratio(value)
		case "time_base":
			s.tick = ratio(value)
		case "bits_per_raw_sample":
			s.bits = whole(value)
		case "disposition:attached_pic":
			s.cover = value == "1"
		case "tag:rotate":
			if s.rotation == 0 {
				s.rotation = -number(value) // clockwise, in FFmpeg before 5.0
			}
		case "rotation":
			s.rotation = number(value)
		case "crop_top", "crop_bottom", "crop_left", "crop_right":
			at := map[string]int{"crop_top": 0, "crop_bottom": 1, "crop_left": 2, "crop_right": 3}[key]
			s.crop[at] = whole(value)
		}
	}
	if kind != "video" || s.index < 0 {
		return nil
	}
	s.fullRange = s.fullRange || strings.HasPrefix(s.pixels, "yuvj")
	return s
}

// said is a value that is one; "" for the words that say nothing.
func said(value string) string {
	switch value {
	case "unknown", "N/A", "unspecified", "reserved":
		return ""
	}
	return value
}

// whole is a number from 0 to 2³¹−1; anything else is 0.
func whole(value string) int {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// ticks is a time; N/A, or one so far off that sums of it overflow, is none.
func ticks(value string) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n > 1<<60 || n < -(1<<60) {
		return none
	}
	return n
}

// number is a finite number; anything else is 0.
func number(value string) float64 {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// ratio is a positive quotient "30000/1001"; anything else is 0.
func ratio(value string) float64 {
	above, below, _ := strings.Cut(value, "/")
	a, b := number(above), number(below)
	if a <= 0 || b <= 0 || math.IsInf(a/b, 0) || a/b == 0 {
		return 0
	}
	return a / b
}

// aspect is the shape of a pixel "64:45"; 1 where it is not said, or no clip's. Scaling to whole pixels leaves shapes
// like 639:640, which are meant to be square; the least that is none is 12:11.
func aspect(value string) float64 {
	x := ratio(strings.Replace(value, ":", "/", 1))
	if x < 1.0/16 || x > 16 || x > 0.96 && x < 1.04 {
		return 1
	}
	return x
}
