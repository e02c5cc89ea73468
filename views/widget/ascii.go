package widget

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// lookalikes are the characters of our screens in ASCII.
var lookalikes = func() map[rune]byte {
	table := map[rune]byte{}
	for _, pair := range []struct{ from, to string }{
		{"─━═┄┈╌▔‐‑‒–—", strings.Repeat("-", 20)}, {"│┃┆┊║▏▎▍‖", strings.Repeat("|", 20)},
		{"╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛", strings.Repeat("+", 20)},
		{"▁▂▃▄▅▆▇█▉▊▋▌▐▀", "__.--=######|\""}, {"░▒▓", ".:%"}, {"▘▝▖▗▚▞▛▜▙▟", "''..\\/####"},
		{"●○◐◆◇■□✓✗†▸◂▲▼", "*oo+o#ovx+><^v"}, {"‹›“”‘’…·•×±→←↑↓↵", "<>\"\"''..*x~><^v<"}, {"≠≤≥√²³µ°∞", "!<>v23uo8"},
	} {
		to := []byte(pair.to)
		for i, r := range []rune(pair.from) {
			table[r] = to[i]
		}
	}
	return table
}()

// ASCIIOnly is a whole screen for a terminal that shows no UTF-8: what has a likeness in ASCII becomes that, braille
// its weight, anything else ?, each as wide as it was.
func ASCIIOnly(screen string) string {
	var b strings.Builder
	b.Grow(len(screen))
	for i := 0; i < len(screen); {
		if screen[i] < utf8.RuneSelf {
			b.WriteByte(screen[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(screen[i:])
		i += n
		switch c, known := lookalikes[r]; {
		case known:
			b.WriteByte(c)
		case r >= 0x2800 && r <= 0x28ff:
			b.WriteByte(" ..::*##@"[bits.OnesCount8(uint8(r-0x2800))])
		default:
			b.WriteString("??"[:clampInt(Width(string(r)), 0, 2)])
		}
	}
	return b.String()
}
