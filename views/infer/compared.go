package infer

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
)

// mostCompared are so many evaluations that their pairs are done in a moment: the base and the newest runs.
const mostCompared = 8

// compared is what comparing came to.
type compared struct {
	table *eval.Board
	sides []session.Kept // in the order of the table
	words session.Texts  // empty: not every side has answers in free words
	left  []string       // who was left out, and why
}

// compareResults compares the evaluations of the split when they are looked at and have not been yet.
func (v *compare) compareResults() tea.Cmd {
	of := versions(v.now.kept) + v.reference
	if v.of == of {
		return nil
	}
	v.of = of
	s, kept, reference := v.session, v.now.kept, v.reference
	return views.Ask(&v.request, func(context.Context) (compared, error) { return compareKept(s, kept, reference) })
}

// versions tells evaluations from others and from what they were before.
func versions(kept []session.Kept) string {
	text := "."
	for _, k := range kept {
		text += fmt.Sprintln(k.Path, k.When.UnixNano())
	}
	return text
}

// compareKept compares what can be read and was asked with one closed list, that of the newest evaluation. The
// reference comes first, so that every difference is one from it.
func compareKept(s *session.Session, kept []session.Kept, reference string) (compared, error) {
	var c compared
	var list []eval.Label
	for i := len(kept) - 1; i >= 0 && list == nil; i-- {
		if kept[i].Result != nil {
			list = kept[i].Result.ClosedList
		}
	}
	for _, k := range kept {
		switch {
		case k.Fault != nil:
			c.left = append(c.left, k.Name+": "+printable.Error(k.Fault))
		case !sameList(k.Result.ClosedList, list):
			c.left = append(c.left, k.Name+": it was asked with another closed list; evaluate it again")
		default:
			c.sides = append(c.sides, k)
		}
	}
	named := func(k session.Kept) bool { return k.Name == reference }
	if i := slices.IndexFunc(c.sides, named); i > 0 {
		one := c.sides[i]
		c.sides = slices.Insert(slices.Delete(c.sides, i, i+1), 0, one)
	}
	if over := len(c.sides) - mostCompared; over > 0 {
		first := 0
		if c.sides[0].Name == session.Base || named(c.sides[0]) {
			first = 1
		}
		c.left = append(c.left, fmt.Sprintf("the %d oldest runs", over))
		c.sides = append(c.sides[:first:first], c.sides[first+over:]...)
	}
	if len(c.sides) < 2 {
		return c, nil
	}
	var err error
	if c.table, err = s.Board(c.sides); err == nil {
		c.words, err = session.CompareTexts(c.sides, uint64(s.Project.Config.Project.Seed))
	}
	return c, err
}

func sameList(a, b []eval.Label) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (v *compare) answered(msg views.Answer[compared]) {
	if !v.request.Takes(msg.Ticket) {
		return
	}
	v.request.Close()
	name := v.nameAt(v.cursor.Index)
	v.compared, v.err = msg.Value, msg.Err
	if name == "" {
		v.cursor.Index = len(v.sides) - 1 // the newest run
	}
	for i, k := range v.sides {
		if k.Name == name {
			v.cursor.Index = i
		}
	}
	v.board.Layout = compareLayout(len(v.sides))
}

func (v *compare) nameAt(i int) string {
	if i < 0 || i >= len(v.sides) {
		return ""
	}
	return v.sides[i].Name
}

// second is the place of the subject that is compared with the reference, which stands at 0: the one under the cursor,
// the next one where that is the reference itself; false where there are no two.
func (v *compare) second() (place int, ok bool) {
	return max(v.cursor.At(len(v.sides)), 1), v.table != nil && len(v.sides) > 1
}

// comparison is the board's of the reference and the subject under the cursor, or nil.
func (v *compare) comparison() *eval.Comparison {
	place, ok := v.second()
	if !ok {
		return nil
	}
	return &v.table.Pairs[place-1] // the pairs of the first subject come first
}

func (v *compare) text() string {
	switch c := v.wording(); {
	case v.table == nil:
		return ""
	case c != nil:
		return c.Text()
	}
	return v.table.Text()
}
