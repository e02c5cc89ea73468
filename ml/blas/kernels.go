package blas

// Kernels names the kernel set in use: "avx512", "avx2" or "go".
func Kernels() string { return "go" }
