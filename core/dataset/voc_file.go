package dataset

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/level"
)

// vocFile is one annotation file.
type vocFile struct {
	filename string
	size     pixelSize
	objects  []Object // with coordinates in pixels, and the place in names as the class
	names    []string
	findings []Finding
}

func (f *vocFile) empty() bool { return len(f.objects) == 0 && len(f.findings) == 0 }

// vocObject is an object as it is written.
type vocObject struct {
	Name string `xml:"name"`
	Box  *struct {
		X0 string `xml:"xmin"`
		Y0 string `xml:"ymin"`
		X1 string `xml:"xmax"`
		Y1 string `xml:"ymax"`
	} `xml:"bndbox"`
}

// readVOC reads an annotation file; what is wrong with it is among its findings.
func readVOC(path, short string) vocFile {
	text, note, err := readTextAnyhow(path, short)
	if err != nil {
		return vocFile{findings: []Finding{newFinding(UnreadableLabel, short, 0, "%v", bare(err))}}
	}
	f := parseVOC(text, short)
	if note.Code != "" {
		f.findings = append(f.findings, note)
	}
	return f
}

func parseVOC(text, short string) (f vocFile) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it has been decoded
	for {
		token, err := d.Token()
		line, _ := d.InputPos()
		if errors.Is(err, io.EOF) {
			return f
		}
		if err == nil {
			if start, is := token.(xml.StartElement); is {
				err = f.take(d, start, line, short)
			}
		}
		if err != nil {
			why := strings.TrimPrefix(err.Error(), "XML syntax error on ")
			f.findings = append(f.findings, newFinding(BrokenXML, short, line, "is no XML from here on: %s",
				readable(why)))
			return f
		}
	}
}

// take reads an element that counts; what lies in others is looked into.
func (f *vocFile) take(d *xml.Decoder, start xml.StartElement, line int, short string) (err error) {
	switch strings.ToLower(start.Name.Local) {
	case "filename":
		err = d.DecodeElement(&f.filename, &start)
		f.filename = rawBytes(strings.TrimSpace(f.filename))
	case "size":
		var size struct {
			Width  string `xml:"width"`
			Height string `xml:"height"`
		}
		err = d.DecodeElement(&size, &start)
		pixels := func(text string) int {
			if v, code := parseNumber(strings.TrimSpace(text)); code == "" && v >= 1 && v < 1<<30 {
				return int(v)
			}
			return 0
		}
		f.size = pixelSize{pixels(size.Width), pixels(size.Height)}
	case "object":
		var o vocObject
		if err = d.DecodeElement(&o, &start); err == nil {
			f.add(o, line, short)
		}
	}
	return err
}

// add takes an object. Corners are counted from 1, and both belong to the box.
func (f *vocFile) add(o vocObject, line int, short string) {
	name := strings.TrimSpace(o.Name)
	if name == "" {
		f.findings = append(f.findings, newFinding(ClassOutOfRange, short, line, "an object without a name").
			as(level.Error, "write its name; it does not count"))
		return
	}
	if hasHidden(name) {
		name = readable(name)
		f.findings = append(f.findings, newFinding(NotUTF8, short, line, "the name of an object is not UTF-8 text: %s",
			name).
			as(level.Warn, "save the file as UTF-8 text; its bytes are shown as \\xA4"))
	}
	class := slices.Index(f.names, name)
	if class < 0 {
		class = len(f.names)
		f.names = append(f.names, name)
	}
	object := Object{Class: class, Line: line, Confidence: 1, Box: noBox}
	if o.Box != nil {
		var v [4]float64
		for i, text := range []string{o.Box.X0, o.Box.Y0, o.Box.X1, o.Box.Y1} {
			number, code := parseNumber(strings.TrimSpace(text))
			if code != "" {
				f.findings = append(f.findings, newFinding(code, short, line, "%s is no plain number: %s",
					[]string{"xmin", "ymin", "xmax", "ymax"}[i], quote(readable(text))).
					as(level.Error, "write a plain decimal number; this object does not count"))
				return
			}
			v[i] = number
		}
		object.Box = Box{v[0] - min(1, max(v[0], 0)), v[1] - min(1, max(v[1], 0)), v[2], v[3]}
	}
	f.objects = append(f.objects, object)
}

// takeClasses makes one list of all names: that of labelmap.txt, and the others in their order.
func (b *vocListing) takeClasses() {
	used := map[string]bool{}
	for i := range b.files {
		for _, name := range b.files[i].names {
			used[name] = true
		}
	}
	at := map[string]int{}
	add := func(name string) {
		if _, there := at[name]; !there {
			at[name] = len(b.names)
			b.names = append(b.names, name)
		}
	}
	if text, _, err := readTextAnyhow(filepath.Join(b.root, "labelmap.txt"), ""); err == nil {
		for line := range strings.Lines(text) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			name = readable(strings.TrimSpace(name))
			if name != "" && !strings.HasPrefix(name, "#") && (used[name] || name != "background") {
				add(name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		add(name)
	}
	for i := range b.files {
		f := &b.files[i]
		for o := range f.objects {
			f.objects[o].Class = at[f.names[f.objects[o].Class]]
		}
	}
}

// locate finds the picture of an annotation: by its own name, or else by the one that it tells.
func (b *vocListing) locate(item *Item, file *vocFile) (media string, said []Finding) {
	folder := filepath.Dir(item.Labels)
	short := b.short(item.Labels)
	stem := strings.TrimSuffix(filepath.Base(item.Labels), filepath.Ext(item.Labels))
	var bases []string
	if b.media != "" {
		bases = append(bases, b.media)
	}
	up := filepath.Dir(folder)
	bases = append(bases, filepath.Join(up, "JPEGImages"), filepath.Join(up, "images"), folder,
		filepath.Join(b.root, "JPEGImages"), filepath.Join(b.root, "images"), b.root)
	for _, base := range bases {
		for _, ending := range pictureEndings {
			for _, path := range []string{filepath.Join(base, stem+ending),
				filepath.Join(base, stem+strings.ToUpper(ending))} {
				if _, err := os.Stat(path); err != nil {
					continue
				}
				told := strings.TrimSuffix(file.filename, filepath.Ext(file.filename))
				if told != "" && fold(told) != fold(stem) {
					said = append(said, newFinding(OtherPicture, short, 0, "names the picture %s; %s is taken",
						quote(readable(file.filename)), b.short(path)))
				}
				return path, said
			}
		}
	}
	if file.filename != "" {
		w := parseWritten(file.filename)
		for _, base := range bases {
			if path := filepath.Join(base, filepath.Join(w.up()...)); len(w.up()) > 0 && isFile(path) {
				return path, nil
			}
		}
		w.absolute = true // a bare name is enough where one picture has it
		if path := b.places.byEnd(w); path != "" {
			return path, nil
		}
	}
	return "", []Finding{newFinding(MissingImage, short, 0, "there is no picture %s", quote(readable(stem))).
		as(level.Error, "add the picture, or name its folder in DATASET.MEDIA; its objects count, but nothing can be "+
			"trained on it")}
}
