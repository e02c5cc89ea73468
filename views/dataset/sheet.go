package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/printable"
	"finetui/views/widget"
)

// sheet is a page of pictures in rows and columns.
type sheet struct {
	items   []int // places in the set
	first   int   // place in items of the upper left one
	cursor  int   // place in items of the selected one; -1: none
	classes []int // whose objects stand out; none: all
	grid
}

// grid is how many pictures stand beside and below each other, and how large a cell is, its caption included.
type grid struct{ cols, rows, cellW, cellH int }

const captionLines = 2

// gridFor divides w×h cells among at most n pictures of the set's shape: many, covering much, and none smaller than a
// person can make something out of.
func (p *shared) gridFor(n, w, h int) grid {
	const leastW, leastH = 20, 9
	pw, ph := p.shape()
	best, most := grid{1, 1, w, h}, -1.0
	for rows := 1; rows == 1 || h/rows >= leastH+captionLines; rows++ {
		for cols := 1; cols == 1 || w/cols >= leastW; cols++ {
			if (rows > 1 || cols > 1) && rows*cols > n && (rows-1)*cols >= n {
				break
			}
			g := grid{cols, rows, w / cols, h / rows}
			picW, picH := widget.PictureSize(pw, ph, g.cellW-1, g.cellH-captionLines)
			covered := float64(picW*picH*min(rows*cols, n)) * (1 +
				0.6*math.Log2(float64(min(rows*cols, max(n, 1), 12))))
			if covered > most {
				best, most = g, covered
			}
		}
	}
	return best
}

// shape is the most frequent size of the set's pictures, in pixels.
func (p *shared) shape() (w, h int) {
	if sizes := p.analysis.Whole.Resolution.Distinct; len(sizes) > 0 {
		return sizes[0].Width, sizes[0].Height
	}
	return 1, 1
}

func (g grid) size() int { return g.cols * g.rows }

// sheetKeys are the drawings of a page.
func (p *shared) sheetKeys(s sheet) []pictureKey {
	var keys []pictureKey
	for place := s.first; place < min(s.first+s.size(), len(s.items)); place++ {
		keys = append(keys, p.thumbKey(s, place))
	}
	return keys
}

func (p *shared) thumbKey(s sheet, place int) pictureKey {
	mode, _ := p.pictureMode()
	return pictureKey{reads: p.reads, item: s.items[place], classes: classKey(s.classes), object: -1, mode: mode,
		w: s.cellW - 1, h: s.cellH - captionLines}
}

// drawSheet draws a page: each picture under its name and what it holds.
func (p *shared) drawSheet(t *widget.Theme, s sheet, w, h int) string {
	var rows []string
	for row := range s.rows {
		var cells []string
		for col := range s.cols {
			place := s.first + row*s.cols + col
			text := ""
			if place < len(s.items) {
				text = p.drawCell(t, s, place)
			}
			cells = append(cells, widget.Block(text, s.cellW, s.cellH))
		}
		rows = append(rows, widget.Columns(cells...))
	}
	return widget.Block(strings.Join(rows, "\n"), w, h)
}

func (p *shared) drawCell(t *widget.Theme, s sheet, place int) string {
	item := &p.set.Items[s.items[place]]
	name := widget.CutMiddle(widget.Clean(item.ID), s.cellW-2)
	if place == s.cursor {
		name = t.Accent.Render("▸") + t.Selected.Render(name)
	} else {
		name = " " + name
	}
	facts := " " + t.Muted.Render(widget.Cut(p.holds(s.items[place], s.classes), s.cellW-2))
	key := p.thumbKey(s, place)
	return name + "\n" + facts + "\n" + p.drawThumb(t, key, p.classList(s.items[place]))
}

// drawThumb is the picture where it is made, else words in its place.
func (p *shared) drawThumb(t *widget.Theme, key pictureKey, words []string) string {
	one, there := p.pictures.Get(key)
	switch {
	case key.mode == widget.Words:
		lines := make([]string, len(words))
		for i, line := range words {
			lines[i] = " " + widget.Cut(line, key.w-1)
		}
		return widget.Block(strings.Join(lines, "\n"), key.w, key.h)
	case !there:
		return widget.Middle(t.Muted, "reading …", key.w, key.h)
	case one.Err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(one.Err), key.w, key.h)
	}
	return one.Picture.View(key.w, key.h)
}

// holds says in a few words what is labelled in a picture: how
// many objects, of which class, in which unusual condition.
func (p *shared) holds(item int, classes []int) string {
	objects := p.set.Items[item].Objects
	if p.set.Items[item].Clip != nil {
		return p.clipHolds(&p.set.Items[item])
	}
	if len(objects) == 0 {
		return "nothing labelled"
	}
	text := widget.Count(len(objects)) + " objects"
	if len(objects) == 1 {
		text = "1 object"
	}
	if len(classes) > 0 {
		n := 0
		for _, object := range objects {
			if slices.Contains(classes, object.Class) {
				n++
			}
		}
		return fmt.Sprintf("%s of %s", widget.Count(n), text)
	}
	for _, condition := range p.analysis.Whole.Conditions {
		n := 0
		for _, object := range objects {
			if p.set.Classes[object.Class].Condition == condition.Name {
				n++
			}
		}
		if n > 0 && condition.Name != p.loaded.cfg.DefaultCondition {
			text += fmt.Sprintf(", %s %s", widget.Count(n), widget.Clean(condition.Name))
		}
	}
	return text
}

// classList is how often each class is in a picture, in the set's order: what can be said of it without drawing it.
func (p *shared) classList(item int) []string {
	counts := make([]int, len(p.set.Classes))
	for _, object := range p.set.Items[item].Objects {
		counts[object.Class]++
	}
	var lines []string
	for class, n := range counts {
		if n > 0 {
			lines = append(lines, widget.Count(n)+" "+p.nameOf(class))
		}
	}
	return lines
}
