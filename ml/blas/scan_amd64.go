package blas

// scanSome runs one or two vectors of channels from at on, and returns how many they are.
func scanSome(s *Scan, at int) int {
	if !kernels.vectors {
		return scanSomeGo(s, at)
	}
	run, n, left := scanAVX2, 8, s.Channels-at
	switch {
	case kernels.lanes == 16 && left >= 32:
		run, n = scanPairAVX512, 32
	case kernels.lanes == 16 && left >= 16:
		run, n = scanAVX512, 16
	case left >= 16:
		run, n = scanPairAVX2, 16
	}
	run(&s.Y.V[s.Y.First+at], &s.U.V[s.U.First+at], &s.DT.V[s.DT.First+at], &s.B.V[s.B.First], &s.C.V[s.C.First],
		&s.A.V[s.A.First+at], &s.D[at], &s.H.V[s.H.First+at], s.Steps, s.States, 4*s.Y.Ld, 4*s.U.Ld, 4*s.DT.Ld,
		4*s.B.Ld, 4*s.A.Ld, 4*s.H.Ld)
	return n
}

func softplus(dst, x []float32) {
	if !kernels.vectors {
		softplusGo(dst, x)
		return
	}
	run, lanes := softplusAVX2, 8
	if kernels.lanes == 16 {
		run, lanes = softplusAVX512, 16
	}
	whole := len(x) / lanes * lanes
	if whole > 0 {
		run(&dst[0], &x[0], whole/lanes)
	}
	if whole < len(x) { // what is left, in a vector of its own
		var rest [16]float32
		n := copy(rest[:], x[whole:])
		run(&rest[0], &rest[0], 1)
		copy(dst[whole:], rest[:n])
	}
}

func convSiLU(y, b []float32, taps int, x, w Walk) {
	if !kernels.vectors || taps == 0 {
		convSiLUGo(y, b, taps, x, w)
		return
	}
	whole := 0
	if kernels.lanes == 16 {
		whole = len(y) / 16 * 16
	}
	if whole > 0 {
		convSiLUAVX512(&y[0], &b[0], &x.V[x.First], &w.V[w.First], whole/16, taps, 4*x.Ld, 4*w.Ld)
	}
	if rest := len(y) - whole; rest > 0 {
		convSiLUAVX2(&y[whole], &b[whole], &x.V[x.First+whole], &w.V[w.First+whole], rest/8, taps, 4*x.Ld, 4*w.Ld)
	}
}

func siluMulSum(y, z, a, b []float32) {
	if !kernels.vectors {
		siluMulSumGo(y, z, a, b)
		return
	}
	whole := 0
	if kernels.lanes == 16 {
		whole = len(y) / 16 * 16
	}
	if whole > 0 {
		siluMulSumAVX512(&y[0], &z[0], &a[0], &b[0], whole/16)
	}
	if rest := len(y) - whole; rest > 0 {
		siluMulSumAVX2(&y[whole], &z[whole], &a[whole], &b[whole], rest/8)
	}
}
