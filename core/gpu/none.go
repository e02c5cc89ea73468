//go:build !cgo || !linux

package gpu

import "errors"

func driver() library { return absent{} }

// absent stands for NVML in builds that cannot load it.
type absent struct{}

func (absent) start() error {
	return errors.New("this build cannot read NVIDIA GPUs; build on Linux with cgo")
}
func (absent) count() (int, error)   { return 0, nil }
func (absent) read(index int) Device { return Device{Index: index} }
