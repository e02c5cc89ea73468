package infer

import (
	"fmt"
	"strings"

	"finetui/core/eval"
	"finetui/views/widget"
)

// span is an interval of shares: "15–85 %".
func span(i *eval.Interval) string {
	if i == nil {
		return widget.Missing
	}
	return fmt.Sprintf("%.0f–%.0f %%", 100*i[0], 100*i[1])
}

// fraction is an interval of something between 0 and 1: "0.15–0.85".
func fraction(i *eval.Interval) string {
	if i == nil {
		return widget.Missing
	}
	return fmt.Sprintf("%.2f–%.2f", i[0], i[1])
}

// width is how far an interval reaches.
func width(i *eval.Interval) float64 { return i[1] - i[0] }

// vague says whether an interval is so wide that it tells next to nothing.
func vague(i *eval.Interval) bool { return i != nil && width(i) > 0.4 }

// ruler draws an interval and its share between 0 and 100 %: "   ├───●──┤   ".
func ruler(share float64, i *eval.Interval, w int) string {
	if i == nil || w < 3 {
		return ""
	}
	at := func(v float64) int { return min(max(int(v*float64(w-1)+0.5), 0), w-1) }
	from, to := at(i[0]), at(i[1])
	line := []rune(strings.Repeat(" ", w))
	for x := from; x <= to; x++ {
		line[x] = '─'
	}
	line[from], line[to] = '├', '┤'
	line[at(share)] = '●'
	return string(line)
}

// wrapped is a text from outside in lines of at most w cells; its own line breaks stay.
func wrapped(text string, w int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, widget.Wrap(widget.Clean(paragraph), max(w, 1))...)
	}
	return lines
}

func indent(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(" " + line)
	}
	return b.String()
}

// indentBlock keeps a table that has no cursor off the frame.
func indentBlock(block string) string { return indent(strings.Split(block, "\n")) }

func toned(style widget.Style, lines []string) []string {
	for i, line := range lines {
		lines[i] = style.Render(line)
	}
	return lines
}
