package page

import (
	"fmt"
	"html"
	"strings"

	"finetui/core/printable"
)

// Doctype is how the HTML of a page begins.
const Doctype = "<!doctype html>\n<!-- written by finetui -->\n"

// HTML is the page as one file: with a table of contents, its drawings in it, light or dark as the reader's screen is.
func (p *Page) HTML() string {
	var b strings.Builder
	title := html.EscapeString(printable.Line(p.Title))
	b.WriteString(Doctype + `<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>` + title + "</title>\n<style>\n" + style + "</style>\n</head>\n<body>\n<main>\n<h1>" + title + "</h1>\n")
	first := len(p.blocks) // what stands before the first heading comes before the contents
	for i, block := range p.blocks {
		if _, ok := block.(*heading); ok {
			first = i
			break
		}
		block.html(&b)
	}
	p.contents(&b)
	for _, block := range p.blocks[first:] {
		block.html(&b)
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

// contents are the headings, each a link.
func (p *Page) contents(b *strings.Builder) {
	b.WriteString("<nav aria-label=\"Contents\">\n<ol>\n")
	open := false // a section's item, and the list of its parts
	parts := false
	end := func() {
		if parts {
			b.WriteString("</ol>")
		}
		if open {
			b.WriteString("</li>\n")
		}
		open, parts = false, false
	}
	for _, block := range p.blocks {
		h, ok := block.(*heading)
		if !ok {
			continue
		}
		link := fmt.Sprintf("<a href=\"#%s\">%s</a>", h.id, escaped(h.title))
		if h.level == 2 || !open {
			end()
			b.WriteString("<li>" + link)
			open = true
			continue
		}
		if !parts {
			b.WriteString("<ol>")
			parts = true
		}
		b.WriteString("<li>" + link + "</li>")
	}
	end()
	b.WriteString("</ol>\n</nav>\n")
}

// style is all that the page looks like. Series of a drawing are told apart by colour, shape and dashes.
const style = `:root { --ink: #1a202c; --soft: #556070; --paper: #ffffff; --band: #f3f5f8; --line: #d5dbe3;
  --link: #0b5cad; --s0: #5b6472; --s1: #0b6fb8; --s2: #b45309; --s3: #0f7a4d; --s4: #8b2fa8; --heat: #0b6fb8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #a3aebd; --paper: #14181f; --band: #1d232d; --line: #364152; --link: #7cb8f2;
    --s0: #aab4c2; --s1: #63b3ed; --s2: #f2a65a; --s3: #5fce94; --s4: #d79bea; --heat: #3b8fd0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: .5rem 0 1rem; }
h2 { font-size: 1.4rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .25rem; }
p, ul { max-width: 46rem; margin: .6rem 0; }
a { color: var(--link); }
code { font: .9em ui-monospace, monospace; background: var(--band); padding: .05em .3em; border-radius: .2em; }
pre { font: .8rem/1.4 ui-monospace, monospace; background: var(--band); padding: .75rem 1rem; overflow-x: auto;
  border-radius: .3rem; }
nav { background: var(--band); border-radius: .4rem; padding: .75rem 1rem; margin: 1.25rem 0; }
nav ol { margin: 0; padding-left: 1.4rem; } nav ol ol { padding-left: 1.2rem; font-size: .92em; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--soft); } tbody th { font-weight: 600; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
figure { margin: 1.25rem 0; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .88rem; max-width: 46rem; margin-top: .3rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .bold { font-weight: 600; } svg .small { font-size: 11px; }
svg .end { text-anchor: end; } svg .mid { text-anchor: middle; }
svg .axis { stroke: var(--soft); fill: none; } svg .grid { stroke: var(--line); fill: none; }
svg .s0 { stroke: var(--s0); fill: var(--s0); } svg .s1 { stroke: var(--s1); fill: var(--s1); }
svg .s2 { stroke: var(--s2); fill: var(--s2); } svg .s3 { stroke: var(--s3); fill: var(--s3); }
svg .s4 { stroke: var(--s4); fill: var(--s4); }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; } svg .range { stroke-width: 2; }
svg .cell { fill: var(--heat); } svg .frame { fill: none; stroke: var(--line); } svg .onheat { fill: #ffffff; }
@media print { nav { display: none; } main { max-width: none; } }
`
