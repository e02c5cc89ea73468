package printable

import (
	"fmt"
	"math"
	"strconv"
)

// Gigabytes writes bytes as downloads and disks are given: "16.6 GB". Memory is written by Bytes.
func Gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Bytes writes a size in binary units, as memory and files are given: "61.2 MiB".
func Bytes(n int64) string {
	if n < 1024 && n > -1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n), 0
	for math.Abs(v) >= 1023.95 && unit < 5 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}[unit]
}
