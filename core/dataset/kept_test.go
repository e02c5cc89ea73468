package dataset

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"finetui/core/filehash"
)

const setSize = 120

// largeSet is a set that is large enough to be kept, with findings, and old enough for the times of its files to tell.
func largeSet(t testing.TB) (root string) {
	t.Helper()
	before := keepFrom
	keepFrom = 100
	t.Cleanup(func() { keepFrom = before })
	files := map[string]string{"data.yaml": "names: [a, b]\n"}
	pixels := pictureFile(t, "one.jpg", 16, 12)
	for i := range setSize {
		split := []string{"train", "valid"}[i%10/9]
		files[fmt.Sprintf("%s/images/%04d.jpg", split, i)] = pixels[:len(pixels)-i%7/6] // every seventh is cut off
		switch text := fmt.Sprintf("%d .5 .5 .2 .%d\n", i%2, 1000+i); i % 5 {
		case 0: // no label file
		case 1:
			files[fmt.Sprintf("%s/labels/%04d.txt", split, i)] = "1 .1 .1 .4 .1 .3 .4\n" + text + "9 .5 .5 .1 .1\n"
		default:
			files[fmt.Sprintf("%s/labels/%04d.txt", split, i)] = text
		}
	}
	root = write(t, files)
	settle(t, root)
	return root
}

// settle waits until a change of the files under root would show in their times.
func settle(t testing.TB, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		stat, err := filehash.Look(path)
		for err == nil && filehash.Fresh(stat, time.Now()) {
			time.Sleep(5 * time.Millisecond)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// look reads a set and says how many items were read from their files.
func look(t testing.TB, root string) (set *Dataset, read int) {
	t.Helper()
	set, err := Read(context.Background(), testConfig("."), root, func(_, total int, what string) {
		if what == "reading labels and pictures" {
			read = total
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, read
}

func keptFile(t testing.TB, root string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".finetui", "looks", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kept files %q, %v", files, err)
	}
	return files[0]
}

func TestASecondLookReadsWhatHasChangedAlone(t *testing.T) {
	root := largeSet(t)
	first, read := look(t, root)
	if read != setSize || len(first.Findings) < 40 {
		t.Fatalf("the first look reads %d of %d items and finds %d", read, setSize, len(first.Findings))
	}
	second, read := look(t, root)
	if read != 0 || !reflect.DeepEqual(first, second) {
		t.Fatalf("the second look reads %d items, or differs", read)
	}
	changed := filepath.Join(root, "train/labels/0002.txt")
	old, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(changed)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{
		changed: bytes.Replace(old, []byte("0 "), []byte("1 "), 1), // as long as before
		filepath.Join(root, "train/labels/0000.txt"): []byte(box),
	} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(changed, before.ModTime(), before.ModTime()); err != nil { // and as old
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "valid/images/0119.jpg")); err != nil {
		t.Fatal(err)
	}
	third, read := look(t, root)
	if read != 2 || len(third.Items) != setSize-1 {
		t.Errorf("the third look reads %d of %d items, want 2 of %d", read, len(third.Items), setSize-1)
	}
	if o := third.Find("train/0002").Objects; o[0].Class != 1 {
		t.Errorf("the changed label is not seen: %+v", o)
	}
	if o := third.Find("train/0000").Objects; len(o) != 1 {
		t.Errorf("the new label is not seen: %+v", o)
	}
}

func TestAnythingInPlaceOfAKeptLookIsReadAnew(t *testing.T) {
	root := largeSet(t)
	want, _ := look(t, root)
	path := keptFile(t, root)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var broken [][]byte
	for i := range 40 {
		b := bytes.Clone(whole)
		b[i*len(b)/40] ^= 1 << (i % 8)
		broken = append(broken, b, whole[:i*len(whole)/40])
	}
	for i, content := range append(broken, append(bytes.Clone(whole), "more"...), []byte("something else")) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, read := look(t, root); read == 0 && i < 80 || !reflect.DeepEqual(got, want) {
			t.Fatalf("case %d: a broken look is taken: %d items read", i, read)
		}
		if _, read := look(t, root); read != 0 {
			t.Fatalf("case %d: the look is not mended: %d items read", i, read)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, _ := look(t, root); !reflect.DeepEqual(got, want) {
		t.Error("a folder in place of the look changes the set")
	}
	if err := os.RemoveAll(filepath.Join(root, ".finetui")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, ".finetui"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _ := look(t, root); !reflect.DeepEqual(got, want) {
		t.Error("a place that cannot be written changes the set")
	}
}

func TestALookIsKeptForItsRulesAlone(t *testing.T) {
	root := largeSet(t)
	look(t, root)
	if err := os.WriteFile(filepath.Join(root, "data.yaml"), []byte("names: [a]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	set, read := look(t, root)
	if read != setSize {
		t.Errorf("with another list of names %d of %d items are read", read, setSize)
	}
	for _, item := range set.Items {
		for _, o := range item.Objects {
			if o.Class > 0 {
				t.Fatalf("%s has class %d of 1", item.ID, o.Class)
			}
		}
	}
}

func TestFewPicturesAreNotKept(t *testing.T) {
	root := write(t, map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "",
		"train/labels/1.txt": box})
	look(t, root)
	if _, err := os.Stat(filepath.Join(root, ".finetui", "looks")); err == nil {
		t.Error("a small set leaves a look behind")
	}
}

// TestEveryFieldIsKept fails where a field is added to what reading an item gives and kept.go does not know it.
func TestEveryFieldIsKept(t *testing.T) {
	var item Item
	var found Finding
	fill(reflect.ValueOf(&item).Elem())
	fill(reflect.ValueOf(&found).Elem())
	id := identity{filehash.Stat{Size: 1, Modified: 2, Changed: 3, Inode: 4, Device: 5}, filehash.Stat{Size: 6,
		Modified: 7, Changed: 8, Inode: 9, Device: 10}}
	seen := glance{11, 12, 13}
	r := record{rest: (&keeper{labels: true}).append(nil, 14, id, &item, []Finding{found}, seen)}
	name, gotID := r.number64(), r.identity()
	got := Item{ID: item.ID, Split: item.Split, Media: item.Media, Labels: item.Labels, Clip: item.Clip,
		Group: item.Group, Spelling: item.Spelling, Set: item.Set} // those come with the listing, or later
	gotFound, gotSeen := r.item(&desk{}, &got)
	if name != 14 || gotID != id || gotSeen != seen || r.broken || len(r.rest) > 0 {
		t.Errorf("got name %d, %+v, %+v, broken %t, %d bytes left", name, gotID, gotSeen, r.broken, len(r.rest))
	}
	if !reflect.DeepEqual(got, item) || !reflect.DeepEqual(gotFound, []Finding{found}) {
		t.Errorf("got\n%+v %+v, want\n%+v %+v", got, gotFound, item, found)
	}
}

// fill sets every field to something that is not its zero.
func fill(v reflect.Value) {
	if v.Type() == reflect.TypeFor[Group]() {
		v.Set(reflect.ValueOf(GroupOf("text")))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("text")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Int, reflect.Int32:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(8)
	case reflect.Float64:
		v.SetFloat(.1)
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic(v.Kind().String() + " is not known here")
	}
}
