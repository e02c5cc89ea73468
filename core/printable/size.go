package printable

import "fmt"

// Gigabytes writes bytes as the sizes of models and machines are given: "16.6 GB".
func Gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
