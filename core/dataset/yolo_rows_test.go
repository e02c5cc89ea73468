package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// codesOf lists findings as "code@line".
func codesOf(findings []Finding) string {
	var codes []string
	for _, f := range findings {
		codes = append(codes, fmt.Sprintf("%s@%d", f.Code, f.Line))
	}
	return strings.Join(codes, " ")
}

func TestRowsCountOrAreFound(t *testing.T) {
	tests := []struct {
		name, text string
		objects    int
		findings   string
	}{
		{"box", "0 .5 .5 .2 .2\n", 1, ""},
		{"polygon", "1 .1 .1 .4 .1 .4 .4", 1, ""},
		{"line ends of all kinds", "0 .5 .5 .2 .2\r\n0 .5 .5 .2 .3\r0 .5 .5 .2 .4\n0 .5 .5 .2 .1", 4,
			"carriage_return_only@2"},
		{"mixed from the second kind on", "\n0 .5 .5 .2 .2\n0 .4 .5 .2 .2\n1 .1 .1 .4 .1 .4 .4\n", 2 + 1,
			"mixed_rows@4"},
		{"bad rows cost only themselves", "0\n0 .5 .5 .2 .2\n3 .5 .5 .2 .2\n", 1,
			"too_few_fields@1 class_out_of_range@3"},
		{"rounding past the edge", "0 .5 .5 1.0000005 .2\n", 1, "value_out_of_range@1"},
		{"beyond rounding", "0 .5 .5 1.00001 .2\n", 0, "value_out_of_range@1"},
		{"polygon corner rounded", "1 -0.0000005 .1 .4 .1 .4 .4\n", 1, "value_out_of_range@1"},
		{"outline a hair past the edge", "1 -0.0021 .1 .4 .1 .4 1.01\n", 1, "outline_past_edge@1"},
		{"outline farther out", "1 .1 .1 .4 .1 .4 1.0101\n", 0, "value_out_of_range@1"},
		{"outline with no area in the picture", "1 1 .1 1.002 .1 1.001 .4\n", 0, "zero_size@1"},
		{"UTF-16 with a mark", "\xff\xfe0\x00 \x001\x00", 0, "not_utf8@1"},
		{"UTF-16 without a mark", "\x000\x00 \x00.\x005\x00\n", 0, "not_utf8@1"},
		{"past the edge by less than half", "0 .95 .5 .2 .2\n", 1, "box_past_edge@1"},
		{"past the edge by half", "0 1 .5 .2 .2\n", 0, "box_past_edge@1"},
		{"past the edge by rounding", "0 .9 .5 .2000001 .2\n", 1, ""},
		{"no area", "0 .5 .5 0 .2\n0 .5 .5 .2 -0.0000001\n1 .1 .3 .4 .3 .6 .3\n", 0,
			"zero_size@1 zero_size@2 zero_size@3"},
		{"repeated box in other digits", "0 .5 .5 .2 .2\n0 0.50 5e-1 .2 .2\n", 1, "duplicate_row@2"},
		{"repeated polygon", "1 .1 .1 .4 .1 .4 .4\n1 .1 .1 .4 .1 .4 .4\n", 1, "duplicate_row@2"},
		{"same box around another outline", "1 .1 .1 .4 .1 .4 .4\n1 .1 .1 .4 .4 .1 .4\n", 2, ""},
		{"same place, another class", "0 .5 .5 .2 .2\n1 .5 .5 .2 .2\n", 2, ""},
		{"overflow", "0 1e999 .5 .2 .2\n", 0, "not_finite@1"},
		{"a lone sign", "0 - .5 .2 .2\n", 0, "not_a_number@1"},
		{"zero-width space", "0 .5\u200b .5 .2 .2\n", 0, "non_ascii_space@1"},
		{"a byte-order mark and nothing", "\ufeff\n", 0, "byte_order_mark@0 empty_label_file@0"},
		{"nothing", "", 0, "empty_label_file@0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects, findings := parseRows(test.text, "x.txt", rowRules{classes: 2})
			if len(objects) != test.objects || codesOf(findings) != test.findings {
				t.Errorf("%d objects, findings %q, want %d and %q", len(objects), codesOf(findings), test.objects,
					test.findings)
			}
		})
	}
}

func TestPolygonRowCountsThroughItsBox(t *testing.T) {
	objects, _ := parseRows("\n1 .1 .2 .5 .2 .3 .6\n", "x.txt", rowRules{classes: 2})
	if len(objects) != 1 {
		t.Fatal("the row does not count")
	}
	got := objects[0]
	if got.Class != 1 || got.Line != 2 || got.Confidence != 1 || got.Box != (Box{.1, .2, .5, .6}) ||
		len(got.Rings()[0]) != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestAnOutlinePastTheEdgeIsClipped(t *testing.T) {
	objects, _ := parseRows("0 0.60 0.30 1.0021 0.35 0.98 0.80 0.62 0.75", "x.txt", rowRules{classes: 2})
	if len(objects) != 1 || objects[0].Box != (Box{.6, .3, 1, .8}) || objects[0].Rings()[0][1] != (Point{1, .35}) {
		t.Errorf("got %+v", objects)
	}
}

func TestAPoseRowCountsThroughItsBox(t *testing.T) {
	two, three := keypoints{2, 2}, keypoints{2, 3}
	for _, test := range []struct {
		name, row string
		shape     keypoints
		objects   int
		findings  string
	}{
		{"points of two", "1 .5 .5 .2 .1 .42 .46 .58 .54", two, 1, ""},
		{"points of three", "1 .5 .5 .2 .1 .42 .46 2 0 0 0", three, 1, ""},
		{"an outline of that length is none", "1 .5 .5 .2 .1 .1 .9 .9 .1", two, 1, ""},
		{"a box alone", "1 .5 .5 .2 .1", two, 1, "pose_length@1"},
		{"a point short", "1 .5 .5 .2 .1 .42 .46", two, 0, "pose_length@1"},
		{"numbers of three for two", "1 .5 .5 .2 .1 .42 .46 2 0 0 0", two, 0, "pose_length@1"},
		{"a point outside", "1 .5 .5 .2 .1 .42 .46 1.2 .5", two, 1, "point_past_edge@1"},
		{"a box outside", "1 1.5 .5 .2 .1 .42 .46 .2 .5", two, 0, "value_out_of_range@1"},
	} {
		objects, findings := parseRows(test.row, "x.txt", rowRules{classes: 2, keypoints: test.shape})
		if len(objects) != test.objects || codesOf(findings) != test.findings {
			t.Errorf("%s: %d objects, findings %q", test.name, len(objects), codesOf(findings))
		}
		for _, o := range objects {
			if o.Shape != nil || math.Abs(o.Box.X0-.4) > 1e-9 || math.Abs(o.Box.Y0-.45) > 1e-9 ||
				math.Abs(o.Box.Y1-.55) > 1e-9 {
				t.Errorf("%s: %+v", test.name, o)
			}
		}
	}
}

func TestRowsAreCounted(t *testing.T) {
	r := readRows("\n0 .5 .5 .2 .2\n7 .5 .5 .2 .2\n0 .5 .5 .2 .2\nx\n", "x.txt", rowRules{classes: 2})
	if r.counts() != (Rows{Filled: 4, Lost: 2, TopID: 7}) {
		t.Errorf("got %+v", r.counts())
	}
}

func TestConfidenceIsReadFromPredictionsOnly(t *testing.T) {
	row := "0 .5 .5 .2 .2 .87\n1 .1 .1 .4 .1 .4 .4 .5\n0 .5 .6 .2 .2\n"
	objects, findings := parseRows(row, "x.txt", rowRules{classes: 2, confidence: true})
	if len(objects) != 3 || objects[0].Confidence != .87 || objects[1].Confidence != .5 || objects[2].Confidence != 1 {
		t.Errorf("got %+v, %v", objects, findings)
	}
	wild := "0 .5 .5 .2 .2 37\n0 .5 .6 .2 .2 -.1\n"
	if objects, findings := parseRows(wild, "x.txt", rowRules{classes: 2, confidence: true}); len(objects) != 0 ||
		codesOf(findings) != "value_out_of_range@1 value_out_of_range@2" {
		t.Errorf("confidences that are none: got %+v, %v", objects, findings)
	}
	if objects, findings := parseRows(row, "x.txt", rowRules{classes: 2}); len(objects) != 1 ||
		codesOf(findings) != "odd_polygon@1 odd_polygon@2" {
		t.Errorf("as labels: got %+v, %v", objects, findings)
	}
}

func TestAFileOfGarbageIsSummedUp(t *testing.T) {
	_, findings := parseRows(strings.Repeat("x\n", 1000), "x.txt", rowRules{classes: 2})
	last := findings[len(findings)-1]
	if len(findings) != mostFaults+1 || last.Code != MoreFaults || last.Count != 900 ||
		!strings.Contains(last.Text, "900 more") {
		t.Errorf("%d findings, the last %+v", len(findings), last)
	}
}

// FuzzLabelFile holds that no label file crashes the reader, that what counts
// is sound, and that every row either counts or is found.
func FuzzLabelFile(f *testing.F) {
	for _, text := range []string{
		"0 .5 .5 .2 .2\n1 .1 .1 .4 .1 .4 .4", "\ufeff0 0x1p-1 1_0 nan inf", "0\u00a0.5\r\r\n", "\xff\xfe0\x00",
		"-1 2 3 4 5 6", "0 1 .5 .2 .2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, findings := parseRows(text, "x.txt", rowRules{classes: 3})
		accounted := map[int]bool{}
		for _, o := range objects {
			accounted[o.Line] = true
			c := o.Box.Center()
			if o.Class < 0 || o.Class >= 3 || !(o.Box.X1 > o.Box.X0 && o.Box.Y1 > o.Box.Y0) ||
				math.Abs(c.X-.5) > .5+edgeTolerance || math.Abs(c.Y-.5) > .5+edgeTolerance {
				t.Errorf("counts, but should not: %+v", o)
			}
		}
		summed := false
		for _, found := range findings {
			accounted[found.Line] = true
			summed = summed || found.Code == MoreFaults
			if rulings[found.Code].level == "" || found.Text == "" || found.Do == "" {
				t.Errorf("incomplete finding %+v", found)
			}
		}
		if _, _, utf16 := fromUTF16(strings.TrimPrefix(text, "\ufeff")); summed || utf16 {
			return
		}
		text = strings.TrimPrefix(text, "\ufeff")
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		for i, row := range strings.Split(text, "\n") {
			if strings.Trim(row, " \t\v\f") != "" && !accounted[i+1] {
				t.Errorf("row %d, %q, neither counts nor is found", i+1, row)
			}
		}
	})
}

func BenchmarkParseRows(b *testing.B) {
	row := "3 0.423611 0.512345 0.523611 0.512345 0.523611 0.612345 0.423611 0.612345\n"
	text := ""
	for i := range 5 {
		text += strings.Replace(row, "0.42", fmt.Sprintf("0.%02d", 10+i), 1)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		parseRows(text, "x.txt", rowRules{classes: 9})
	}
}

func TestAClassWithoutItsIDIsNamed(t *testing.T) {
	rules := rowRules{classes: 4, names: []string{"slope drain", "slope drain blocked", "sign", "Sign"}}
	for row, want := range map[string]string{
		"slope drain .5 .5 .2 .2":               `class "slope drain" is a name in place of its id, 0`,
		"slope  drain blocked .5 .5 .2 .2":      `class "slope drain blocked" is a name in place of its id, 1`,
		"Slope_Drain_Blocked .1 .2 .5 .2 .3 .6": `class "Slope_Drain_Blocked" is a name in place of its id, 1`,
		"Sign .5 .5 .2 .2":                      `class "Sign" is a name in place of its id, 3`,
		"SIGN .5 .5 .2 .2":                      `class "SIGN" is no number`, // two could be meant
		"drain .5 .5 .2 .2":                     `class "drain" is no number`,
	} {
		objects, findings := parseRows(row, "x.txt", rules)
		if len(objects) != 0 || codesOf(findings) != "not_a_number@1" || findings[0].Text != want {
			t.Errorf("%q: %d objects, %v, want none and %q", row, len(objects), findings, want)
		} else if !strings.Contains(findings[0].Do, "0 to 3") {
			t.Errorf("%q: the ids are not said: %s", row, findings[0].Do)
		}
	}
}

func TestShortNumbersAreReadToTheLastBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(field string) {
		t.Helper()
		got, short := parseShort(field)
		want, err := strconv.ParseFloat(field, 64)
		if short && (err != nil || got != want) {
			t.Fatalf("%q is read as %v, want %v, %v", field, got, want, err)
		}
	}
	for range 100_000 {
		digits := strconv.FormatUint(r.Uint64()>>r.IntN(64), 10)
		at := r.IntN(len(digits) + 1)
		check(digits)
		check(digits[:at] + "." + digits[at:])
		check("0." + digits)
	}
	for _, field := range []string{"", ".", "..", "1.", ".1", "1.2.3", "-1", "+1", "1e3", "000000000000001", "0.1"} {
		check(field)
	}
	for _, field := range []string{"0.123456", "1", ".5", "0"} {
		if _, short := parseShort(field); !short {
			t.Errorf("%q is not read at once", field)
		}
	}
}
