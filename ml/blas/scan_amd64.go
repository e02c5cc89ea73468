package blas

func scanGroup(s *Scan, at int) {
	if !kernels.vectors {
		scanGroupGo(s, at)
		return
	}
	scanAVX2(&s.Y.V[s.Y.First+at], &s.U.V[s.U.First+at], &s.DT.V[s.DT.First+at], &s.B.V[s.B.First], &s.C.V[s.C.First],
		&s.A[at*s.States], &s.D[at], &s.H[at*s.States], s.Steps, s.States, 4*s.Y.Ld, 4*s.U.Ld, 4*s.DT.Ld, 4*s.B.Ld)
}

func softplus(dst, x []float32) {
	if kernels.vectors && len(x) > 0 {
		softplusAVX2(&dst[0], &x[0], len(x))
	} else {
		softplusGo(dst, x)
	}
}
