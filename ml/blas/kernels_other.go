//go:build !amd64

package blas

// kernelSets lists what this platform knows, the best first.
func kernelSets() []*kernelSet { return []*kernelSet{&plainGo} }
