package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"finetui/core/level"
)

const (
	edgeTolerance = 1e-6 // a coordinate this far past an edge is a rounding of the tool that wrote it
	outlineMargin = 0.01 // an outline's corner this far past an edge is clipped, as Ultralytics takes it
	mostFaults    = 100  // rows of one file that are listed one by one; the rest is counted
)

// rowRules says how the rows of a label file are to be read.
type rowRules struct {
	classes    int      // ids run from 0 to classes-1; negative: any id below mostClasses will do
	names      []string // of the classes, in the order of their ids; nil where the set has no list
	confidence bool     // a number after the coordinates is a confidence, as stage-1 predictions have it
	keypoints  keypoints
}

// keypoints is what kpt_shape in data.yaml says of a pose set:
// so many points of 2 or 3 numbers follow the box of a row.
type keypoints struct{ points, numbers int }

// length is how many numbers the points of a row take; 0 for a set without.
func (k keypoints) length() int { return k.points * k.numbers }

// rows reads one YOLO label file: "class x y width height" for a box, "class x1 y1 x2 y2 …" for an outline, all in
// shares of the picture. In a pose set the points of the object follow its box; they are checked, and not kept.
type rows struct {
	rules    rowRules
	file     string // as findings name it
	objects  []Object
	findings []Finding
	filled   int // rows that are not blank
	faults   int // rows that do not count
	seen     map[rowKey]int
	values   []float64 // coordinates of the row that is being read
	excess   float64   // how far the farthest of them lies past an edge, 0 for none
	line     int
	topID    int // the largest class id, of rows that count and of those that do not
}

// rowKey finds the rows that may be equal to another one.
type rowKey struct {
	class  int
	box    Box
	points int
}

// parseRows returns the objects of a label file that count, in its order, and what is wrong with it.
func parseRows(text, file string, rules rowRules) ([]Object, []Finding) {
	r := readRows(text, file, rules)
	return r.objects, r.findings
}

// counts is how many rows there are and do not count.
func (r *rows) counts() Rows { return countRows(r.filled, r.faults, r.topID) }

// readRows is parseRows with the counts of what was read.
func readRows(text, file string, rules rowRules) *rows {
	r := &rows{}
	r.parse(text, file, rules)
	return r
}

// parse reads a file with the memory of the one before, whose objects are gone then.
func (r *rows) parse(text, file string, rules rowRules) {
	*r = rows{rules: rules, file: file, objects: r.objects[:0], values: r.values[:0], topID: -1}
	text, readable := r.unmark(text)
	if readable && strings.HasPrefix(text, "version https://git-lfs") {
		r.line, r.filled = 1, 1
		r.drop(newFinding(UnreadableLabel, r.file, 0, "a pointer of Git LFS in place of the labels").
			as(level.Error, "call git lfs pull where the set was cloned; its rows do not count"))
		return
	}
	if readable {
		r.readAll(text)
	}
	if readable && r.filled == 0 {
		r.note(newFinding(EmptyLabelFile, file, 0, "no rows: the picture counts as showing none of the classes"))
	}
}

// unmark takes a byte-order mark off; readable is false for UTF-16, whose rows do not count.
func (r *rows) unmark(text string) (rest string, readable bool) {
	if strings.HasPrefix(text, "\xef\xbb\xbf") {
		r.note(newFinding(ByteOrderMark, r.file, 0, "starts with a byte-order mark"))
		return text[3:], true
	}
	if decoded, which, is := fromUTF16(text); is {
		r.line = 1
		r.filled = max(1, len(strings.Fields(strings.NewReplacer("\r", "\n", " ", "").Replace(decoded))))
		r.fault(NotUTF8, "is written in %s", which)
		r.faults = r.filled
		return "", false
	}
	return text, true
}

// readAll reads row by row; a newline, a carriage return or both end one.
func (r *rows) readAll(text string) {
	mixed, bareReturn := 0, 0
	for len(text) > 0 {
		r.line++
		end := strings.IndexAny(text, "\r\n")
		row := text
		switch {
		case end < 0:
			text = ""
		case text[end] == '\r' && end+1 < len(text) && text[end+1] == '\n':
			row, text = text[:end], text[end+2:]
		default:
			if text[end] == '\r' && bareReturn == 0 {
				bareReturn = r.line
			}
			row, text = text[:end], text[end+1:]
		}
		count := len(r.objects)
		r.read(row)
		if len(r.objects) > count && mixed == 0 && (r.objects[count].Shape == nil) != (r.objects[0].Shape == nil) {
			mixed = r.line
		}
	}
	if bareReturn > 0 {
		r.note(newFinding(CarriageReturn, r.file, bareReturn,
			"a line ends with a carriage return alone; taken for a line end"))
	}
	if mixed > 0 {
		r.note(newFinding(MixedRows, r.file, mixed, "boxes and outlines in one file, from this line on; both count"))
	}
	if more := r.faults - mostFaults; more > 0 {
		found := newFinding(MoreFaults, r.file, 0, "%d more rows that do not count", more)
		found.Count = more
		r.note(found)
	}
}

// read takes one row: an object, a fault, or nothing when it is blank.
func (r *rows) read(row string) {
	fields, values := splitRow(row)
	if fields == 0 {
		return
	}
	r.filled++
	switch at, bad := oddSpace(row); {
	case !utf8.ValidString(row):
		r.fault(NotUTF8, "bytes that are no UTF-8 text: %s", quote(row))
		return
	case bad:
		r.fault(NonASCIISpace, "a special space (U+%04X) between the fields", at)
		return
	case fields < 5:
		r.fault(TooFewFields, "%d of the 5 fields of a box: %s", fields, quote(row))
		return
	}
	field := nextField(&values)
	class, ok := r.class(field, row)
	if !ok || !r.readValues(values) {
		return
	}
	confidence := 1.0
	if n := len(r.values); r.rules.confidence && n%2 == 1 {
		confidence, r.values = r.values[n-1], r.values[:n-1]
	}
	if !(confidence >= 0 && confidence <= 1) {
		r.fault(ValueOutOfRange, "the confidence %s lies outside 0 to 1", number(confidence))
		return
	}
	if length := r.rules.keypoints.length(); length > 0 && !r.points(length) {
		return
	}
	if len(r.values)%2 == 1 {
		r.fault(OddPolygon, "%d coordinates: an outline has pairs", len(r.values))
		return
	}
	if !r.inside() {
		return
	}
	object := Object{Class: class, Line: r.line, Confidence: confidence}
	if len(r.values) == 4 {
		ok = r.box(&object)
	} else {
		ok = r.polygon(&object)
	}
	if !ok || r.duplicate(object) {
		return
	}
	switch {
	case r.excess > edgeTolerance:
		r.note(newFinding(OutlinePastEdge, r.file, r.line, "a corner lies %s of the picture past its edge",
			number(r.excess)))
	case r.excess > 0:
		r.note(newFinding(ValueOutOfRange, r.file, r.line, "a value lies %s past the edge, as rounding leaves it",
			number(r.excess)).
			as(level.Info, "nothing; the row counts"))
	}
	r.objects = append(r.objects, object)
}

// points takes the points of a pose row off r.values, which length numbers should be, so that the box remains.
func (r *rows) points(length int) bool {
	const box = 4
	k := r.rules.keypoints
	switch n := len(r.values); n {
	case box: // the object without its points
		r.note(newFinding(PoseLength, r.file, r.line, "a box without the %d points of kpt_shape", k.points).
			as(level.Warn, "add the points, or take the row for a box as it is here; pose trainers leave the "+
				"picture out"))
		return true
	case box + length:
	default:
		r.fault(PoseLength, "%d numbers after the class, and kpt_shape [%d, %d] asks for %d: a box and %d points of %d",
			n, k.points, k.numbers, box+length, k.points, k.numbers)
		return false
	}
	for i, v := range r.values[box:] {
		isCoordinate := i%k.numbers < 2 // the third number is how well the point is seen
		if isCoordinate && (v > 1+outlineMargin || v < -outlineMargin) {
			r.note(newFinding(PointPastEdge, r.file, r.line, "point %d lies outside the picture: %s", i/k.numbers+1,
				number(v)))
			break
		}
	}
	r.values = r.values[:box]
	return true
}

// inside notes in r.excess how far the values lie outside the picture, clips an
// outline that is out by a hair, and drops what lies farther.
func (r *rows) inside() bool {
	outline := len(r.values) > 4
	r.excess = 0
	farthest, at := 0.0, 0
	for i, v := range r.values {
		if past := max(v-1, -v); past > farthest {
			farthest, at = past, i
		}
	}
	limit := edgeTolerance
	if outline {
		limit = outlineMargin + edgeTolerance
	}
	if farthest > limit {
		found := newFinding(ValueOutOfRange, r.file, r.line, "%s lies outside 0 to 1", number(r.values[at]))
		if outline && farthest < 1 {
			found.Do = "clip the outline to the picture; this row does not count"
		}
		r.drop(found)
		return false
	}
	r.excess = farthest
	if outline && farthest > edgeTolerance {
		for i, v := range r.values {
			r.values[i] = min(max(v, 0), 1)
		}
	}
	return true
}

// class reads the class id of a row; 1.0 is as good as 1.
func (r *rows) class(field, row string) (id int, ok bool) {
	value, code := parseNumber(field)
	switch {
	case code == NotANumber:
		r.drop(r.noID(leadingWords(row)))
	case code != "":
		r.fault(code, "class %s is no number", quote(field))
	case value != math.Trunc(value):
		r.fault(ClassNotInteger, "class %s is no whole number", field)
	case value < 0 || value >= mostClasses || (r.rules.classes >= 0 && int(value) >= r.rules.classes):
		if r.rules.classes > 0 {
			r.fault(ClassOutOfRange, "class %s, and the ids run from 0 to %d", clip(field), r.rules.classes-1)
		} else {
			r.fault(ClassOutOfRange, "class %s is no id", clip(field))
		}
		if value >= 0 && value < mostClasses {
			r.topID = max(r.topID, int(value))
		}
	default:
		r.topID = max(r.topID, int(value))
		return int(value), true
	}
	return 0, false
}

// noID is the finding about a row that begins with these words in place of an id.
func (r *rows) noID(words string) Finding {
	write := "write the class's id, and the names in the order of the ids in data.yaml; this row does not count"
	if n := len(r.rules.names); n > 0 {
		write = fmt.Sprintf("write the class's id, 0 to %d in the order of the names; this row does not count", n-1)
	}
	text := fmt.Sprintf("class %s is no number", quote(words))
	if id := r.rules.classNamed(words); id >= 0 {
		text = fmt.Sprintf("class %s is a name in place of its id, %d", quote(words), id)
	}
	return newFinding(NotANumber, r.file, r.line, "%s", text).as(level.Error, write)
}

// leadingWords is what stands in a row before its first number.
func leadingWords(row string) string {
	var words []string
	for rest := row; ; {
		field := nextField(&rest)
		if _, code := parseNumber(field); field == "" || code != NotANumber {
			return strings.Join(words, " ")
		}
		words = append(words, field)
	}
}

// classNamed is the id of the class of that name, -1 for none. The case of letters and underscores for spaces do not
// count, unless classes differ in them alone.
func (r rowRules) classNamed(name string) int {
	if id := slices.Index(r.names, name); id >= 0 {
		return id
	}
	plain := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", " ")) }
	alike := func(other string) bool { return plain(other) == plain(name) }
	first := slices.IndexFunc(r.names, alike)
	if first >= 0 && slices.ContainsFunc(r.names[first+1:], alike) {
		return -1
	}
	return first
}

// readValues fills r.values with the coordinates of a row.
func (r *rows) readValues(rest string) bool {
	r.values = r.values[:0]
	for {
		field := nextField(&rest)
		if field == "" {
			return true
		}
		value, code := parseNumber(field)
		if code != "" {
			word := "no plain number"
			if code == NotFinite {
				word = "not finite"
			}
			r.fault(code, "field %d, %s, is %s", len(r.values)+2, quote(field), word)
			return false
		}
		r.values = append(r.values, value)
	}
}

// box fills in a box row. One that leaves the picture by half its size or more has no place to speak of.
func (r *rows) box(object *Object) bool {
	x, y, w, h := r.values[0], r.values[1], r.values[2], r.values[3]
	if w <= 0 || h <= 0 {
		r.fault(ZeroSize, "a box of %s × %s has no area", number(w), number(h))
		return false
	}
	pastX, pastY := max(x+w/2-1, w/2-x), max(y+h/2-1, h/2-y)
	if pastX > edgeTolerance || pastY > edgeTolerance {
		found := newFinding(BoxPastEdge, r.file, r.line, "the box ends %s of the picture past its edge",
			number(max(pastX, pastY)))
		if pastX >= w/2 || pastY >= h/2 {
			if r.excess > 0 {
				found.Code = ValueOutOfRange // the centre itself lies outside
			}
			r.drop(found.as(level.Error,
				"draw the box again: half of it or more lies outside; this row does not count"))
			return false
		}
		r.note(found)
	}
	object.Box = Box{x - w/2, y - h/2, x + w/2, y + h/2}
	return true
}

// polygon fills in an outline and the box around it.
func (r *rows) polygon(object *Object) bool {
	points := make([]Point, len(r.values)/2)
	box := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for i := range points {
		x, y := r.values[2*i], r.values[2*i+1]
		points[i] = Point{x, y}
		box = Box{min(box.X0, x), min(box.Y0, y), max(box.X1, x), max(box.Y1, y)}
	}
	if box.X1 <= box.X0 || box.Y1 <= box.Y0 {
		r.fault(ZeroSize, "an outline of %s × %s has no area", number(box.X1-box.X0), number(box.Y1-box.Y0))
		return false
	}
	object.Box, object.Shape = box, Outline(points)
	return true
}

// duplicate says whether the row repeats an earlier one, number for number.
func (r *rows) duplicate(object Object) bool {
	key := keyOf(&object)
	first := 0
	if len(r.objects) >= fewRows { // below, a look at each is quicker than a table
		for i := len(r.seen); i < len(r.objects); i++ {
			if k := keyOf(&r.objects[i]); r.seen == nil {
				r.seen = map[rowKey]int{k: i}
			} else if _, there := r.seen[k]; !there {
				r.seen[k] = i
			}
		}
		var there bool
		if first, there = r.seen[key]; !there {
			r.seen[key] = len(r.objects)
			return false
		}
	}
	for i := range r.objects[first:] {
		if other := &r.objects[first+i]; key == keyOf(other) && sameRing(object.Rings(), other.Rings()) {
			r.note(newFinding(DuplicateRow, r.file, r.line, "repeats line %d", other.Line))
			return true
		}
	}
	return false
}

// fewRows is how many rows of a file are compared one by one.
const fewRows = 32

func keyOf(o *Object) rowKey { return rowKey{o.Class, o.Box, o.corners()} }

// sameRing compares the outlines of two rows, which have one ring or none.
func sameRing(a, b [][]Point) bool { return slices.EqualFunc(a, b, slices.Equal) }

// fault drops the row for that reason.
func (r *rows) fault(code, text string, args ...any) {
	r.drop(newFinding(code, r.file, r.line, text, args...))
}

// drop notes a row that does not count, as long as there are not too many.
func (r *rows) drop(f Finding) {
	r.faults++
	if r.faults <= mostFaults {
		r.note(f)
	}
}

func (r *rows) note(f Finding) { r.findings = append(r.findings, f) }

// parseNumber reads a plain decimal number; code names the fault where it is none. Only digits, signs, a point and an
// exponent are plain: Go would read hexadecimal and underscores as well.
func parseNumber(field string) (value float64, code string) {
	if value, short := parseShort(field); short {
		return value, ""
	}
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			if v, err := strconv.ParseFloat(field, 64); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
				return 0, NotFinite
			}
			return 0, NotANumber
		}
	}
	value, err := strconv.ParseFloat(field, 64)
	if math.IsInf(value, 0) {
		return 0, NotFinite
	}
	if err != nil {
		return 0, NotANumber
	}
	return value, ""
}

// parseShort reads what nearly all coordinates are: at most 15 digits with a point among them. Their number and the power
// of ten are exact, so that their quotient is rounded once, as ParseFloat rounds it (Clinger, 1990).
func parseShort(field string) (value float64, short bool) {
	if len(field) == 0 || len(field) > 16 {
		return 0, false
	}
	digits, point := uint64(0), -1
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c >= '0' && c <= '9':
			digits = 10*digits + uint64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	if point < 0 {
		return float64(digits), len(field) <= 15
	}
	return float64(digits) / tens[len(field)-1-point], len(field) > 1
}

// tens are the powers of ten.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// splitRow counts the fields of a row; values is the row without leading space.
func splitRow(row string) (fields int, values string) {
	values = row
	rest := row
	for nextField(&rest) != "" {
		fields++
	}
	return fields, values
}

// nextField takes the next field off the row; "" when there is none. ASCII space separates.
func nextField(row *string) string {
	s := *row
	start := 0
	for start < len(s) && space(s[start]) {
		start++
	}
	end := start
	for end < len(s) && !space(s[end]) {
		end++
	}
	*row = s[end:]
	return s[start:end]
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' }

// oddSpace finds a space outside ASCII, or a sign without width that hides between fields.
func oddSpace(row string) (rune, bool) {
	for _, c := range row {
		if c > unicode.MaxASCII && (unicode.IsSpace(c) || c == '\u200b' || c == '\ufeff') {
			return c, true
		}
	}
	return 0, false
}

// quote shows a piece of a file in a finding: short, and without control signs.
func quote(text string) string { return fmt.Sprintf("%q", clip(text)) }

func clip(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
