package dataset

import (
	"context"
	"crypto/sha256"
	"path"
	"slices"
	"strings"

	"finetui/core/filehash"
)

// leaks notes pictures that are there twice where once is meant: the same bytes in two splits, or in train with other
// labels; and variants of one photograph in two splits, by the name that Roboflow gives them. short names a file in a
// finding, and store knows hashes. An error is that of ctx.
func leaks(ctx context.Context, items []Item, sights *sights, store *filehash.Store, short func(string) string,
	report Progress) (found []Finding, err error) {
	groups, err := samePictures(ctx, items, sights, store, report)
	if err != nil {
		return nil, err
	}
	said := map[int]bool{}
	for _, group := range groups {
		for i, other := range elsewhere(items, group) {
			if other >= 0 {
				said[group[i]] = true
				found = append(found, newFinding(SameImage, short(items[group[i]].Media), 0, "the same picture as %s",
					short(items[other].Media)))
			}
		}
		for _, pair := range contradictions(items, group) {
			found = append(found, newFinding(SameImageOtherLabels, short(items[pair[1]].Media), 0,
				"the same picture as %s, with other labels", short(items[pair[0]].Media)))
		}
	}
	sources := map[string]int{}
	for i := range items {
		item := &items[i]
		source, _, variant := strings.Cut(path.Base(item.ID), ".rf.")
		if !variant {
			continue
		}
		first, there := sources[source]
		if !there {
			sources[source] = i
		} else if items[first].Split != item.Split && !said[i] && items[first].Media != item.Media {
			found = append(found, newFinding(SameSource, short(item.Media), 0, "another variant of %s",
				short(items[first].Media)))
		}
	}
	return found, nil
}

// elsewhere returns, for each member of a group of equal pictures, an earlier one of another
// split, the first of the same name where there is one; -1 where there is none. One file read
// for two splits is not meant: its folder has been noted.
func elsewhere(items []Item, group []int) []int {
	other := make([]int, len(group))
	var firsts []int // the first picture of each split so far
	named := map[string]int{}
	for i, member := range group {
		item := &items[member]
		other[i] = -1
		for _, first := range firsts {
			if items[first].Split != item.Split && items[first].Media != item.Media {
				other[i] = first
				break
			}
		}
		name := path.Base(item.ID)
		if first, there := named[name]; !there {
			named[name] = member
		} else if items[first].Split != item.Split && items[first].Media != item.Media {
			other[i] = first
		}
		if !slices.ContainsFunc(firsts, func(f int) bool { return items[f].Split == item.Split }) {
			firsts = append(firsts, member)
		}
	}
	return other
}

// contradictions returns the members of a group of equal pictures that train learns from with other labels than those
// of an earlier member, each with that one.
func contradictions(items []Item, group []int) (pairs [][2]int) {
	first, files := -1, map[string]bool{}
	known := map[[sha256.Size]byte]bool{} // ways to label it
	for _, member := range group {
		item := &items[member]
		if item.Split != trainSplit || files[item.Media] {
			continue
		}
		files[item.Media] = true
		labels := labelling(item.Objects)
		if first < 0 {
			first = member
		} else if !known[labels] {
			pairs = append(pairs, [2]int{first, member})
		}
		known[labels] = true
	}
	return pairs
}

const trainSplit = "train"

// labelling is the same for lists of the same objects, in whatever order.
func labelling(objects []Object) [sha256.Size]byte {
	rows := make([]string, len(objects))
	for i := range objects {
		rows[i] = string(appendObject(nil, &objects[i]))
	}
	slices.Sort(rows)
	return sha256.Sum256([]byte(strings.Join(rows, "")))
}

// samePictures returns the groups of items whose pictures have the same bytes, of those of whom that matters: in two
// splits, or several in train. Files are read where a glance does not tell them apart.
func samePictures(ctx context.Context, items []Item, sights *sights, store *filehash.Store,
	report Progress) (groups [][]int, err error) {
	alike := groupBy(len(items), func(i int) (glance, bool) { return sights.glances[i], sights.glances[i].bytes > 0 })
	var read []int
	for _, group := range alike {
		if matters(items, group) {
			read = append(read, group...)
		}
	}
	slices.Sort(read)
	hashes := make([]filehash.Sum, len(read))
	whole := make([]bool, len(read)) // it was readable a moment ago; else the next reading says what became of it
	err = share(ctx, len(read), "comparing pictures of equal size", report, func() func(i int) {
		buffer := make([]byte, 64<<10)
		return func(i int) {
			at := read[i]
			path, stat := items[at].Media, sights.stat(at)
			if hashes[i], whole[i] = store.Known(path, stat); whole[i] {
				return
			}
			if hashes[i], whole[i] = hashFile(path, stat.Size, buffer); whole[i] && !sights.fresh(at) {
				store.Keep(path, stat, hashes[i])
			}
		}
	})
	if err != nil {
		return nil, err
	}
	store.Flush()
	for _, group := range groupBy(len(read), func(i int) (filehash.Sum, bool) { return hashes[i], whole[i] }) {
		for i := range group {
			group[i] = read[group[i]]
		}
		if matters(items, group) {
			groups = append(groups, group)
		}
	}
	return groups, nil
}

// groupBy gathers the numbers below n that share a key, in order; groups of one are left out.
func groupBy[K comparable](n int, key func(i int) (k K, counts bool)) (groups [][]int) {
	first := make(map[K]int, n) // the first that has the key
	place := map[K]int{}        // of the key's group, where several have it
	for i := range n {
		k, counts := key(i)
		if !counts {
			continue
		}
		earlier, there := first[k]
		if !there {
			first[k] = i
			continue
		}
		at, there := place[k]
		if !there {
			at = len(groups)
			place[k] = at
			groups = append(groups, []int{earlier})
		}
		groups[at] = append(groups[at], i)
	}
	return groups
}

// matters says whether it is worth a finding that these are one picture.
func matters(items []Item, group []int) bool {
	train := 0
	for _, i := range group {
		if items[i].Split != items[group[0]].Split {
			return true
		}
		if items[i].Split == trainSplit {
			train++
		}
	}
	return train > 1
}

// hashFile is the SHA-256 of a file of that size; buffer is used to read it.
func hashFile(path string, size int64, buffer []byte) (sum filehash.Sum, whole bool) {
	file, err := openFile(place{path: path})
	if err != nil {
		return sum, false
	}
	defer file.close()
	if file.size != size || file.read(buffer) != nil {
		return sum, false
	}
	if int64(len(file.head)) == size {
		return sha256.Sum256(file.head), true
	}
	hash := sha256.New()
	hash.Write(file.head)
	for at := int64(len(file.head)); at < size; {
		n, err := file.ReadAt(buffer[:min(int64(len(buffer)), size-at)], at)
		if hash.Write(buffer[:n]); err != nil {
			return sum, false
		}
		at += int64(n)
	}
	hash.Sum(sum[:0])
	return sum, true
}
