package dataset

import "testing"

func TestObjectsAreNumberedInTheOrderOfTheSet(t *testing.T) {
	set := &Dataset{Items: []Item{
		{ID: "train/a", Split: "train", Objects: make([]Object, 2)},
		{ID: "valid/b#1", Split: "valid", Objects: make([]Object, 3)},
		{ID: "valid/empty", Split: "valid"},
		{ID: "valid/c", Split: "valid", Objects: make([]Object, 12)},
	}}
	for split, want := range map[string]int{"": 17, "train": 2, "valid": 15, "test": 0} {
		list := set.Objects(split)
		if list.Len() != want {
			t.Errorf("split %q has %d objects, want %d", split, list.Len(), want)
		}
		seen := 0
		for n, ref := range list.All() {
			item := &set.Items[ref.Item]
			found, there := list.Find(ObjectID(item.ID, ref.Object))
			if n != seen || list.At(n) != ref || list.Item(n) != item || found != n || !there {
				t.Errorf("split %q, object %d: %d, %v, %q, found %d %v", split, seen, n, list.At(n), item.ID, found, there)
			}
			seen++
		}
		if seen != want {
			t.Errorf("split %q: %d were gone through, want %d", split, seen, want)
		}
	}
	for _, id := range []string{"", "train/a#0", "valid/b", "valid/b#1", "valid/b#1#3", "valid/b#1#-1", "valid/b#1#01",
		"valid/empty#0", "valid/c#x"} {
		if n, there := set.Objects("valid").Find(id); there {
			t.Errorf("%q is object %d of valid", id, n)
		}
	}
}
