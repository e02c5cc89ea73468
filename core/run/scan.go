package run

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// scanRow reads a line as Append writes it: the keys of a train or class row in their order, without spaces. It reads
// such a line to the same row as encoding/json does, many times as fast; false means that the line has another shape,
// and that encoding/json has to say what it is.
func scanRow(line []byte, classes *names) (Row, bool) {
	s := scanner{line, classes}
	switch {
	case s.skip(`{"kind":"train",`):
		row := new(Train)
		return row, s.train(row)
	case s.skip(`{"kind":"class",`):
		row := new(Class)
		return row, s.class(row)
	}
	return nil, false
}

// scanner takes one expected piece after the other from the front
// of a line. Every method says whether the piece was there.
type scanner struct {
	rest    []byte
	classes *names
}

// names are those of classes, each text once, in order: every row has them.
type names struct{ known []string }

// mostNames are kept.
const mostNames = 256

// keep is the text of a name, whose place in order is not before at, and its place.
func (n *names) keep(text []byte, at int) (string, int) {
	for at < len(n.known) && n.known[at] < string(text) {
		at++
	}
	if at < len(n.known) && n.known[at] == string(text) {
		return n.known[at], at
	}
	name := string(text)
	if len(n.known) < mostNames {
		n.known = slices.Insert(n.known, at, name)
	}
	return name, at
}

func (s *scanner) skip(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) end() bool { return len(s.rest) == 0 }

func (s *scanner) head(h *Head, kind string) bool {
	h.Kind = kind
	return s.skip(`"step":`) && s.int(&h.Step) && s.skip(`,"time":`) && s.number(&h.Time)
}

func (s *scanner) train(r *Train) bool {
	return s.head(&r.Head, "train") &&
		s.skip(`,"epoch":`) && s.float(&r.Epoch) &&
		s.skip(`,"loss":`) && s.float(&r.Loss) &&
		s.skip(`,"loss_plain":`) && s.float(&r.LossPlain) &&
		s.skip(`,"lr":`) && s.float(&r.LR) &&
		s.skip(`,"grad_norm":`) && s.float(&r.GradNorm) &&
		s.skip(`,"tokens":`) && s.int(&r.Tokens) &&
		s.skip(`,"samples":`) && s.int(&r.Samples) &&
		s.skip(`,"tokens_per_s":`) && s.float(&r.TokensPerSecond) &&
		s.skip(`,"seconds":{"data":`) && s.float(&r.Seconds.Data) &&
		s.skip(`,"forward":`) && s.float(&r.Seconds.Forward) &&
		s.skip(`,"backward":`) && s.float(&r.Seconds.Backward) &&
		s.skip(`,"optimizer":`) && s.float(&r.Seconds.Optimizer) &&
		s.skip(`}`) && s.ranks(&r.Ranks) && s.skip(`}`) && s.end()
}

// ranks takes the parts of several processes, where they are there.
func (s *scanner) ranks(list *[]Rank) bool {
	if !s.skip(`,"ranks":[`) {
		return true
	}
	*list = make([]Rank, 0, bytes.Count(s.rest, []byte(`{`)))
	for !s.skip(`]`) {
		if len(*list) > 0 && !s.skip(`,`) {
			return false
		}
		var r Rank
		if !s.skip(`{"loss":`) || !s.float(&r.Loss) || !s.skip(`,"seconds":`) || !s.float(&r.Seconds) || !s.skip(`}`) {
			return false
		}
		*list = append(*list, r)
	}
	return len(*list) > 0
}

func (s *scanner) class(r *Class) bool {
	if !s.head(&r.Head, "class") || !s.skip(`,"losses":{`) {
		return false
	}
	r.Losses = make(ClassLosses, 0, bytes.Count(s.rest, []byte(`{"n":`)))
	for at := 0; !s.skip(`}}`); {
		n := len(r.Losses)
		if n > 0 && !s.skip(`,`) {
			return false
		}
		name, is := s.text()
		if !is || n > 0 && r.Losses[n-1].Name >= string(name) {
			return false
		}
		var l ClassLoss
		l.Name, at = s.classes.keep(name, at)
		if !s.skip(`:{"n":`) || !s.int(&l.N) || !s.skip(`,"loss":`) || !s.float(&l.Loss) || !s.skip(`}`) {
			return false
		}
		r.Losses = append(r.Losses, l)
	}
	return s.end()
}

// text takes a text in quotes that has nothing to be unescaped.
func (s *scanner) text() (text []byte, is bool) {
	if !s.skip(`"`) {
		return nil, false
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return nil, false
	}
	text, s.rest = s.rest[:end], s.rest[end+1:]
	ascii := true
	for _, b := range text {
		if b == '\\' || b < 0x20 {
			return nil, false
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	return text, ascii || utf8.Valid(text)
}

// int takes a whole number of at most 18 digits.
func (s *scanner) int(v *int) bool {
	i, negative := 0, false
	if i < len(s.rest) && s.rest[i] == '-' {
		i, negative = i+1, true
	}
	first, n := i, 0
	for i < len(s.rest) && s.rest[i]-'0' <= 9 {
		n = n*10 + int(s.rest[i]-'0')
		if i++; i-first > 18 {
			return false
		}
	}
	if i == first || s.rest[first] == '0' && i > first+1 {
		return false
	}
	if i < len(s.rest) && (s.rest[i] == '.' || s.rest[i]|0x20 == 'e') {
		return false
	}
	if negative {
		n = -n
	}
	*v, s.rest = n, s.rest[i:]
	return true
}

func (s *scanner) float(v *Float) bool { return s.number((*float64)(v)) }

// exact are the powers of ten that a float64 holds exactly.
var exact = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// number takes a number in JSON's grammar. Digits that fit 53 bits and a small power of ten give the nearest float64 by
// one rounding (Clinger 1990, "How to read floating point numbers accurately"); anything else is strconv's.
func (s *scanner) number(v *float64) bool {
	text, i := s.rest, 0
	var m uint64 // the digits as one number, good while they are no more than 18
	digits := func() (n int) {
		for i < len(text) && text[i]-'0' <= 9 {
			m = m*10 + uint64(text[i]-'0')
			i, n = i+1, n+1
		}
		return n
	}
	negative := i < len(text) && text[i] == '-'
	if negative {
		i++
	}
	from := i
	whole := digits()
	if whole == 0 || whole > 1 && text[from] == '0' {
		return false
	}
	fraction, power := 0, 0
	if i < len(text) && text[i] == '.' {
		i++
		if fraction = digits(); fraction == 0 {
			return false
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		mantissa := m
		i++
		minus := i < len(text) && text[i] == '-'
		if minus || i < len(text) && text[i] == '+' {
			i++
		}
		first := i
		if n := digits(); n == 0 || n > 4 {
			return false
		}
		for _, b := range text[first:i] {
			power = power*10 + int(b-'0')
		}
		if minus {
			power = -power
		}
		m = mantissa
	}
	s.rest = text[i:]
	power -= fraction
	if whole+fraction <= 18 && m < 1<<53 && power >= -22 && power <= 22 {
		f := float64(m)
		if power < 0 {
			f /= exact[-power]
		} else {
			f *= exact[power]
		}
		if *v = f; negative {
			*v = math.Copysign(f, -1)
		}
		return true
	}
	f, err := strconv.ParseFloat(string(text[:i]), 64)
	*v = f
	return err == nil
}
