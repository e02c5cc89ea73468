//go:build !linux

package blas

// largePages asks for nothing where the system has no such wish.
func largePages[T any]([]T) {}
