package widget

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Missing stands where a value is not known: never a false 0.
const Missing = "–"

// Count writes a whole number, from ten thousand on with its thousands apart: 1129, 38,810.
func Count(n int) string {
	s := strconv.Itoa(n)
	if n > -10000 && n < 10000 {
		return s
	}
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, digit := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteRune(',')
		}
		b.WriteRune(digit)
	}
	return sign + b.String()
}

// Percent writes a share of 0 … 1 with so many decimals: 47.8 %.
func Percent(share float64, decimals int) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return Missing
	}
	return strconv.FormatFloat(share*100, 'f', decimals, 64) + " %"
}

// Ratio writes how many times: 7.04×.
func Ratio(r float64) string {
	switch {
	case math.IsNaN(r):
		return Missing
	case math.IsInf(r, 1):
		return "∞×"
	case math.Abs(r) >= 100:
		return Count(int(math.Round(r))) + "×"
	case math.Abs(r) >= 10:
		return strconv.FormatFloat(r, 'f', 1, 64) + "×"
	}
	return strconv.FormatFloat(r, 'f', 2, 64) + "×"
}

// Number writes a value with about three digits that mean something: 0.0234, 1.23, 45.6, 1290, 2.1e-05.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return Missing
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "-∞"
	case a == 0:
		return "0"
	case a < 1e-3 || a >= 1e7:
		return strconv.FormatFloat(v, 'e', 1, 64)
	case a < 1:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(a))), 64)
	case a < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return Count(int(math.Round(v)))
}

// Duration writes a time in its two largest units: 830 ms, 4.2 s, 3 m 05 s, 2 h 07 m, 3 d 04 h.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 59950*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		s := int(d.Seconds() + 0.5)
		return fmt.Sprintf("%d m %02d s", s/60, s%60)
	case d < 24*time.Hour:
		m := int(d.Minutes())
		return fmt.Sprintf("%d h %02d m", m/60, m%60)
	}
	h := int(d.Hours())
	return fmt.Sprintf("%d d %02d h", h/24, h%24)
}

// Probability is a p as it is given in print: "< 0.001", three decimals where it is small, else two.
func Probability(p float64) string {
	switch {
	case p < 0.001:
		return "< 0.001"
	case p < 0.1:
		return fmt.Sprintf("%.3f", p)
	}
	return fmt.Sprintf("%.2f", p)
}

func formatFixed(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Missing
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
