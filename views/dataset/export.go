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
	"finetui/core/recipe"
	"finetui/ml/picture"
	"finetui/views"
	"finetui/views/widget"
)

// saved is what was exported, and where to.
type saved struct{ what, path string }

// export writes dataset_analysis.json: the counts, positions, pairs and findings of the whole set and of each split.
func (p *Pane) export() tea.Cmd {
	path, analysis := p.file.Abs(p.loaded.cfg.Analysis), p.analysis
	if path == "" {
		return views.Warn("DATASET.ANALYSIS is empty: set it to the file that is to be written")
	}
	return views.Ask(&p.saving, func(context.Context) (saved, error) {
		return saved{"every number and finding", path}, analysis.WriteJSON(path)
	})
}

func (p *Pane) saved(msg views.Answer[saved]) tea.Cmd {
	if !p.saving.Takes(msg.Ticket) {
		return nil
	}
	p.saving.Close()
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	return views.Say("wrote %s to %s", msg.Value.what, p.relative(msg.Value.path))
}

// relative is a path as the project's folder sees it.
func (p *Pane) relative(path string) string {
	if rest, below := strings.CutPrefix(path, p.file.Root+"/"); below {
		return rest
	}
	return path
}

// The shape of an exported contact sheet: pictures beside and below each other, their largest
// side in pixels, and how many sheets are written at most.
const (
	sheetColumns = 6
	sheetRows    = 5
	sheetSide    = 260
	mostSheets   = 40
)

// exportSheet writes all pictures that pass to contact sheets beside the runs, with the outlines of their objects.
func (p *Pane) exportSheet() tea.Cmd {
	items := slices.Clone(p.samples.items)
	sheets := (len(items) + sheetColumns*sheetRows - 1) / (sheetColumns * sheetRows)
	title := picturesOf(len(items)) + " · " + strings.Join(p.chosenWords(), " · ")
	what := fmt.Sprintf("%s on %s", picturesOf(len(items)), sheetsOf(sheets))
	if sheets > mostSheets {
		sheets = mostSheets
		items = items[:sheets*sheetColumns*sheetRows]
		what = fmt.Sprintf("the first %s, as many as %s hold; filter for the others:", picturesOf(len(items)),
			sheetsOf(sheets))
	}
	set, classes := p.loaded, p.standsOut()
	legend := p.legend()
	captions := make([][]string, len(items))
	for place, i := range items {
		captions[place] = []string{widget.Clean(p.set.Items[i].ID), p.holds(i, classes)}
	}
	folder := filepath.Join(config.Exports(p.file.Root), "samples-"+time.Now().Format("20060102-150405"))
	return views.Ask(&p.saving, func(ctx context.Context) (saved, error) {
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
				sheet.Cells = append(sheet.Cells, media.Cell{Picture: set.marked(items[place]),
					Caption: captions[place]})
			}
			if err := sheet.WritePNG(filepath.Join(folder, fmt.Sprintf("sheet-%02d.png", n+1))); err != nil {
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
func (l *loaded) marked(i int) *picture.RGB {
	item := &l.set.Items[i]
	picture, err := decoded.Decode(item.Media)
	if err != nil {
		return nil
	}
	return media.Fit(media.Objects(picture, item.Objects, func(o data.Object) color.RGBA { return l.colour(o.Class) }),
		sheetSide, sheetSide)
}

// legend says what the colours of the outlines mean: the conditions, or the classes where these tell nothing apart.
func (p *Pane) legend() (list []media.Meaning) {
	said := map[string]bool{}
	for _, class := range p.analysis.Whole.ByCount() {
		name := p.set.Classes[class].Condition
		if p.coloursByClass() {
			name = p.set.Classes[class].Name
		}
		if !said[name] {
			said[name] = true
			list = append(list, media.Meaning{Colour: p.colour(class), Text: widget.Clean(name)})
		}
	}
	return list
}

// copy puts what the view shows into the clipboard, as lines of cells with tabs between, for a spreadsheet.
func (p *Pane) copy() tea.Cmd {
	var rows [][]string
	switch p.open {
	case overviewView:
		rows = p.classRows()
	case positionView:
		rows = p.positionRows()
	case pairsView:
		rows = p.pairRows()
	case recipeView:
		rows = p.massRowsText()
	case samplesView:
		rows = p.sampleRows()
	case findingsView:
		rows = p.findingRows()
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		for j := range row {
			row[j] = widget.Clean(row[j])
		}
		lines[i] = strings.Join(row, "\t")
	}
	return views.Copy(strings.Join(lines, "\n") + "\n")
}

func (p *Pane) classRows() [][]string {
	part := p.part()
	rows := [][]string{{"class", "object", "condition", "objects", "pictures"}}
	for _, i := range p.order() {
		class := p.set.Classes[i]
		rows = append(rows, []string{class.Name, class.Object, class.Condition, fmt.Sprint(part.ClassCounts[i]),
			fmt.Sprint(part.ImagesWithClass[i])})
	}
	return rows
}

func (p *Pane) positionRows() [][]string {
	rows := [][]string{{"class", "n", "mean", "sd", "min", "q25", "median", "q75", "max", "band"}}
	for _, i := range p.order() {
		row := []string{p.set.Classes[i].Name}
		for j, cell := range positionRow(*p.part(), i, false) {
			if j > 0 { // the split is the same in all rows
				row = append(row, cell.Text)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (p *Pane) pairRows() [][]string {
	rows := [][]string{{"A", "B", "pairs", "pictures", "lift", "A above B", "level", "A below B", "A left of B",
		"aligned", "A right of B"}}
	for _, c := range p.pairs.list {
		d := p.relation(c.A, c.B)
		lift := ""
		if c.Lifted {
			lift = fmt.Sprintf("%.3f", c.Lift)
		}
		rows = append(rows, []string{p.set.Classes[c.A].Name, p.set.Classes[c.B].Name, fmt.Sprint(c.Pairs),
			fmt.Sprint(c.Images), lift,
			fmt.Sprint(d.Above), fmt.Sprint(d.Level), fmt.Sprint(d.Below), fmt.Sprint(d.Left), fmt.Sprint(d.Aligned),
			fmt.Sprint(d.Right)})
	}
	return rows
}

func (p *Pane) massRowsText() [][]string {
	rows := [][]string{{"class", "n", "copies", "samples", "weight", "share before", "share of samples",
		"share of loss"}}
	if p.recipe.weighed == nil {
		return rows
	}
	add := func(name string, r recipe.Row) {
		rows = append(rows, []string{name, fmt.Sprint(r.N), fmt.Sprintf("%.4g", r.Copies),
			fmt.Sprintf("%.1f", r.Samples), r.Weight.String(),
			fmt.Sprintf("%.4f", r.ShareBefore), fmt.Sprintf("%.4f", r.ShareSamples), fmt.Sprintf("%.4f", r.ShareMass)})
	}
	table := p.recipe.weighed.table
	for _, row := range table.Classes {
		add(row.Class, row)
	}
	for _, row := range table.Conditions {
		add("all "+row.Condition, row)
	}
	return rows
}

func (p *Pane) sampleRows() [][]string {
	rows := [][]string{{"picture", "split", "width", "height", "objects", "file"}}
	for _, i := range p.samples.items {
		item := &p.set.Items[i]
		rows = append(rows, []string{item.ID, item.Split, fmt.Sprint(item.Width), fmt.Sprint(item.Height),
			fmt.Sprint(len(item.Objects)), item.Media})
	}
	return rows
}

func (p *Pane) findingRows() [][]string {
	rows := [][]string{{"level", "code", "file", "line", "text", "do"}}
	for _, group := range p.findings.groups {
		for _, f := range group.all {
			rows = append(rows, []string{f.Level, f.Code, f.File, fmt.Sprint(f.Line), f.Text, f.Do})
		}
	}
	return rows
}
