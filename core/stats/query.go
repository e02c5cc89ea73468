package stats

import (
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/level"
)

// Filter chooses items and objects. An empty field lets everything pass; of several values one must fit.
type Filter struct {
	Classes    []string // names of classes
	Objects    []string // object types
	Conditions []string
	Split      string
	Findings   []string // codes of findings; AnyFinding for all of them
	Text       string   // part of the id, in any case of letters
}

// AnyFinding is among Filter.Findings what every item with a finding passes.
const AnyFinding = "*"

// Index answers what a screen asks of a data set.
type Index struct {
	set      *dataset.Dataset
	findings [][]int // by item: places in set.Findings
	itemOf   []int32 // by place in set.Findings: the item; -1: it is about none
}

// NewIndex prepares the answers; the set must not change afterwards.
func NewIndex(set *dataset.Dataset) *Index {
	x := &Index{set: set, findings: make([][]int, len(set.Items)), itemOf: make([]int32, len(set.Findings))}
	itemOf := make(map[string]int, len(set.Findings)) // by the files that findings name; -1: none
	for i := range set.Findings {
		itemOf[set.Findings[i].File] = -1
	}
	for i := range set.Items {
		for _, file := range []string{set.Items[i].Media, set.Items[i].Labels} {
			if file == "" {
				continue
			}
			short := set.Short(file)
			if _, named := itemOf[short]; named {
				itemOf[short] = i
			}
		}
	}
	for f := range set.Findings {
		i := itemOf[set.Findings[f].File]
		if x.itemOf[f] = int32(i); i >= 0 {
			x.findings[i] = append(x.findings[i], f)
		}
	}
	return x
}

// Findings returns what is wrong with an item, worst first.
func (x *Index) Findings(item int) []dataset.Finding {
	found := make([]dataset.Finding, 0, len(x.findings[item]))
	for _, f := range x.findings[item] {
		found = append(found, x.set.Findings[f])
	}
	return found
}

// ItemOf is the item that the finding at a place in the set's is about; -1 where it is about none.
func (x *Index) ItemOf(finding int) int { return int(x.itemOf[finding]) }

// Items returns the places of the items that pass, in the set's order. Where the filter asks for a class, an object
// type or a condition, an item passes that holds such an object.
func (x *Index) Items(f Filter) (passed []int) {
	classes := x.classes(f)
	for i := range x.set.Items {
		if x.itemPasses(i, f) && (classes == nil || holds(&x.set.Items[i], classes)) {
			passed = append(passed, i)
		}
	}
	return passed
}

// Objects returns the objects that pass, in the set's order.
func (x *Index) Objects(f Filter) (passed []dataset.Ref) {
	classes := x.classes(f)
	for i := range x.set.Items {
		if !x.itemPasses(i, f) {
			continue
		}
		for j := range x.set.Items[i].Objects {
			if classes == nil || classes[x.set.Items[i].Objects[j].Class] {
				passed = append(passed, dataset.Ref{Item: i, Object: j})
			}
		}
	}
	return passed
}

// classes marks the classes that pass; nil where all do.
func (x *Index) classes(f Filter) []bool {
	if len(f.Classes)+len(f.Objects)+len(f.Conditions) == 0 {
		return nil
	}
	pass := make([]bool, len(x.set.Classes))
	for i, class := range x.set.Classes {
		pass[i] = among(f.Classes, class.Name) && among(f.Objects, class.Object) && among(f.Conditions, class.Condition)
	}
	return pass
}

// among says whether a value fits: it is one of those asked for, or none is.
func among(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func (x *Index) itemPasses(i int, f Filter) bool {
	item := &x.set.Items[i]
	if f.Split != "" && item.Split != f.Split {
		return false
	}
	if f.Text != "" && !strings.Contains(strings.ToLower(item.ID), strings.ToLower(f.Text)) {
		return false
	}
	return len(f.Findings) == 0 || slices.ContainsFunc(x.findings[i], func(place int) bool {
		return slices.Contains(f.Findings, AnyFinding) || slices.Contains(f.Findings, x.set.Findings[place].Code)
	})
}

func holds(item *dataset.Item, classes []bool) bool {
	for o := range item.Objects {
		if classes[item.Objects[o].Class] {
			return true
		}
	}
	return false
}

// FindingGroup is all findings of one code.
type FindingGroup struct {
	Code  string
	Level level.Level // the worst of the group
	N     int
	First dataset.Finding
}

// GroupFindings sums findings up by code, in the order in which the codes come up: worst first in a set's own list.
func GroupFindings(all []dataset.Finding) (groups []FindingGroup) {
	at := map[string]int{}
	for _, f := range all {
		place, there := at[f.Code]
		if !there {
			place = len(groups)
			at[f.Code] = place
			groups = append(groups, FindingGroup{Code: f.Code, Level: f.Level, First: f})
		}
		groups[place].N++
	}
	return groups
}
