// Package viewtest looks at panes and at the whole program the way a person does: through a terminal. Drawings go
// through a terminal emulator and come back as the characters of its screen, to be compared with files in testdata
// (go test -update writes them). It is for tests only.
package viewtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	_ "github.com/charmbracelet/x/exp/golden" // defines -update, as teatest does
	"github.com/charmbracelet/x/vt"

	"finetui/views/widget"
)

// Draw is what a terminal of w×h shows after a drawing: plain text, each line without its trailing blanks.
func Draw(drawing string, w, h int) string { return plain(emulated(drawing, w, h), w, h) }

// DrawStyled is Draw with marks around what stands out, so that a golden file shows it without colours: ⟦…⟧ is
// reversed or has a background, ⟨…⟩ is bold or has a colour that is neither the text's nor muted.
func DrawStyled(drawing string, w, h int) string {
	screen := emulated(drawing, w, h)
	lines := make([]string, h)
	for y := range lines {
		var line strings.Builder
		open := ""
		for x := range w {
			cell := screen.CellAt(x, y)
			if cell == nil || cell.Width == 0 {
				continue
			}
			if mark := styleMark(cell); mark != open {
				line.WriteString(closing[open] + mark)
				open = mark
			}
			line.WriteString(cell.Content)
		}
		lines[y] = strings.TrimRight(line.String()+closing[open], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

var closing = map[string]string{"⟦": "⟧", "⟨": "⟩"}

func styleMark(cell *uv.Cell) string {
	switch {
	case cell.Style.Attrs&uv.AttrReverse != 0 || cell.Style.Bg != nil:
		return "⟦"
	case cell.Style.Attrs&uv.AttrBold != 0:
		return "⟨"
	}
	return ""
}

func emulated(drawing string, w, h int) *vt.Emulator {
	screen := vt.NewEmulator(w, h)
	// One line a row, each set at its place: a line as wide as the screen must not push the next one down.
	for y, line := range strings.Split(drawing, "\n") {
		if y < h {
			_, _ = screen.WriteString(ansi.CursorPosition(1, y+1) + "\x1b[m" + line)
		}
	}
	return screen
}

// cells is a screen of cells, as an emulator is.
type cells interface{ CellAt(x, y int) *uv.Cell }

func plain(screen cells, w, h int) string {
	lines := make([]string, h)
	for y := range lines {
		var line strings.Builder
		for x := range w {
			if cell := screen.CellAt(x, y); cell != nil && cell.Width > 0 {
				line.WriteString(cell.Content)
			}
		}
		lines[y] = strings.TrimRight(line.String(), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// Golden compares a screen with testdata/name.txt of the test's package; -update writes it.
func Golden(t testing.TB, name, screen string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(screen), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it); the screen is\n%s", err, screen)
	}
	if string(want) != screen {
		t.Errorf("%s differs from the screen (go test -update writes it)\n%s", path, difference(string(want), screen))
	}
}

// difference shows the lines that differ, the expected one above the one that came.
func difference(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var was, is string
		if i < len(w) {
			was = w[i]
		}
		if i < len(g) {
			is = g[i]
		}
		if was != is {
			fmt.Fprintf(&b, "%3d - %s\n    + %s\n", i+1, was, is)
		}
	}
	return b.String()
}

// Sizes draws at widths from 60 to 200 and heights from 20 to 60 and reports drawings that panic, have another number
// of lines, have a line wider than the screen, let control characters through, or cut a character in two. Each width
// meets every fourth height, another quarter of them than its neighbours; with FINETUI_SIZES=all it meets every height.
func Sizes(t testing.TB, draw func(w, h int) string) {
	t.Helper()
	all := os.Getenv("FINETUI_SIZES") == "all"
	faults := 0
	for w := 60; w <= 200; w++ {
		for h := 20; h <= 60; h++ {
			if !all && (w+h)%4 != 0 && h != 20 && h != 60 {
				continue
			}
			if fault := Fault(draw, w, h); fault != "" {
				t.Errorf("at %d×%d: %s", w, h, fault)
				if faults++; faults == 5 {
					t.Fatal("further sizes are not drawn")
				}
			}
		}
	}
}

// Fault is what is wrong with a drawing of w×h; empty: nothing.
func Fault(draw func(w, h int) string, w, h int) (fault string) {
	defer func() {
		if r := recover(); r != nil {
			fault = fmt.Sprintf("panic: %v", r)
		}
	}()
	lines := strings.Split(draw(w, h), "\n")
	if len(lines) != h {
		return fmt.Sprintf("%d lines instead of %d", len(lines), h)
	}
	for y, line := range lines {
		text := ansi.Strip(line)
		switch {
		case widget.Width(text) > w:
			return fmt.Sprintf("line %d is %d cells wide: %s", y+1, widget.Width(text), text)
		case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }):
			return fmt.Sprintf("line %d has control characters: %q", y+1, text)
		case strings.ContainsRune(text, '\ufffd') && !strings.Contains(line, "\ufffd"):
			return fmt.Sprintf("line %d has half a character: %q", y+1, text)
		}
	}
	return ""
}
