package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/level"
)

// Cause is one thing that is wrong with a data set, in as many places as it is: its Finding is that of the first place,
// with a Text and a Do about all of them and their Count.
type Cause struct {
	Finding
	Places []Place `json:"places,omitempty"` // the first mostPlaces, where there are several
	Likely bool    `json:"likely,omitempty"` // Text says what is likely behind all of them
}

// Place is where something is wrong.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

// mostPlaces are listed of a cause; its Count is of all.
const mostPlaces = 100

func (p Place) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return p.File
}

// Also names a few places beyond the first; "" where there is one.
func (c Cause) Also() string {
	const shown = 3
	if len(c.Places) < 2 {
		return ""
	}
	var words []string
	for _, place := range c.Places[1:] {
		words = append(words, place.String())
	}
	more := c.Count - 1 - min(shown, len(words))
	list := strings.Join(words[:min(shown, len(words))], ", ")
	if more > 0 {
		return fmt.Sprintf("%s and %d more", list, more)
	}
	return list
}

// counted are the codes of which many places have one cause, and what a place is.
var counted = map[string][2]string{
	TooFewFields: {"row", "rows"}, OddPolygon: {"row", "rows"}, ClassOutOfRange: {"row", "rows"},
	ClassNotInteger: {"row", "rows"},
	NotANumber:      {"row", "rows"}, NotFinite: {"row", "rows"}, ValueOutOfRange: {"row", "rows"},
	ZeroSize:    {"row", "rows"},
	BoxPastEdge: {"row", "rows"}, OutlinePastEdge: {"row", "rows"}, PoseLength: {"row", "rows"},
	PointPastEdge: {"row", "rows"},
	DuplicateRow:  {"row", "rows"}, NonASCIISpace: {"row", "rows"}, MoreFaults: {"row", "rows"},
	NotUTF8:   {"place", "places"},
	MixedRows: {"label file", "label files"}, ByteOrderMark: {"file", "files"}, CarriageReturn: {"file", "files"},
	UTF16:          {"file", "files"},
	EmptyLabelFile: {"label file", "label files"}, UnreadableLabel: {"label file", "label files"},
	LabelIsAFolder: {"label file", "label files"},
	MissingLabel:   {"picture", "pictures"}, SharedLabel: {"picture", "pictures"}, MissingImage: {"picture",
		"pictures"},
	UnreadableImage: {"picture", "pictures"}, SameImage: {"picture", "pictures"}, SameImageOtherLabels: {"picture",
		"pictures"},
	DarkPicture: {"picture", "pictures"}, DeepPicture: {"picture", "pictures"}, PictureTooLong: {"picture", "pictures"},
	SameSource: {"picture", "pictures"}, NameNotUTF8: {"picture", "pictures"}, LabelEnding: {"label file",
		"label files"},
	UnreadableClip: {"clip", "clips"},
	MissingClip:    {"clip", "clips"}, RepeatedClip: {"record", "records"}, NoLabel: {"record", "records"},
	BadRecord: {"record", "records"}, SeveralFiles: {"record", "records"}, NoFile: {"record", "records"},
	NotHere: {"record", "records"}, NoMark: {"record", "records"}, NothingLearned: {"record", "records"},
	SeveralTurns: {"record", "records"},
	SystemTurn:   {"record", "records"}, ScaledAnswer: {"record", "records"}, RepeatedPair: {"record", "records"},
	NoPath: {"record", "records"}, BadTimes: {"record", "records"}, LabelNoPrefix: {"label", "labels"},
	GroupParted: {"participant", "participants"},
	BrokenXML:   {"file", "files"}, OtherPicture: {"file", "files"},
	UnknownImage: {"annotation", "annotations"}, UnknownSize: {"annotation", "annotations"},
	NoBox: {"annotation", "annotations"}, BadMask: {"mask", "masks"}, DuplicateID: {"id", "ids"},
	CrowdRegion: {"region", "regions"}, OtherAnnotations: {"file", "files"},
	SizeDiffers: {"picture", "pictures"}, TurnedLabels: {"picture", "pictures"},
	LabelCase: {"label file", "label files"}, LabelsBeside: {"folder", "folders"}, UnreadableFolder: {"folder",
		"folders"},
}

// Causes sums findings up: those of one code, level and remedy are one cause, in the order in which they come up.
func Causes(findings []Finding) (causes []Cause) {
	type key struct {
		code  string
		level level.Level
		do    string
	}
	only, more := onlyFaults(findings), map[key]int{}
	at := map[key]int{}
	files := map[key]map[string]bool{}
	for _, f := range findings {
		if one := only[f.File]; f.Code == MoreFaults && one != nil {
			if one.Code != MoreFaults {
				more[key{one.Code, one.Level, one.Do}] += max(1, f.Count)
				continue
			}
		}
		k := key{f.Code, f.Level, f.Do}
		_, many := counted[f.Code]
		i, there := at[k]
		if !many || !there {
			at[k] = len(causes)
			i = len(causes)
			files[k] = map[string]bool{}
			causes = append(causes, Cause{Finding: f})
			causes[i].Count = 0
		}
		c := &causes[i]
		c.Count += max(1, f.Count)
		files[k][f.File] = true
		if len(c.Places) < mostPlaces {
			c.Places = append(c.Places, Place{f.File, f.Line})
		}
	}
	for i := range causes {
		c := &causes[i]
		c.Count += more[key{c.Code, c.Level, c.Do}]
		if c.Count < 2 || len(c.Places) < 2 {
			c.Places = nil
			continue
		}
		what := counted[c.Code]
		many := Counted(c.Count, what[0], what[1])
		if n := len(files[key{c.Code, c.Level, c.Do}]); n < c.Count {
			many += " in " + Counted(n, "file", "files")
		}
		c.Text = many + ", the first: " + c.Text
	}
	return causes
}

// onlyFaults is, for each file of which not all faults are listed,
// the first of them where all have one code and remedy.
func onlyFaults(findings []Finding) map[string]*Finding {
	var only map[string]*Finding
	for _, f := range findings {
		if f.Code == MoreFaults {
			if only == nil {
				only = map[string]*Finding{}
			}
			only[f.File] = nil
		}
	}
	if only == nil {
		return nil
	}
	for i := range findings {
		f := &findings[i]
		first, cut := only[f.File]
		switch {
		case !cut || f.Level != level.Error || f.Code == MoreFaults || counted[f.Code][0] != "row":
		case first == nil:
			only[f.File] = f
		case first.Code != f.Code || first.Do != f.Do:
			only[f.File] = &Finding{Code: MoreFaults, Level: level.Error, Do: rulings[MoreFaults].do}
		}
	}
	return only
}

// Causes is what is wrong with the set, each cause once, worst first, with what the whole of the set says about it.
func (d *Dataset) Causes() []Cause {
	causes := Causes(d.Findings)
	for i := range causes {
		switch c := &causes[i]; c.Code {
		case ClassOutOfRange:
			d.explainIDs(c)
		case MissingLabel:
			d.explainMissing(c)
		case BoxPastEdge:
			d.explainCorners(c)
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return a.Level.Severity() - b.Level.Severity() })
	return causes
}

// RowCount is how many rows the label files have, and how many of them do not count.
func (d *Dataset) RowCount() (filled, lost int) {
	for i := range d.Items {
		filled += int(d.Items[i].Rows.Filled)
		lost += int(d.Items[i].Rows.Lost)
	}
	return filled, lost
}

// explainIDs says what is likely where ids lie past the list of names.
func (d *Dataset) explainIDs(c *Cause) {
	top, zeros, others := -1, 0, 0
	for i := range d.Items {
		item := &d.Items[i]
		top = max(top, int(item.Rows.TopID))
		for _, object := range item.Objects {
			if object.Class == 0 {
				zeros++
			} else {
				others++
			}
		}
	}
	n := len(d.Classes)
	filled, _ := d.RowCount()
	switch {
	case n > 0 && top == n && zeros == 0 && (others > 0 || n == 1):
		c.Text = fmt.Sprintf("ids begin with 1: every row of id %d is lost, and id 0 never occurs; %d of %s do not "+
			"count, and the others count for the class after their own",
			top, c.Count, Counted(filled, "row", "rows"))
		c.Likely = true
		c.Do = "subtract 1 from the ids in all label files, or put a name before the others in data.yaml"
	case n > 0 && top >= n && top < 10*n+100:
		c.Text = fmt.Sprintf("ids go up to %d, and there are %s (0 to %d); %d of %s do not count", top,
			Counted(n, "name", "names"), n-1, c.Count, Counted(filled, "row", "rows"))
		c.Likely = true
		c.Do = "add the missing names to data.yaml in the order of their ids; these rows do not count until then"
	}
}

// explainCorners says it where the rows of the whole set look like two corners in place of a centre and a size: every
// one has its third number above its first and its fourth above its second, and many leave the picture when they are
// read as boxes.
func (d *Dataset) explainCorners(c *Cause) {
	boxes := 0
	for i := range d.Items {
		for _, o := range d.Items[i].Objects {
			if o.Shape != nil {
				continue
			}
			boxes++
			x, y := (o.Box.X0+o.Box.X1)/2, (o.Box.Y0+o.Box.Y1)/2
			if o.Box.X1-o.Box.X0 <= x || o.Box.Y1-o.Box.Y0 <= y {
				return
			}
		}
	}
	if boxes < 3 || 4*c.Count < boxes {
		return
	}
	c.Likely = true
	c.Text = fmt.Sprintf("the rows are likely two corners (x0 y0 x1 y1), and are read as centre, width and height: %d "+
		"of %s end past an edge of their picture", c.Count, Counted(boxes, "box", "boxes"))
	c.Do = "write rows as: class x y width height, x and y of the centre; they count as they stand"
}

// explainMissing says it where no picture has labels.
func (d *Dataset) explainMissing(c *Cause) {
	if c.Count < len(d.Items) || c.Count < 2 {
		return
	}
	c.Level, c.Likely = level.Error, true
	c.Text = fmt.Sprintf("none of the %d pictures has a label file, the first: %s", c.Count,
		c.Text[strings.LastIndex(c.Text, ": ")+2:])
	c.Do = "put the label files where the first one was looked for: labels/ in place of images/ in the picture's " +
		"path, .txt in place of its ending"
	if elsewhere := d.labelsElsewhere(c.File); elsewhere != "" {
		c.Text += "; but files of such names lie in " + elsewhere
		c.Do = "call that folder labels, and that of the pictures images; the rest of their paths must be the same"
		return
	}
	if other := otherFormat(d.Root); other != "" {
		c.Text += "; but there is " + other
		c.Do = "convert it to YOLO labels: finetui does not read it yet"
		for _, f := range formats {
			if at, err := f.detect(d.Root); err == nil && at != "" && f.name() != d.Format {
				c.Do = fmt.Sprintf("set DATASET.FORMAT to %q to read it", f.name())
			}
		}
	}
}

// labelsElsewhere is a folder of the set that has a text file of a picture's name, as findings name it; "" for none.
func (d *Dataset) labelsElsewhere(media string) (folder string) {
	stem := strings.TrimSuffix(filepath.Base(media), filepath.Ext(media))
	seen := 0
	walk(d.Root, func(path string, inner bool) bool {
		const most = 100_000
		if seen++; !inner && folder == "" && isText(path) && fold(path[:len(path)-len(".txt")]) ==
			fold(filepath.Join(filepath.Dir(path), stem)) {
			folder = shortPath(d.Root, filepath.Dir(path))
		}
		return seen < most && folder == ""
	}, nil)
	return folder
}
