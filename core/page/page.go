// Package page is a report for a reader: a list of headings, paragraphs, tables and drawings, written as Markdown and
// as one HTML file that runs no script and fetches nothing. Both are made of the same blocks, so they say the same.
// What stands in them may come from a file: it is made printable and escaped here.
package page

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"finetui/core/printable"
)

// Page is a report under way. Its zero value with a Title is ready.
type Page struct {
	Title  string
	blocks []block
}

// block is a part of a page.
type block interface {
	markdown(b *strings.Builder)
	html(b *strings.Builder)
}

func (p *Page) add(b block) { p.blocks = append(p.blocks, b) }

// Section begins a chapter, Part a part of one: both stand in the table of contents.
func (p *Page) Section(title string) { p.add(&heading{level: 2, title: title, id: p.id()}) }

// Part begins a part of a section.
func (p *Page) Part(title string) { p.add(&heading{level: 3, title: title, id: p.id()}) }

func (p *Page) id() string { return fmt.Sprintf("s%d", len(p.blocks)+1) }

// Say adds a paragraph. What stands between two backticks is code.
func (p *Page) Say(format string, args ...any) { p.add(paragraph(fmt.Sprintf(format, args...))) }

// List adds a list; nothing where it is empty.
func (p *Page) List(items ...string) {
	if len(items) > 0 {
		p.add(list(items))
	}
}

// Table adds a table, its head first. The rows have equally many cells.
func (p *Page) Table(rows [][]string) { p.add(table(rows)) }

// Plain adds text as it is, line by line, in letters of one width.
func (p *Page) Plain(text string) { p.add(plain(text)) }

// Draw adds a drawing.
func (p *Page) Draw(d Drawing) { p.add(&figure{d, fmt.Sprintf("f%d", len(p.blocks)+1)}) }

// Markdown is the page as Markdown; of a drawing what it shows in text.
func (p *Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", Heading(p.Title))
	for _, block := range p.blocks {
		b.WriteByte('\n')
		block.markdown(&b)
	}
	return b.String()
}

// Heading is the first line of a page's Markdown, without its end.
func Heading(title string) string { return "# " + marked(title) }

type heading struct {
	level     int
	title, id string
}

func (h *heading) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "%s %s\n", strings.Repeat("#", h.level), marked(h.title))
}

func (h *heading) html(b *strings.Builder) {
	fmt.Fprintf(b, "<h%d id=\"%s\">%s</h%[1]d>\n", h.level, h.id, escaped(h.title))
}

type paragraph string

func (t paragraph) markdown(b *strings.Builder) { b.WriteString(marked(string(t)) + "\n") }
func (t paragraph) html(b *strings.Builder)     { b.WriteString("<p>" + escaped(string(t)) + "</p>\n") }

type list []string

func (l list) markdown(b *strings.Builder) {
	for _, item := range l {
		b.WriteString("- " + marked(item) + "\n")
	}
}

func (l list) html(b *strings.Builder) {
	b.WriteString("<ul>\n")
	for _, item := range l {
		b.WriteString("<li>" + escaped(item) + "</li>\n")
	}
	b.WriteString("</ul>\n")
}

type table [][]string

func (t table) markdown(b *strings.Builder) {
	for i, row := range t {
		for _, cell := range row {
			b.WriteString("| " + strings.ReplaceAll(marked(cell), "|", `\|`) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
}

// figured are cells that hold a number, or nothing.
var figured = regexp.MustCompile(`^(|–|(p )?[<+−-]? ?[0-9].*)$`)

func (t table) html(b *strings.Builder) {
	numeric := make([]bool, len(t[0]))
	for c := range numeric {
		numeric[c] = c > 0
		for _, row := range t[1:] {
			numeric[c] = numeric[c] && figured.MatchString(row[c]) && len(row[c]) < 40
		}
	}
	class := func(c int) string {
		if numeric[c] {
			return ` class="n"`
		}
		return ""
	}
	b.WriteString("<div class=\"scroll\"><table>\n<thead><tr>")
	for c, cell := range t[0] {
		fmt.Fprintf(b, "<th scope=\"col\"%s>%s</th>", class(c), escaped(cell))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range t[1:] {
		b.WriteString("<tr>")
		for c, cell := range row {
			if c == 0 {
				fmt.Fprintf(b, "<th scope=\"row\">%s</th>", escaped(cell))
				continue
			}
			fmt.Fprintf(b, "<td%s>%s</td>", class(c), escaped(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div>\n")
}

type plain string

func (t plain) text() string { return strings.TrimRight(printable.Text(string(t)), "\n") }

func (t plain) markdown(b *strings.Builder) {
	fence := "```"
	for strings.Contains(string(t), fence) {
		fence += "`"
	}
	fmt.Fprintf(b, "%s\n%s\n%s\n", fence, t.text(), fence)
}

func (t plain) html(b *strings.Builder) {
	fmt.Fprintf(b, "<pre tabindex=\"0\">%s</pre>\n", html.EscapeString(t.text()))
}

// marks are what Markdown would take for its own.
var marks = strings.NewReplacer("<", "&lt;", "*", `\*`, "[", `\[`)

// marked is a text in Markdown: printable, and nothing of it acts but the marks of code.
func marked(text string) string {
	return inCode(printable.Line(text), marks.Replace, func(code string) string { return "`" + code + "`" })
}

// escaped is a text in HTML.
func escaped(text string) string {
	return inCode(printable.Line(text), html.EscapeString, func(code string) string {
		return "<code>" + html.EscapeString(code) + "</code>"
	})
}

// inCode takes a text apart at its backticks; a single one stands for itself.
func inCode(text string, outside, code func(string) string) string {
	parts := strings.Split(text, "`")
	var b strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0:
			b.WriteString(outside(part))
		case i == len(parts)-1:
			b.WriteString(outside("'" + part))
		default:
			b.WriteString(code(part))
		}
	}
	return b.String()
}
