//go:build !amd64

package blas

// Where no assembly is, these are the functions of scan.go.

func scanSome(s *Scan, at int) int { return scanSomeGo(s, at) }

func softplus(dst, x []float32) { softplusGo(dst, x) }

func convSiLU(y, b []float32, taps int, x, w Walk) { convSiLUGo(y, b, taps, x, w) }

func siluMulSum(y, z, a, b []float32) { siluMulSumGo(y, z, a, b) }
