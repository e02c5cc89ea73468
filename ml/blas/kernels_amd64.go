package blas

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go -C gen run . -part tiles -out ../tiles_amd64.s -stubs ../tiles_amd64.go -pkg blas
//go:generate go -C gen run . -part tiles512 -out ../tiles512_amd64.s -stubs ../tiles512_amd64.go -pkg blas
//go:generate go -C gen run . -part pack -out ../pack_amd64.s -stubs ../pack_amd64.go -pkg blas
//go:generate go -C gen run . -part peak -out ../peak_amd64.s -stubs ../peak_amd64.go -pkg blas
//go:generate go -C gen run . -part vectors -out ../vectors_amd64.s -stubs ../vectors_stubs_amd64.go -pkg blas
//go:generate go -C gen run . -part scan -out ../scan_amd64.s -stubs ../scan_stubs_amd64.go -pkg blas

// kernelSets lists what this platform knows, the best first.
func kernelSets() []*kernelSet { return []*kernelSet{&avx512, &avx2, &plainGo} }

var avx2 = kernelSet{
	name:        "avx2",
	available:   cpu.X86.HasAVX2 && cpu.X86.HasFMA,
	lanes:       8,
	rows:        6,
	narrowRows:  12,
	float32:     avx2Tiles,
	bfloat16:    avx2HalfTiles,
	mask:        func(columns int) *byte { return (*byte)(unsafe.Pointer(&laneMasks[8-columns])) },
	packRows:    packRowsAVX2,
	packColumns: packColumnsAVX2,
	packTiles:   packTiles6AVX2,
	vectors:     true,

	multiply:      peakAVX2,
	multiplyFlops: 12 * 8 * 2,
	read:          readVectors,
}

var avx512 = kernelSet{
	name:        "avx512",
	available:   avx2.available && cpu.X86.HasAVX512F,
	lanes:       16,
	rows:        12,
	narrowRows:  12,
	float32:     avx512Tiles,
	bfloat16:    avx512HalfTiles,
	mask:        func(columns int) *byte { return (*byte)(unsafe.Pointer(&bitMasks[columns])) },
	packRows:    packRowsAVX2,
	packColumns: packColumnsAVX2,
	packTiles:   packTiles12AVX2,
	vectors:     true,

	multiply:      peakAVX512,
	multiplyFlops: 24 * 16 * 2,
	read:          readVectors,
}

func readVectors(data []byte) {
	if rounds := len(data) / 256; rounds > 0 {
		readAVX2(&data[0], 64*rounds, rounds)
	}
}

// laneMasks[8-n:] has all bits set in the first n of eight lanes.
var laneMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// bitMasks[n] has the lowest n bits set.
var bitMasks = func() (masks [17]uint16) {
	for n := range masks {
		masks[n] = uint16(1<<n - 1)
	}
	return masks
}()

var avx2Tiles = tileSet{
	full: []tileFunc{nil,
		tileAVX2_1x2, tileAVX2_2x2, tileAVX2_3x2,
		tileAVX2_4x2, tileAVX2_5x2, tileAVX2_6x2,
	},
	masked: []tileFunc{nil,
		tileAVX2_1x2m, tileAVX2_2x2m, tileAVX2_3x2m,
		tileAVX2_4x2m, tileAVX2_5x2m, tileAVX2_6x2m,
	},
	narrow: []tileFunc{nil,
		tileAVX2_1x1, tileAVX2_2x1, tileAVX2_3x1,
		tileAVX2_4x1, tileAVX2_5x1, tileAVX2_6x1,
		tileAVX2_7x1, tileAVX2_8x1, tileAVX2_9x1,
		tileAVX2_10x1, tileAVX2_11x1, tileAVX2_12x1,
	},
	narrowMasked: []tileFunc{nil,
		tileAVX2_1x1m, tileAVX2_2x1m, tileAVX2_3x1m,
		tileAVX2_4x1m, tileAVX2_5x1m, tileAVX2_6x1m,
		tileAVX2_7x1m, tileAVX2_8x1m, tileAVX2_9x1m,
		tileAVX2_10x1m, tileAVX2_11x1m, tileAVX2_12x1m,
	},
	wide:        []tileFunc{nil, tileAVX2_1x8, tileAVX2_2x4},
	wideColumns: []int{0, 64, 32},
}

var avx2HalfTiles = tileSet{
	full: []tileFunc{nil,
		tileAVX2_1x2h, tileAVX2_2x2h, tileAVX2_3x2h,
		tileAVX2_4x2h, tileAVX2_5x2h, tileAVX2_6x2h,
	},
	masked: []tileFunc{nil,
		tileAVX2_1x2mh, tileAVX2_2x2mh, tileAVX2_3x2mh,
		tileAVX2_4x2mh, tileAVX2_5x2mh, tileAVX2_6x2mh,
	},
	narrow: []tileFunc{nil,
		tileAVX2_1x1h, tileAVX2_2x1h, tileAVX2_3x1h,
		tileAVX2_4x1h, tileAVX2_5x1h, tileAVX2_6x1h,
		tileAVX2_7x1h, tileAVX2_8x1h, tileAVX2_9x1h,
		tileAVX2_10x1h, tileAVX2_11x1h, tileAVX2_12x1h,
	},
	narrowMasked: []tileFunc{nil,
		tileAVX2_1x1mh, tileAVX2_2x1mh, tileAVX2_3x1mh,
		tileAVX2_4x1mh, tileAVX2_5x1mh, tileAVX2_6x1mh,
		tileAVX2_7x1mh, tileAVX2_8x1mh, tileAVX2_9x1mh,
		tileAVX2_10x1mh, tileAVX2_11x1mh, tileAVX2_12x1mh,
	},
	wide:        []tileFunc{nil, tileAVX2_1x8h, tileAVX2_2x4h},
	wideColumns: []int{0, 64, 32},
}

var avx512Tiles = tileSet{
	full: []tileFunc{nil,
		tileAVX512_1x2, tileAVX512_2x2, tileAVX512_3x2,
		tileAVX512_4x2, tileAVX512_5x2, tileAVX512_6x2,
		tileAVX512_7x2, tileAVX512_8x2, tileAVX512_9x2,
		tileAVX512_10x2, tileAVX512_11x2, tileAVX512_12x2,
	},
	masked: []tileFunc{nil,
		tileAVX512_1x2m, tileAVX512_2x2m, tileAVX512_3x2m,
		tileAVX512_4x2m, tileAVX512_5x2m, tileAVX512_6x2m,
		tileAVX512_7x2m, tileAVX512_8x2m, tileAVX512_9x2m,
		tileAVX512_10x2m, tileAVX512_11x2m, tileAVX512_12x2m,
	},
	narrow: []tileFunc{nil,
		tileAVX512_1x1, tileAVX512_2x1, tileAVX512_3x1,
		tileAVX512_4x1, tileAVX512_5x1, tileAVX512_6x1,
		tileAVX512_7x1, tileAVX512_8x1, tileAVX512_9x1,
		tileAVX512_10x1, tileAVX512_11x1, tileAVX512_12x1,
	},
	narrowMasked: []tileFunc{nil,
		tileAVX512_1x1m, tileAVX512_2x1m, tileAVX512_3x1m,
		tileAVX512_4x1m, tileAVX512_5x1m, tileAVX512_6x1m,
		tileAVX512_7x1m, tileAVX512_8x1m, tileAVX512_9x1m,
		tileAVX512_10x1m, tileAVX512_11x1m, tileAVX512_12x1m,
	},
	wide:        []tileFunc{nil, tileAVX512_1x8, tileAVX512_2x4},
	wideColumns: []int{0, 128, 64},
}

var avx512HalfTiles = tileSet{
	full: []tileFunc{nil,
		tileAVX512_1x2h, tileAVX512_2x2h, tileAVX512_3x2h,
		tileAVX512_4x2h, tileAVX512_5x2h, tileAVX512_6x2h,
		tileAVX512_7x2h, tileAVX512_8x2h, tileAVX512_9x2h,
		tileAVX512_10x2h, tileAVX512_11x2h, tileAVX512_12x2h,
	},
	masked: []tileFunc{nil,
		tileAVX512_1x2mh, tileAVX512_2x2mh, tileAVX512_3x2mh,
		tileAVX512_4x2mh, tileAVX512_5x2mh, tileAVX512_6x2mh,
		tileAVX512_7x2mh, tileAVX512_8x2mh, tileAVX512_9x2mh,
		tileAVX512_10x2mh, tileAVX512_11x2mh, tileAVX512_12x2mh,
	},
	narrow: []tileFunc{nil,
		tileAVX512_1x1h, tileAVX512_2x1h, tileAVX512_3x1h,
		tileAVX512_4x1h, tileAVX512_5x1h, tileAVX512_6x1h,
		tileAVX512_7x1h, tileAVX512_8x1h, tileAVX512_9x1h,
		tileAVX512_10x1h, tileAVX512_11x1h, tileAVX512_12x1h,
	},
	narrowMasked: []tileFunc{nil,
		tileAVX512_1x1mh, tileAVX512_2x1mh, tileAVX512_3x1mh,
		tileAVX512_4x1mh, tileAVX512_5x1mh, tileAVX512_6x1mh,
		tileAVX512_7x1mh, tileAVX512_8x1mh, tileAVX512_9x1mh,
		tileAVX512_10x1mh, tileAVX512_11x1mh, tileAVX512_12x1mh,
	},
	wide:        []tileFunc{nil, tileAVX512_1x8h, tileAVX512_2x4h},
	wideColumns: []int{0, 128, 64},
}

// pause gives another thread a moment.
func pause(times int) { pauseAMD64(times) }
