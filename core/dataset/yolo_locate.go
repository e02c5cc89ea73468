package dataset

import (
	"os"
	"path/filepath"
	"strings"
)

// locate finds what a path in data.yaml means. Roboflow writes ../train/images for a folder beside data.yaml, so that
// comes first; or it puts the name of the set's own folder before; a path of another machine is looked for by its end,
// and moved says so.
func (p *yoloPlan) locate(path string) (found string, moved bool) {
	path = strings.TrimSpace(path)
	bases := p.yamlBases()
	if filepath.IsAbs(path) {
		if exists(path) {
			return path, false
		}
	} else {
		within := filepath.Join(parseWritten(filepath.ToSlash(path)).up()...)
		for _, base := range bases {
			for _, candidate := range []string{filepath.Join(base, within), filepath.Join(base, path)} {
				if exists(candidate) {
					return candidate, false
				}
			}
		}
	}
	w := parseWritten(path)
	parts := w.up()
	for skip := range parts {
		if skip > 0 && !w.absolute && !(skip == 1 && p.ownName(parts[0])) {
			break
		}
		for _, base := range bases {
			if candidate := filepath.Join(base, filepath.Join(parts[skip:]...)); exists(candidate) {
				return candidate, skip != 1 || w.absolute
			}
		}
	}
	return "", false
}

// yamlBases are the folders that paths in data.yaml may start from.
func (p *yoloPlan) yamlBases() []string {
	bases := []string{p.root}
	if p.yaml != nil && p.yaml.base != "" {
		base := below(p.root, filepath.FromSlash(p.yaml.base))
		if w := parseWritten(p.yaml.base); w.foreign && !isFolder(base) {
			base = filepath.Join(p.root, filepath.Join(w.parts...))
		}
		bases = []string{base, p.root}
	}
	if p.media != "" {
		bases = append(bases, p.media)
	}
	return bases
}

// ownName tells whether a name is that of the set's own folder.
func (p *yoloPlan) ownName(name string) bool {
	root, err := filepath.Abs(p.root)
	if err == nil && name == filepath.Base(root) {
		return true
	}
	if p.yaml == nil || p.yaml.base == "" {
		return false
	}
	parts := parseWritten(p.yaml.base).parts
	return len(parts) > 0 && parts[len(parts)-1] == name
}

// findPicture finds the picture that a line of a list means; "" where there is none or it is not certain which.
// otherwise says that the line had to be read otherwise than it stands.
func (l *yoloListing) findPicture(line, from string) (path string, otherwise bool) {
	w := parseWritten(line)
	var candidates []string
	if !w.foreign {
		candidates = []string{below(from, line), below(l.plan.root, line)}
	}
	for _, path := range candidates {
		if exists(path) && !isFolder(path) {
			return path, false
		}
	}
	for _, path := range candidates {
		if target := l.behindTextLink(path); target != "" {
			l.behind[path] = target
			return path, false
		}
	}
	for _, base := range append([]string{from}, l.plan.yamlBases()...) {
		if path := filepath.Join(base, filepath.Join(w.up()...)); !w.absolute && isFile(path) {
			return path, w.foreign
		}
	}
	return l.pictures.byEnd(w), true
}

// behindTextLink is the picture at a path on whose way a small text file stands in place of a link to a folder, as git
// leaves it where links cannot be made; "" where it is none.
func (l *yoloListing) behindTextLink(path string) string {
	const longest = 4 << 10 // bytes of a path
	for link := filepath.Dir(path); len(link) >= len(l.plan.root) &&
		link != filepath.Dir(link); link = filepath.Dir(link) {
		target, known := l.textLinks[link]
		if !known {
			if info, err := os.Stat(link); err == nil && info.Mode().IsRegular() && info.Size() <= longest {
				if text, err := readText(link); err == nil && !filepath.IsAbs(text) &&
					isFolder(filepath.Join(filepath.Dir(link), filepath.FromSlash(text))) {
					target = filepath.Join(filepath.Dir(link), filepath.FromSlash(text))
					l.findings = append(l.findings, newFinding(TextLink, l.plan.short(link), 0,
						"a text file stands in place of a link to %s", quote(readable(text))))
				}
			}
			l.textLinks[link] = target
		}
		if rest, err := filepath.Rel(link, path); target != "" && err == nil && isFile(filepath.Join(target, rest)) {
			return filepath.Join(target, rest)
		}
	}
	return ""
}

// underImages tells whether a path has a folder images.
func underImages(path string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if strings.EqualFold(part, "images") {
			return true
		}
	}
	return false
}
