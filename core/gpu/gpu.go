// Package gpu reads the figures of NVIDIA GPUs through NVML.
// It never guesses: a figure that the driver does not give is absent, not zero.
package gpu

import (
	"errors"
	"fmt"
	"sync"
)

// ErrUnavailable is in every error of Snapshot on a machine without usable GPUs; the error's text says why.
var ErrUnavailable = errors.New("no GPU figures")

// Device is an immutable copy of one GPU's figures. A nil pointer: the driver does not give that figure.
type Device struct {
	Index       int
	Name        string   // "" where unknown
	UUID        string   // "" where unknown
	Util        *float64 // share of the last sample period in which a kernel ran, percent
	MemoryUsed  *uint64  // bytes
	MemoryTotal *uint64  // bytes
	Power       *float64 // watts
	PowerLimit  *float64 // watts, the limit in force
	Temperature *float64 // of the chip, degrees Celsius
	Clock       *float64 // of the multiprocessors now, MHz
	// what holds the clocks below what the chip could do, in words (Heat, PowerCap, …); nil: nothing, or not known
	Throttle  []string
	MIG       bool      // split into instances; the driver then gives no utilisation of the whole
	Lost      bool      // fallen off the bus: nothing else is known of it
	Processes []Process // that compute on it, as the driver numbers them; nil: none, or not known
}

// What Throttle may hold. Clocks that somebody set, or that rest because nothing runs, are not among them.
const (
	Heat       = "heat"        // the chip or its memory is too hot
	PowerCap   = "power limit" // the chip draws what it may: usual under full load
	PowerBrake = "power brake" // the power supply asks for less
	Hardware   = "hardware"    // the hardware slows down and does not say why
)

// Process is one that computes on a GPU.
type Process struct {
	PID    int
	Memory *uint64 // bytes; nil: the driver does not give it
}

// library is what is asked of NVML: start once, then count and read.
type library interface {
	start() error
	count() (int, error)
	read(index int) Device
}

// Monitor is one guarded way into the driver's library. It is safe for concurrent use. The library is started by the
// first Snapshot; if that fails, the library is never called again and every Snapshot gives the same reason.
type Monitor struct {
	mu      sync.Mutex
	lib     library
	started bool
	failed  error
}

// machine is the process's only monitor of real hardware.
var machine = &Monitor{lib: driver()}

// Snapshot returns the figures of this machine's GPUs in the driver's order. Without a driver or a GPU the error is
// ErrUnavailable with the reason. It may take tens of milliseconds: call it beside, not in, what draws or trains.
func Snapshot() ([]Device, error) { return machine.Snapshot() }

// Snapshot returns the figures of every GPU that the monitor's library sees.
func (m *Monitor) Snapshot() ([]Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed != nil {
		return nil, m.failed
	}
	if !m.started {
		if err := m.lib.start(); err != nil {
			m.failed = fmt.Errorf("%w: %w", ErrUnavailable, err)
			return nil, m.failed
		}
		m.started = true
	}
	n, err := m.lib.count()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: the NVIDIA driver sees no GPU", ErrUnavailable)
	}
	devices := make([]Device, n)
	for i := range devices {
		devices[i] = m.lib.read(i)
	}
	return devices, nil
}
