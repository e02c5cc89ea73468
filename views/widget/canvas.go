package widget

import (
	"slices"
	"unicode/utf8"
)

// canvas is w×h cells of braille dots, 2w×4h of them, and single glyphs that stand before the dots.
type canvas struct {
	w, h      int
	cells     []dots
	text, run []byte // of the row that is drawn
}

// dots is what one cell holds: which dots, whose they are, and a glyph that hides them.
type dots struct {
	glyph rune // 0: none
	bits  uint8
	faint bool
	tone  Tone
}

func newCanvas(w, h int) *canvas {
	return &canvas{w: w, h: h, cells: make([]dots, max(w, 0)*max(h, 0))}
}

// dotBits are the bits of U+2800 by column and row of a dot in its cell.
var dotBits = [2][4]uint8{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// set lights a dot. Lines that are not faint push faint ones out of a cell, so that they stay readable.
func (c *canvas) set(x, y int, line Line) {
	if x < 0 || y < 0 || x >= c.w*2 || y >= c.h*4 {
		return
	}
	cell := &c.cells[y/4*c.w+x/2]
	if cell.glyph != 0 {
		return
	}
	if cell.bits != 0 && cell.faint != line.Faint {
		if line.Faint {
			return
		}
		cell.bits = 0
	}
	cell.bits |= dotBits[x%2][y%4]
	cell.faint, cell.tone = line.Faint, line.Tone
}

// line joins two dots (Bresenham 1965).
func (c *canvas) line(x0, y0, x1, y1 int, line Line) {
	dx, dy := abs(x1-x0), -abs(y1-y0)
	sx, sy := sign(x1-x0), sign(y1-y0)
	for e := dx + dy; ; {
		c.set(x0, y0, line)
		if x0 == x1 && y0 == y1 {
			return
		}
		twice := 2 * e
		if twice >= dy {
			e, x0 = e+dy, x0+sx
		}
		if twice <= dx {
			e, y0 = e+dx, y0+sy
		}
	}
}

// glyph puts a character of one cell before the dots.
func (c *canvas) glyph(x, y int, glyph rune, tone Tone) {
	if x >= 0 && y >= 0 && x < c.w && y < c.h {
		cell := &c.cells[y*c.w+x]
		cell.glyph, cell.tone, cell.faint = glyph, tone, false
	}
}

// rule marks a column of cells, behind everything that stands there.
func (c *canvas) rule(x int) {
	for y := range c.h {
		if x >= 0 && x < c.w && c.cells[y*c.w+x].bits == 0 && c.cells[y*c.w+x].glyph == 0 {
			c.glyph(x, y, '┊', Muted)
		}
	}
}

// row draws one line of cells, neighbours of the same style together.
func (c *canvas) row(t *Theme, y int) string {
	line, run := slices.Grow(c.text[:0], 4*c.w+64), slices.Grow(c.run[:0], 3*c.w)
	cells := c.cells[y*c.w : (y+1)*c.w]
	for x, cell := range cells {
		switch {
		case cell.glyph != 0:
			run = utf8.AppendRune(run, cell.glyph)
		case cell.bits != 0:
			run = utf8.AppendRune(run, 0x2800+rune(cell.bits))
		default:
			run = append(run, ' ')
		}
		if x+1 < len(cells) && cells[x+1].tone == cell.tone && cells[x+1].faint == cell.faint {
			continue
		}
		switch {
		case cell.faint:
			line = t.Muted.append(line, run)
		case cell.tone == Accent:
			line = t.Active.append(line, run)
		default:
			line = t.Tone(cell.tone).append(line, run)
		}
		run = run[:0]
	}
	c.text, c.run = line, run
	return string(line)
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

func sign(v int) int {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}
