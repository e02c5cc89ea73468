package video

import (
	"context"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	ffmpeg "github.com/u2takey/ffmpeg-go"

	"finetui/core/filehash"
)

// Progress is told how many frames of how many are done; it may be nil.
type Progress = func(done, total int)

// Probe tells what a clip is. Its frames are counted, never taken from a header: by their packets where those hold one
// frame each, else by decoding. A clip that cannot be used is a *Fault; a machine without FFmpeg *NoFFmpeg; a context
// that ends its own error.
func Probe(ctx context.Context, path string) (*Info, error) { return examine(ctx, path, false, nil) }

// Check is Probe that decodes every frame: damage that no packet tells changes the count, and a clip of which nothing
// can be decoded is a fault.
func Check(ctx context.Context, path string, report Progress) (*Info, error) {
	return examine(ctx, path, true, report)
}

func examine(ctx context.Context, path string, decode bool, report Progress) (*Info, error) {
	before, err := filehash.Look(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if before.Size == 0 {
		return nil, fault(path, Empty, "is empty, 0 bytes", "copy the clip again, or remove it")
	}
	look, err := peek(path, before.Size)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if look.still != "" {
		return nil, still(path, look.still)
	}
	rep, complaints, err := ask(ctx, path)
	if err != nil {
		return nil, fromProbe(path, look, before, complaints, err)
	}
	s := rep.clip()
	if s == nil {
		return nil, noClip(path, rep)
	}
	info, err := s.info(path, rep)
	if err != nil {
		return nil, err
	}
	cut := look.cut || strings.Contains(complaints, "File ended prematurely")
	trusted, packets := s.trusted(rep.format), info.Frames
	if decode || cut || !trusted {
		if err := count(ctx, path, info, report); err != nil {
			return nil, fromDecoding(path, before, err)
		}
		if trusted {
			info.Lost = max(packets-info.Frames, 0)
		}
	}
	if err := unchanged(path, before); err != nil {
		return nil, err
	}
	switch {
	case cut:
		f := fault(path, Cut, fmt.Sprintf("is cut short: %s can be read, then the file ends before its container does",
			frames(info.Frames)), "copy or record the clip again, or remove it")
		f.Info = info
		return nil, f
	case info.Frames == 0:
		return nil, fault(path, Broken, "holds no frame that can be decoded",
			"copy or record the clip again, or remove it")
	case isGIF(rep.format) && info.Frames == 1:
		return nil, still(path, "GIF")
	}
	return info, nil
}

func frames(n int) string {
	if n == 1 {
		return "1 frame"
	}
	return fmt.Sprintf("%d frames", n)
}

func isGIF(format string) bool { return format == "gif" || format == "apng" }

// containers are the demuxers that read one file as a clip, sound, or a picture, so that the latter can be named.
// Playlists, network streams, scripts and text (hls, concat, sdp, lavfi, tty …) are none of them.
const containers = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,h264,hevc,av1,obu,ivf,vvc,mjpeg,m4v,mxf," +
	"wtv,rm,nut,dv,yuv4mpegpipe,vob,mp4,3gp,swf,gxf,h263,h261,vc1,nsv,nuv,amv,bink,smk,ea,roq,fli,film_cpk," +
	"dirac,mp3,wav,flac,aac,ac3,eac3,dts,aiff,amr,w64,caf,ape,tta,au,wv,mpc,mpc8,voc,loas,spdif,image2," +
	"jpeg_pipe,png_pipe,bmp_pipe,gif_pipe,tiff_pipe,webp_pipe,ico,pnm_pipe,ppm_pipe,pgm_pipe,pgmyuv_pipe," +
	"pbm_pipe,pam_pipe,psd_pipe,qoi_pipe,svg_pipe,exr_pipe,dds_pipe,hdr_pipe,j2k_pipe,jpegls_pipe,jpegxl_pipe," +
	"jpegxl_anim,dpx_pipe,pcx_pipe,sgi_pipe,sunrast_pipe,xbm_pipe,xpm_pipe,xwd_pipe,photocd_pipe,pictor_pipe," +
	"qdraw_pipe,cri_pipe,gem_pipe,pfm_pipe,phm_pipe,vbn_pipe,xface,webp"

// open are the options with which both programs read a clip.
func open() ffmpeg.KwArgs {
	return ffmpeg.KwArgs{
		"v":                  "error",
		"protocol_whitelist": "file",
		"format_whitelist":   containers,
		"max_pixels":         strconv.Itoa(mostPixels),
	}
}

// ask lets ffprobe report on a file.
func ask(ctx context.Context, path string) (rep *report, complaints string, err error) {
	url, err := source(path)
	if err != nil {
		return nil, "", err
	}
	args := ffmpeg.ConvertKwargsToCmdLineArgs(ffmpeg.MergeKwArgs([]ffmpeg.KwArgs{open(), {
		"select_streams": "v",
		"show_entries":   asked,
		"of":             "compact",
	}}))
	complaints, err = run(ctx, "ffprobe", append(args, "-i", url), func(r io.Reader) (err error) {
		rep, err = parse(r)
		return err
	})
	return rep, complaints, err
}

// ofPicture says whether the container is one of pictures.
func (r *report) ofPicture() bool {
	return strings.HasSuffix(r.format, "_pipe") || slices.Contains([]string{"image2", "ico", "xface", "webp"}, r.format)
}

// pictureCodecs are those of covers.
var pictureCodecs = []string{"mjpeg", "png", "bmp", "gif", "webp", "tiff"}

// clip is the stream that is meant: the first that is no cover. A single picture beside a stream of frames is a cover,
// whether it says so or not. nil: there is none.
func (r *report) clip() *stream {
	if r.ofPicture() {
		return nil
	}
	var candidates []*stream
	for _, s := range r.video {
		if !s.cover {
			candidates = append(candidates, s)
		}
	}
	for _, s := range candidates {
		if len(s.packets.pts) > 1 || !slices.Contains(pictureCodecs, s.codec) {
			return s
		}
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return nil
}

// info is the stream in the program's words, counted by packets.
func (s *stream) info(path string, rep *report) (*Info, error) {
	const again = "copy or record the clip again, or remove it"
	switch {
	case s.codec == "" || s.codec == "none" || s.codec == "unknown":
		return nil, fault(path, Unsupported, "is coded in a way that this FFmpeg does not know",
			"install a newer FFmpeg, or convert the clip to H.264")
	case s.w == 0 || s.h == 0:
		return nil, fault(path, Broken, "does not say how large its frames are", again)
	case s.w*s.h > mostPixels:
		return nil, fault(path, Unsupported,
			fmt.Sprintf("has frames of %d×%d pixels, more than the %d million that are taken",
				s.w, s.h, mostPixels/1_000_000), "scale the clip down")
	}
	w, h := s.w-s.crop[2]-s.crop[3], s.h-s.crop[0]-s.crop[1]
	if w <= 0 || h <= 0 {
		w, h = s.w, s.h
	}
	i := &Info{Format: rep.format, Codec: s.codec, Stream: s.index, W: max(int(math.Round(float64(w)*s.aspect)), 1),
		H:       h,
		StoredW: s.w, StoredH: s.h, PixelAspect: s.aspect, BaseFPS: s.base, PixelFormat: s.pixels, Bits: s.sampleBits(),
		FullRange: s.fullRange, Matrix: s.matrix}
	turn := math.Mod(math.Mod(s.rotation, 360)+360, 360)
	i.Rotation = int(math.Round(turn)) % 360
	if i.Rotation == 90 || i.Rotation == 270 {
		i.W, i.H = i.H, i.W
	}
	tick := s.tick
	if tick == 0 {
		tick = 1e-6
	}
	times := make([]float64, 0, len(s.packets.pts))
	for _, pts := range s.packets.pts {
		if pts != none {
			times = append(times, float64(pts)*tick-rep.start)
		}
	}
	last := float64(s.packets.last) * tick
	if last == 0 && s.average > 0 {
		last = 1 / s.average
	}
	i.setTimes(times, last)
	return i, nil
}

// setTimes puts in the times of all frames, in seconds, and what follows from them; last is how long the last frame is
// shown, 0 where that is not known.
func (i *Info) setTimes(times []float64, last float64) {
	slices.Sort(times)
	i.Times, i.Frames = times, len(times)
	i.Duration, i.FPS, i.Variable = 0, 0, false
	if len(times) == 0 {
		return
	}
	steps := make([]float64, len(times)-1)
	for k := range steps {
		steps[k] = times[k+1] - times[k]
	}
	slices.Sort(steps)
	if n := len(steps); n > 0 {
		usual := steps[n/2]
		if last <= 0 {
			last = usual
		}
		const rounding = 0.0021 // containers that count milliseconds
		slack := max(rounding, usual/20)
		i.Variable = usual-steps[0] > slack || steps[n-1]-usual > slack
	}
	if last <= 0 && i.BaseFPS > 0 {
		last = 1 / i.BaseFPS
	}
	i.Duration = times[len(times)-1] - times[0] + last
	if i.Duration > 0 {
		i.FPS = float64(i.Frames) / i.Duration
	}
}

// sampleBits is the depth of a sample: what the stream says, else what its pixel format is called after.
func (s *stream) sampleBits() int {
	if m := depth.FindStringSubmatch(s.pixels); m != nil {
		return whole(m[1])
	}
	switch {
	case strings.HasPrefix(s.pixels, "rgb48"), strings.HasPrefix(s.pixels, "bgr48"),
		strings.HasPrefix(s.pixels, "rgba64"):
		return 16
	case s.bits > 0:
		return s.bits
	}
	return 8
}

var depth = regexp.MustCompile(`(?:p|gray|p0|y2|x2rgb|x2bgr)(9|10|12|14|16)(?:le|be)$`)

// trusted says whether each packet is one frame: of a codec and a container where a packet is a picture, none damaged,
// hidden or without a time, no two at a time, none that would need what lies before the first.
func (s *stream) trusted(format string) bool {
	p := &s.packets
	if p.doubtful || p.hidden > 0 || !p.starts || s.interlaced || len(p.pts) == 0 || s.tick == 0 {
		return false
	}
	if !strings.HasPrefix(format, "mov,") && !strings.HasPrefix(format, "matroska,") {
		return false
	}
	switch s.codec {
	case "h264", "hevc", "av1", "vp9", "mjpeg", "prores", "ffv1":
	default:
		return false
	}
	sorted := slices.Sorted(slices.Values(p.pts))
	for k := 1; k < len(sorted); k++ {
		if sorted[k] == sorted[k-1] {
			return false
		}
	}
	return sorted[0] == p.pts[0]
}
