package dataset

import (
	"bufio"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// leaks notes pictures that lie in two splits: the same bytes, or variants of one photograph by the name that Roboflow
// gives them. bytes are the sizes of the files; only files of equal size are read. short names a file in a finding. An
// error is that of ctx.
func leaks(ctx context.Context, items []Item, bytes []int64, short func(string) string, report Progress) (found []Finding, err error) {
	same, err := sameBytes(ctx, items, bytes, report)
	if err != nil {
		return nil, err
	}
	said := map[int]bool{}
	for i, other := range same {
		if other >= 0 {
			said[i] = true
			found = append(found, newFinding(SameImage, short(items[i].Media), 0, "the same picture as %s", short(items[other].Media)))
		}
	}
	sources := map[string]int{}
	for i, item := range items {
		source, _, variant := strings.Cut(path.Base(item.ID), ".rf.")
		if !variant {
			continue
		}
		first, there := sources[source]
		if !there {
			sources[source] = i
		} else if items[first].Split != item.Split && !said[i] && items[first].Media != item.Media {
			found = append(found, newFinding(SameSource, short(item.Media), 0, "another variant of %s", short(items[first].Media)))
		}
	}
	return found, nil
}

// sameBytes returns, for each item, an earlier item of another split whose picture has the same bytes, preferably one of
// the same name; -1 where there is none. One file read for two splits is not meant: its folder has been noted.
func sameBytes(ctx context.Context, items []Item, bytes []int64, report Progress) ([]int, error) {
	same := make([]int, len(items))
	bySize := map[int64][]int{}
	for i, size := range bytes {
		same[i] = -1
		if size > 0 {
			bySize[size] = append(bySize[size], i)
		}
	}
	var groups [][]int
	done, total := 0, 0
	for i, size := range bytes {
		if group := bySize[size]; size > 0 && group[0] == i && twoSplits(items, group) {
			groups = append(groups, group)
			total += len(group)
		}
	}
	for _, group := range groups {
		byHash := map[[sha256.Size]byte][]int{}
		for _, member := range group {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if done++; report != nil { // pictures that are not compressed are all of one size: this may take long
				report(done, total, "comparing pictures of equal size")
			}
			hash, err := hashFile(items[member].Media)
			if err != nil {
				continue // it was readable a moment ago; the next reading will say what became of it
			}
			for _, other := range byHash[hash] {
				if items[other].Split == items[member].Split || items[other].Media == items[member].Media {
					continue
				}
				if same[member] < 0 || path.Base(items[other].ID) == path.Base(items[member].ID) {
					same[member] = other
				}
			}
			byHash[hash] = append(byHash[hash], member)
		}
	}
	return same, nil
}

func twoSplits(items []Item, group []int) bool {
	return slices.ContainsFunc(group, func(i int) bool { return items[i].Split != items[group[0]].Split })
}

func hashFile(path string) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, bufio.NewReader(file)); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}
