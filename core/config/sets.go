package config

import (
	"fmt"
	"strconv"
	"strings"
)

// NoSets is the entry of DATASET.SETS by which no other set joins.
const NoSets = "none"

// NoSets says that no other set joins.
func (d *Dataset) NoSets() bool { return len(d.Sets) == 1 && d.Sets[0] == NoSets }

// Mixed is an entry of DATASET.SETS: a set that joins, and how much of its train split.
type Mixed struct {
	Name  string
	Share float64 // above 0, at most 1
}

// ParseMixed reads NAME or NAME:SHARE.
func ParseMixed(entry string) (Mixed, error) {
	m := Mixed{Name: strings.TrimSpace(entry), Share: 1}
	name, share, is := cutLast(m.Name, ":")
	if !is {
		return m, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
	if err != nil || !(v > 0 && v <= 1) {
		return m, fmt.Errorf("%s: a share stands behind the colon, above 0 and at most 1, as %s:0.3", quote(entry),
			strings.TrimSpace(name))
	}
	return Mixed{strings.TrimSpace(name), v}, nil
}

// String is the entry as ParseMixed reads it.
func (m Mixed) String() string {
	if m.Share == 1 {
		return m.Name
	}
	return m.Name + ":" + strconv.FormatFloat(m.Share, 'g', -1, 64)
}

func cutLast(text, sep string) (before, after string, found bool) {
	at := strings.LastIndex(text, sep)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(sep):], true
}

// sets checks DATASET.SETS.
func (p *problems) sets(entries []string) {
	p.distinct("DATASET.SETS", entries)
	named := map[string]string{}
	for _, entry := range entries {
		m, err := ParseMixed(entry)
		switch other, twice := named[m.Name]; {
		case err != nil:
			p.err("DATASET.SETS", "has the entry %v", err)
		case m.Name == NoSets && len(entries) > 1:
			p.err("DATASET.SETS", "has %s beside others: that no set joins is said alone", quote(NoSets))
		case twice && other != entry:
			p.err("DATASET.SETS", "names the set %s twice", quote(m.Name))
		}
		named[m.Name] = entry
	}
}
