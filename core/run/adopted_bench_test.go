package run

import (
	"syscall"
	"testing"
	"time"

	"finetui/core/trainerlog/logtest"
)

// A folder of a million figures is read into a history, as Train and follow do it. cpu-ms/op is the processor time of
// all threads: what the machine does beside it does not count there.
func BenchmarkAMillionFiguresOfAState(b *testing.B) { benchmarkAdopted(b, logtest.State(b, 250_000)) }

func BenchmarkAMillionFiguresOfAnEventFile(b *testing.B) {
	benchmarkAdopted(b, logtest.Events(b, 250_000))
}

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchmarkAdopted(b *testing.B, dir string) {
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		found := Adopted("", dir)
		if len(found) != 1 {
			b.Fatalf("%d runs", len(found))
		}
		r := found[0].Reader()
		if _, _, err := r.Read(time.Time{}); err != nil {
			b.Fatal(err)
		}
		if r.History.Step() != 250_000 {
			b.Fatalf("step %d", r.History.Step())
		}
	}
	b.ReportMetric(float64((processor()-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}
