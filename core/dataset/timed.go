package dataset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// latestFeedback is far behind the end of any clip: a later time is that of a clock.
const latestFeedback = 24 * 60 * 60 // seconds

// TimedLine is what is said at one moment of a clip, in seconds from its beginning, as answers hold it, each on a line
// of its own: "2.5 s: Keep your back straight."
func TimedLine(at float64, text string) string {
	return strconv.FormatFloat(at, 'f', -1, 64) + " s: " + strings.Join(strings.Fields(text), " ")
}

var timedLine = regexp.MustCompile(`^\s*(\d{1,9}(?:\.\d{1,9})?) s: *(\S.*?)\s*$`)

// ReadTimedLine reads a line as TimedLine writes it; false where it is none.
func ReadTimedLine(line string) (at float64, text string, ok bool) {
	parts := timedLine.FindStringSubmatch(line)
	if parts == nil {
		return 0, "", false
	}
	at, err := strconv.ParseFloat(parts[1], 64)
	return at, parts[2], err == nil
}

// timed gives the feedbacks of a record their times. A feedback without words says nothing at its time.
func (f *clipFields) timed() error {
	if len(f.times) != len(f.said) {
		return fmt.Errorf("%s and %s", Counted(len(f.said), "feedback", "feedbacks"),
			Counted(len(f.times), "time", "times"))
	}
	var lines []string
	for i, at := range f.times {
		if !(at >= 0 && at < latestFeedback) {
			return fmt.Errorf("a feedback at %g s", at)
		}
		if strings.TrimSpace(f.said[i]) != "" {
			lines = append(lines, TimedLine(at, f.said[i]))
		}
	}
	f.answer = append(f.answer[:0], strings.Join(lines, "\n")...)
	return nil
}

// feedback reads what is said of a clip: a text, a list of them, or a list of objects that tell their times.
func (f *clipFields) feedback(r *jsonReader) error {
	f.said = f.said[:0]
	one := func() error {
		switch r.peek() {
		case '"':
			text, err := r.text()
			f.said = append(f.said, string(text))
			return err
		case '{':
			f.said = append(f.said, "")
			return r.object(func(key []byte) error {
				switch string(key) {
				case "feedback", "text":
					if r.peek() == '"' {
						text, err := r.text()
						f.said[len(f.said)-1] = string(text)
						return err
					}
				case "timestamp", "time":
					return f.time(r)
				}
				return r.skip()
			})
		}
		return r.skip()
	}
	var err error
	if r.peek() == '[' {
		err = r.array(one)
	} else {
		err = one()
	}
	if len(f.said) > 0 {
		f.answer = append(f.answer[:0], strings.Join(f.said, "\n")...)
	}
	return err
}

// time reads a number of seconds; anything else is none.
func (f *clipFields) time(r *jsonReader) error {
	if sign := r.peek(); sign != '-' && (sign < '0' || sign > '9') {
		return r.skip()
	}
	at, err := r.number()
	if err == nil {
		f.times = append(f.times, at)
	}
	return err
}

// timesOf reads a list of times.
func (f *clipFields) timesOf(r *jsonReader) error {
	if r.peek() != '[' {
		return r.skip()
	}
	f.times = f.times[:0]
	return r.array(func() error { return f.time(r) })
}
