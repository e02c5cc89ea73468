package dataset

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"unique"

	"finetui/core/level"
)

// Point is a position in an image, both coordinates as a share (0 to 1) of its width and height, y downwards.
type Point struct{ X, Y float64 }

// Box is an axis-aligned rectangle in shares of the image's width and height.
type Box struct{ X0, Y0, X1, Y1 float64 }

// Center is the middle of the box.
func (b Box) Center() Point { return Point{(b.X0 + b.X1) / 2, (b.Y0 + b.Y1) / 2} }

// Object is one labelled thing in one picture or clip. What is
// said of a clip as a whole is an object with the box Whole.
type Object struct {
	Class      int     // index into Dataset.Classes
	Box        Box     // of an outline or a mask: the box around it
	Line       int     // line in the label file, from 1, or the number of the entry; 0 where the format has none
	Confidence float64 // 1 for ground truth
	Shape      *Shape  // nil where the box is all there is
	Text       *Text   // nil where the class is what is to be answered
}

// Whole is the box of what fills its picture.
var Whole = Box{0, 0, 1, 1}

// Shape is what a label says of an object's outline beyond its box.
type Shape struct {
	Rings [][]Point // closed lines; several where the object is in pieces or has holes
	Mask  *Mask     // nil where there is none
}

// Outline is the shape of closed lines.
func Outline(rings ...[]Point) *Shape { return &Shape{Rings: rings} }

// Mask is a mask of pixels, as COCO has it: down the columns, the lengths of runs that are out and in by turns.
type Mask struct {
	Width, Height int
	Runs          []uint32
}

// Text is a question and an answer in words of the data set's own. Equal ones may be shared.
type Text struct {
	Question string // "" where the recipe asks
	Answer   string
}

// Rings are the closed lines of the object's outline; nil where it has none.
func (o *Object) Rings() [][]Point {
	if o.Shape == nil {
		return nil
	}
	return o.Shape.Rings
}

// corners is how many points the outline has.
func (o *Object) corners() (n int) {
	for _, ring := range o.Rings() {
		n += len(ring)
	}
	return n
}

// Item is one picture or clip with what is labelled in it. There may be a million: its fields take no more room than
// they need.
type Item struct {
	ID     string // "split/name", unique within the data set and stable between reads
	Split  string
	Media  string // path of the picture or clip; "" where it is missing
	Labels string // path of the label file; "" where it is missing
	// pixels, as it is meant to be seen: by its decoder, or else as the labels say; 0 where unknown
	Width, Height int32
	Clip          *Clip     // nil for a picture
	Spelling      *Spelling // of the path of a clip; nil for a picture
	Group         Group
	Objects       []Object
	Rows          Rows
	Set           uint16 // place in Dataset.Sets of the one that it joined from, from 1; 0 for DATASET.PATH's own
	Orientation   uint8  // of EXIF: above 1, the file's pixels are turned for that; 0 where unknown
	Broken        bool   // the picture is there but cannot be decoded whole; a Finding says why
}

// Clip is what is known of a clip without decoding it; zeros where it has not been probed.
type Clip struct {
	Frames  int
	FPS     float64
	Seconds float64
	Codec   string // FFmpeg's name
}

// setSize fills in the pixels.
func (it *Item) setSize(width, height int) {
	it.Width, it.Height = int32(min(width, math.MaxInt32)), int32(min(height, math.MaxInt32))
}

// Name is the item's ID without its split.
func (it *Item) Name() string {
	if rest, is := strings.CutPrefix(it.ID, it.Split); is && strings.HasPrefix(rest, "/") {
		return rest[1:]
	}
	return it.ID
}

// Spelling is how labels write the path of a clip: mostly as the name of its item, or with "./" before that, and such
// clips share theirs.
type Spelling struct {
	Before string // the name
	Whole  string // "" where the name is in it
}

// Spellings of a path that is the name of its item.
var asNamed, fromHere = &Spelling{}, &Spelling{Before: "./"}

// Written is the path of a clip as its labels write it; "" for a picture.
func (it *Item) Written() string {
	switch {
	case it.Spelling == nil:
		return ""
	case it.Spelling.Whole != "":
		return it.Spelling.Whole
	}
	return it.Spelling.Before + it.Name()
}

// path is that of a clip as its labels write it, but for "./" before its name; the name of another item.
func (it *Item) path() string {
	if it.Spelling == nil || it.Spelling.Whole == "" {
		return it.Name()
	}
	return it.Spelling.Whole
}

// Group is who or what several items share, as a participant: no split should part them. The zero one is unknown.
type Group struct{ name unique.Handle[string] }

// GroupOf is the group of a name; "" is none.
func GroupOf(name string) (g Group) {
	if name != "" {
		g.name = unique.Make(name)
	}
	return g
}

// String is its name; "" where it is unknown.
func (g Group) String() string {
	if g == (Group{}) {
		return ""
	}
	return g.name.Value()
}

// Rows counts the rows of a label file, or the entries that belong to an item.
type Rows struct {
	Filled int32 // that are not blank
	Lost   int32 // of them, that do not count; a Finding says why
	TopID  int32 // the largest class id that stands in one; -1 where there is none
}

func countRows(filled, lost, topID int) Rows {
	return Rows{int32(filled), int32(lost), int32(min(topID, math.MaxInt32))}
}

// Class is an entry of the closed list, taken apart into what it is and what state it is in.
type Class struct {
	Name      string // as the data set spells it; unique within the list
	Object    string // the name without its condition word, lower case: "toe drain"
	Condition string // "normal", "damaged", "blocked"
}

// Finding is one thing that is wrong, where it is, and what to do about it.
type Finding struct {
	Code  string      `json:"code"`
	Level level.Level `json:"level"`
	File  string      `json:"file,omitempty"`
	Line  int         `json:"line,omitempty"` // from 1; 0: the file as a whole
	Text  string      `json:"text"`
	Do    string      `json:"do"`
	Count int         `json:"count,omitempty"` // how many places it stands for, where that is not one
}

// Dataset is everything that was read from one place.
type Dataset struct {
	Root     string
	Format   string   // the name of its reader, as in DATASET.FORMAT
	Classes  []Class  // in the order of the data set's own list
	Splits   []string // those that exist, in the order train, valid, test, then others by name
	Items    []Item   // ordered by split, then by ID
	Findings []Finding
	Sets     []Joined // that joined, in the order of DATASET.SETS or of the registry
	SetsFrom string   // the folder of the registry; "" where there was none

	own   *own   // nil where nothing was appended
	state *State // nil where none can be told

	fingerprint *fingerprint // nil where the set may still change; copies share it
}

// Ref names one object of one item.
type Ref struct{ Item, Object int }

// Short is a path as findings name it: from the set's root where it lies within, with forward
// slashes, and with bytes that are no UTF-8 written as \xA4.
func (d *Dataset) Short(path string) string { return shortPath(d.Root, path) }

func shortPath(root, path string) string {
	if within, ok := within(root, path); ok {
		return readable(filepath.ToSlash(within))
	}
	if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
		return readable(filepath.ToSlash(rel))
	}
	return readable(filepath.ToSlash(path))
}

// within is what filepath.Rel says of a clean path that begins with the root, as those of a set's many files do.
func within(root, path string) (rel string, ok bool) {
	rel, ok = strings.CutPrefix(path, root)
	if !ok || len(rel) < 2 || !os.IsPathSeparator(rel[0]) {
		return "", false
	}
	rel = rel[1:]
	return rel, filepath.Clean(rel) == rel && filepath.IsLocal(rel)
}

// Find returns the item with that id, or nil.
func (d *Dataset) Find(id string) *Item {
	for i := range d.Items {
		if d.Items[i].ID == id {
			return &d.Items[i]
		}
	}
	return nil
}
