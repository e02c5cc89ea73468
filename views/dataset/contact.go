package dataset

import (
	"context"
	"fmt"
	"image/color"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/media"
	"finetui/views"
	"finetui/views/widget"
)

// The shape of an exported contact sheet: pictures beside and below each other, their largest
// side in pixels, and how many sheets are written at most.
const (
	sheetColumns = 6
	sheetRows    = 5
	sheetSide    = 260
	mostSheets   = 40
)

// exportSheet writes all pictures that pass to contact sheets beside the runs, with the outlines of their objects.
func (v *samples) exportSheet() tea.Cmd {
	items := slices.Clone(v.items)
	sheets := (len(items) + sheetColumns*sheetRows - 1) / (sheetColumns * sheetRows)
	title := v.mediaOf(len(items)) + " · " + strings.Join(v.chosenWords(), " · ")
	what := fmt.Sprintf("%s on %s", v.mediaOf(len(items)), sheetsOf(sheets))
	if sheets > mostSheets {
		sheets = mostSheets
		items = items[:sheets*sheetColumns*sheetRows]
		what = fmt.Sprintf("the first %s, as many as %s hold; filter for the others:", v.mediaOf(len(items)),
			sheetsOf(sheets))
	}
	set, classes := v.loaded, v.standsOut()
	decode, write := v.control.Picture, v.control.WriteSheet
	legend := v.legend()
	captions := make([][]string, len(items))
	for place, i := range items {
		captions[place] = []string{widget.Clean(v.set.Items[i].ID), v.holds(i, classes)}
	}
	folder := filepath.Join(config.Exports(v.file.Root), "samples-"+time.Now().Format("20060102-150405"))
	return views.Ask(&v.saving, func(ctx context.Context) (saved, error) {
		for n := range sheets {
			from := n * sheetColumns * sheetRows
			to := min(from+sheetColumns*sheetRows, len(items))
			sheet := media.Sheet{Title: title, Legend: legend, Columns: sheetColumns, W: sheetSide, H: sheetSide}
			if sheets > 1 {
				sheet.Title += fmt.Sprintf(" · sheet %d of %d", n+1, sheets)
			}
			for place := from; place < to; place++ {
				if err := ctx.Err(); err != nil {
					return saved{}, err
				}
				sheet.Cells = append(sheet.Cells, media.Cell{Picture: set.marked(items[place], decode),
					Caption: captions[place]})
			}
			if err := write(filepath.Join(folder, fmt.Sprintf("sheet-%02d.png", n+1)), sheet); err != nil {
				return saved{}, err
			}
		}
		return saved{what, folder}, nil
	})
}

func sheetsOf(n int) string {
	if n == 1 {
		return "1 sheet"
	}
	return widget.Count(n) + " sheets"
}

// marked is an item's picture with its objects outlined, small; nil where there is none.
func (l *loaded) marked(i int, decode Decoder) *media.Picture {
	item := &l.set.Items[i]
	picture, err := decode(item.Media)
	if err != nil {
		return nil
	}
	return media.Fit(media.Objects(picture, item.Objects, func(o data.Object) color.RGBA { return l.colour(o.Class) }),
		sheetSide, sheetSide)
}

// legend says what the colours of the outlines mean: the conditions, or the classes where these tell nothing apart.
func (v *samples) legend() (list []media.Meaning) {
	said := map[string]bool{}
	for _, class := range v.analysis.Whole.ByCount() {
		name := v.set.Classes[class].Condition
		if v.coloursByClass() {
			name = v.set.Classes[class].Name
		}
		if !said[name] {
			said[name] = true
			list = append(list, media.Meaning{Colour: v.colour(class), Text: widget.Clean(name)})
		}
	}
	return list
}
