//go:build !linux

package cores

// GiveWay does nothing where a single thread cannot be given another priority.
func GiveWay() {}
