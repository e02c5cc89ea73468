package infer

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"finetui/core/dataset"
	"finetui/views"
)

// chosen are the samples of a split that a filter lets through: all of so many, or some by their numbers.
type chosen struct {
	all  int
	some []int // nil: all
}

func (c chosen) len() int {
	if c.some == nil {
		return c.all
	}
	return len(c.some)
}

// at is the number of the sample in a place.
func (c chosen) at(place int) int {
	if c.some == nil {
		return place
	}
	return c.some[place]
}

// place is where a sample stands; -1 where it is not among them.
func (c chosen) place(sample int) int {
	if c.some == nil {
		if sample < c.all {
			return sample
		}
		return -1
	}
	if at, there := slices.BinarySearch(c.some, sample); there {
		return at
	}
	return -1
}

// choose are the samples whose ID or answer passes the filter. A million of them are looked at with every letter that
// is typed, so names are looked at once for all objects of a picture, and the names of classes once.
func choose(ctx context.Context, filter views.Filter, set *dataset.Dataset, samples *dataset.Objects) chosen {
	c := chosen{all: samples.Len()}
	if filter.Text() == "" {
		return c
	}
	c.some = []int{}
	byClass := make([]bool, len(set.Classes))
	for i, class := range set.Classes {
		byClass[i] = filter.Passes(class.Name)
	}
	last, byName, numbered := -1, false, false
	for n, ref := range samples.All() {
		if ctx.Err() != nil {
			return c
		}
		item := &set.Items[ref.Item]
		if last != ref.Item {
			last, byName = ref.Item, filter.Passes(item.ID)
			numbered = !byName && meansNumber(filter.Text(), len(item.Objects))
		}
		passes := byName || numbered && filter.Passes(dataset.ObjectID(item.ID, ref.Object))
		if object := &item.Objects[ref.Object]; !passes && object.Text != nil {
			passes = filter.Passes(object.Text.Answer)
		} else if !passes {
			passes = byClass[object.Class]
		}
		if passes {
			c.some = append(c.some, n)
		}
	}
	return c
}

// meansNumber says whether a word of a filter can be found in an ID of one of n objects, and not in its picture's.
func meansNumber(text string, n int) bool {
	most := len(strconv.Itoa(n - 1))
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool {
		_, err := strconv.Atoi(word)
		return strings.Contains(word, "#") || err == nil && len(word) <= most
	})
}
