package trainerlog

import (
	"testing"

	"finetui/core/trainerlog/logtest"
)

const million = 1_000_000 // figures

func BenchmarkAMillionFiguresOfAState(b *testing.B) { benchmarkReading(b, logtest.State(b, million/4)) }

func BenchmarkAMillionFiguresOfAnEventFile(b *testing.B) {
	benchmarkReading(b, logtest.Events(b, million/4))
}

func benchmarkReading(b *testing.B, dir string) {
	b.ReportAllocs()
	for b.Loop() {
		log, ok := Find(dir)
		if !ok {
			b.Fatal("no run is found")
		}
		r, values := log.Reader(), 0
		for {
			got, err := r.Read(func(row Row) { values += len(row.Values) })
			if err != nil {
				b.Fatal(err)
			}
			if !got.More {
				break
			}
		}
		if values < million {
			b.Fatalf("%d values", values)
		}
	}
}
