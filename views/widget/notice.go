package widget

import "strings"

// Notice is a few sentences in the middle of a pane that has nothing else to show.
type Notice struct {
	width int
	lines []string
}

// NewNotice is an empty notice for a pane of w cells.
func NewNotice(w int) *Notice { return &Notice{width: w} }

// Say adds sentences, wrapped; each line of the text begins a new one.
func (n *Notice) Say(style Style, text string) {
	for sentence := range strings.SplitSeq(text, "\n") {
		for _, line := range Wrap(Clean(sentence), min(n.width-6, 90)) {
			n.lines = append(n.lines, style.Render(line))
		}
	}
}

// Add adds a line as it is.
func (n *Notice) Add(line string) { n.lines = append(n.lines, line) }

// View draws the notice in the middle of w×h cells.
func (n *Notice) View(w, h int) string {
	wide := 0
	for _, line := range n.lines {
		wide = max(wide, Width(line))
	}
	left, above := blanks(max((w-wide)/2, 1)), max((h-len(n.lines))/2-1, 0)
	return Block(strings.Repeat("\n", above)+left+strings.Join(n.lines, "\n"+left), w, h)
}

// Capital is a text with its first letter as a capital.
func Capital(s string) string {
	if s == "" {
		return s
	}
	first := []rune(s)
	return strings.ToUpper(string(first[:1])) + string(first[1:])
}
