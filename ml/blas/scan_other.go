//go:build !amd64

package blas

// Where no assembly is, these are the functions of scan.go.

func scanGroup(s *Scan, at int) { scanGroupGo(s, at) }

func softplus(dst, x []float32) { softplusGo(dst, x) }
