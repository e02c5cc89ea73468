package video

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// spent is the processor time of this process and of the children that it has waited for.
func spent(b *testing.B) time.Duration {
	b.Helper()
	total := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var use syscall.Rusage
		if err := syscall.Getrusage(who, &use); err != nil {
			b.Fatal(err)
		}
		total += time.Duration(use.Utime.Nano() + use.Stime.Nano())
	}
	return total
}

// BenchmarkFrames takes 16 frames of a 10 s clip of 1920×1080 at 30 a second, as evaluation does, at 224×224 and as
// they are. Beside it ffmpeg alone takes the same frames at the same size, up to the last one, and writes them to a pipe. Metrics: processor and wall time as a multiple of ffmpeg's; first: with everything that
// a clip that was never seen takes (probing, and decoding to its end); known: with its number of frames known; kept:
// seconds where the frames are kept.
func BenchmarkFrames(b *testing.B) {
	clip := filmOf(b, "testsrc2=s=1920x1080:r=30:d=10", "hd.mp4", "-c:v", "libx264",
		"-preset", "veryfast", "-pix_fmt", "yuv420p")
	ctx := context.Background()
	rule := Sampling{Least: 16, Most: 16}
	for _, size := range []Size{{224, 224}, {1920, 1080}} {
		b.Run(fmt.Sprintf("%dx%d", size.W, size.H), func(b *testing.B) {
			scaled := func(*Info) Size { return size }
			known, err := Check(ctx, clip, nil)
			if err != nil {
				b.Fatal(err)
			}
			filters := fmt.Sprintf("select='%s',scale=%d:%d", choose(rule.Pick(known)), size.W, size.H)
			alone := []string{"-nostdin", "-v", "error", "-i", clip, "-vf", filters, "-fps_mode", "passthrough", "-frames:v", "16", "-f",
				"rawvideo", "-pix_fmt", "rgb24", "pipe:1"}
			var cpu, wall [3]time.Duration
			measure := func(which int, work func() error) {
				cpuBefore, before := spent(b), time.Now()
				if err := work(); err != nil {
					b.Fatal(err)
				}
				cpu[which] += spent(b) - cpuBefore
				wall[which] += time.Since(before)
			}
			for b.Loop() {
				measure(0, func() error { _, err := exec.Command("ffmpeg", alone...).Output(); return err })
				measure(1, func() error {
					_, _, err := (*Store)(nil).Frames(ctx, clip, rule.Pick, scaled, nil)
					return err
				})
				measure(2, func() error {
					_, _, err := Frames(ctx, clip, known, rule.Pick, scaled, nil)
					return err
				})
			}
			for i, name := range []string{"", "first", "known"} {
				if i > 0 {
					b.ReportMetric(float64(cpu[i])/float64(cpu[0]), name+"-cpu×")
					b.ReportMetric(float64(wall[i])/float64(wall[0]), name+"-wall×")
				}
			}
			store := Open(b.TempDir(), 2<<30)
			defer store.Close()
			for range 2 {
				before := time.Now()
				if _, _, err := store.Frames(ctx, clip, rule.Pick, scaled, nil); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(before).Seconds(), "kept-s")
			}
		})
	}
}
