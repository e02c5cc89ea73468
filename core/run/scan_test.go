package run

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sameRow says whether two rows are the same, NaN being equal to NaN.
func sameRow(a, b Row) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return reflect.TypeOf(a) == reflect.TypeOf(b) && string(x) == string(y) && (errX == nil) == (errY == nil)
}

// scannedLines are lines near to what Append writes, and that themselves.
func scannedLines(t testing.TB) []string {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() Float {
		return Float(math.Float64frombits(random.Uint64()))
	}
	var lines []string
	add := func(row Row) {
		row.head().Kind = row.kind()
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	for i := range 300 {
		at := Head{Step: i * i, Time: 1.7e9 + float64(i)/1000}
		add(&Train{Head: at, Epoch: Float(random.Float64()), Loss: Float(random.ExpFloat64()),
			LossPlain: Float(float32(random.Float64())), LR: 1e-5, GradNorm: number(),
			Tokens: random.IntN(1 << 40), Samples: -i, TokensPerSecond: number(), Seconds: StepTimes{number(), Float(i),
				0.25, Float(math.Copysign(0, -1))}, Ranks: []Rank{{number(), 2}, {Float(math.NaN()), number()}}[:i%3]})
		add(&Class{Head: at, Losses: ClassLosses{{"Toe drain", i, number()}, {"rock \"toe\"", 2, 0.5},
			{"排水溝", 1, 3}}[:i%4]})
	}
	train, class := lines[0], lines[3]
	for _, c := range [][2]string{{`"step":0`, `"step":00`}, {`"step":0`, `"step":-0`}, {`"step":0`, `"step":1.0`},
		{`"step":0`, `"step":1e2`}, {`"step":0`, `"step":`},
		{`"step":0`, `"step":9223372036854775807`}, {`"step":0`, `"step":92233720368547758070`},
		{`"step":0`, `"step": 1`}, {`"lr":0.00001`, `"lr":01`}, {`"lr":0.00001`, `"lr":1.`},
		{`"lr":0.00001`, `"lr":.5`}, {`"lr":0.00001`, `"lr":+1`}, {`"lr":0.00001`, `"lr":1e`},
		{`"lr":0.00001`, `"lr":1E+05`}, {`"lr":0.00001`, `"lr":1e999`},
		{`"lr":0.00001`, `"lr":-1e-999`}, {`"lr":0.00001`, `"lr":null`}, {`"lr":0.00001`, `"lr":"0.5"`},
		{`"lr":0.00001`, `"lr":0x1p2`}, {`"lr":0.00001`, `"lr":1_0`},
		{`"lr":0.00001`, `"lr":9007199254740993`}, {`"lr":0.00001`, `"lr":0.30000000000000004441`},
		{`"lr":0.00001`, `"lr":123456789012345678e-22`}, {`"lr":0.00001`, `"lr":-`}, {`"time":`, `"Time":`},
		{`}}`, `}}}`}, {`}}`, `} }`}, {`}}`, `},"step":7}`}} {
		lines = append(lines, strings.Replace(train, c[0], c[1], 1))
	}
	for _, c := range [][2]string{{`"losses":{`, `"losses":{"a":{"n":1,"loss":2},"a":{"n":3,"loss":4},`},
		{`"losses":{`, `"losses":{"b":{"n":1,"loss":2},"a":{"n":3,"loss":4},`},
		{`"losses":{`, `"losses":{"":{"n":1,"loss":2},`}, {`"losses":{`, `"losses":{,`},
		{`"losses":{`, "\"losses\":{\"\xff\":{\"n\":1,\"loss\":2},"},
		{`"losses":{`, "\"losses\":{\"\x01\":{\"n\":1,\"loss\":2},"},
		{`"losses":{`, `"losses":{"\u0041":{"n":1,"loss":2},`}, {`"losses":{`, `"losses":{"A":{"n":1,"loss":"NaN"},`},
		{`"losses":{`, `"losses":{"A":{"loss":1,"n":2},`}} {
		lines = append(lines, strings.Replace(class, c[0], c[1], 1))
	}
	for i := range len(train) {
		lines = append(lines, train[:i], train[i:])
	}
	return append(lines, `{"kind":"class","step":1,"time":2,"losses":null}`,
		`{"kind":"class","step":1,"time":2,"losses":{}}`, `{"kind":"class","step":1,"time":1e999,"losses":{}}`)
}

// heldAgainstJSON reads a line both ways.
func heldAgainstJSON(t *testing.T, line []byte) (scanned bool) {
	t.Helper()
	row, scanned := scanRow(line, &names{})
	if !scanned {
		return false
	}
	want, err := decodeRow(line)
	if err != nil || !sameRow(row, want) {
		t.Errorf("%q:\nread as %+v,\nencoding/json says %+v, %v", line, row, want, err)
	}
	return true
}

func TestScannedRowIsWhatJSONSays(t *testing.T) {
	scanned := 0
	for _, line := range scannedLines(t) {
		if heldAgainstJSON(t, []byte(line)) {
			scanned++
		}
	}
	if scanned < 300 {
		t.Errorf("only %d lines were read by the scanner", scanned)
	}
}

// One parser reads what several do, and rows with blanks between their parts as those without.
func TestRowsAreTheSameByAnyParserAndWithBlanks(t *testing.T) {
	var one parser
	for _, line := range scannedLines(t) {
		want, wantErr := decodeRow([]byte(line))
		lines := []string{line}
		var apart bytes.Buffer
		if json.Indent(&apart, []byte(line), "", "\t") == nil {
			lines = append(lines, apart.String(), strings.ReplaceAll(apart.String(), "\n", " "), " "+line)
		}
		for _, line := range lines {
			if row, err := one.row([]byte(line)); !sameRow(row, want) || (err == nil) != (wantErr == nil) {
				t.Errorf("%q:\nread as %+v, %v,\nencoding/json says %+v, %v", line, row, err, want, wantErr)
			}
		}
	}
}

func TestNamesOfClassesAreKeptOnce(t *testing.T) {
	var n names
	for range 2 {
		at := 0
		for i := 1000; i < 1000+2*mostNames; i++ {
			want := strconv.Itoa(i)
			var got string
			if got, at = n.keep([]byte(want), at); got != want {
				t.Fatalf("%q was kept as %q", want, got)
			}
		}
	}
	if len(n.known) != mostNames || !slices.IsSorted(n.known) {
		t.Errorf("%d names are kept, in order: %v", len(n.known), slices.IsSorted(n.known))
	}
	if most := testing.AllocsPerRun(10, func() { n.keep([]byte("1001"), 0) }); most > 0 {
		t.Errorf("a name that is known takes %v allocations", most)
	}
}

func FuzzScanRow(f *testing.F) {
	for _, line := range scannedLines(f) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) { heldAgainstJSON(t, line) })
}
