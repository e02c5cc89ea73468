//go:build !amd64

package blas

import "runtime"

// kernelSets lists what this platform knows, the best first.
func kernelSets() []*kernelSet { return []*kernelSet{&plainGo} }

// pause gives another goroutine a moment.
func pause(int) { runtime.Gosched() }
