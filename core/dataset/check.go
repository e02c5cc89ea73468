package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"finetui/core/filehash"
	"finetui/ml/picture"
	"finetui/ml/wholefile"
)

// judgePicture decodes a picture file and says what is wrong or doubtful about it; no file is named yet.
func judgePicture(file []byte) []Finding {
	notes, err := picture.Examine(file)
	return PictureFindings("", notes, err)
}

// Check is what decoding the pictures of a set found.
type Check struct {
	Findings []Finding
	Broken   []int // items that cannot be shown, though their headers looked well
}

// CheckPictures decodes every picture of the splits that a look at its header found whole. project is the folder whose
// .finetui keeps what was found by content, so that no picture is decoded twice; "" keeps nothing. The set is not
// changed. An error is that of ctx; what was found until then is kept.
func (d *Dataset) CheckPictures(ctx context.Context, project string, splits []string, report Progress) (Check, error) {
	var items []int // the first of each file
	seen := map[string]bool{}
	for i := range d.Items {
		item := &d.Items[i]
		if slices.Contains(splits, item.Split) && item.Media != "" && item.Clip == nil && !item.Broken &&
			!seen[item.Media] {
			seen[item.Media] = true
			items = append(items, i)
		}
	}
	known, store := openVerdicts(project), filehash.In(project)
	found := make([][]Finding, len(items))
	err := share(ctx, len(items), "decoding pictures", report, func() func(i int) {
		var buffer []byte
		var in folder
		return func(i int) { found[i], buffer = known.of(store, place{path: d.Items[items[i]].Media, in: &in}, buffer) }
	})
	store.Flush()
	known.save()
	if err != nil {
		return Check{}, err
	}
	var c Check
	broken := map[string]bool{}
	for i, list := range found {
		media := d.Items[items[i]].Media
		for _, f := range list {
			broken[media] = broken[media] || f.Code == UnreadableImage
			f.File = d.Short(media)
			c.Findings = append(c.Findings, f)
		}
	}
	for i := range d.Items {
		if item := &d.Items[i]; broken[item.Media] && !item.Broken {
			c.Broken = append(c.Broken, i)
		}
	}
	sortFindings(c.Findings)
	return c, nil
}

// Add takes what a check found into a set that nobody else uses yet.
func (d *Dataset) Add(c Check) {
	for _, i := range c.Broken {
		d.Items[i].Broken = true
	}
	all := slices.Concat(d.Own().Findings, c.Findings)
	sortFindings(all)
	if d.own != nil {
		rest := d.Findings[d.own.findings:]
		d.own.findings = len(all)
		all = append(all, rest...)
	}
	d.Findings = all
}

// verdicts is what decoding pictures found, by what they hold.
type verdicts struct {
	path string // empty: nothing is kept

	mutex sync.Mutex
	well  map[contentKey]bool // true where it was asked for
	bad   map[contentKey]badPicture
	dirty bool
}

// contentKey is the first half of a file's SHA-256.
type contentKey [16]byte

// badPicture is a picture of which something is to be said, and the file it was last seen in.
type badPicture struct {
	Path     string
	Stat     filehash.Stat
	Findings []Finding
}

// keptPicture is a badPicture as it is kept.
type keptPicture struct {
	Key contentKey
	badPicture
}

const (
	verdictTitle = "finetui pictures 1\n"
	mostVerdicts = 2 << 20 // pictures that are known to be well
)

// verdictFile is where the verdicts of a project's pictures are kept.
func verdictFile(project string) string {
	if _, known := filehash.Program(); project == "" || !known {
		return ""
	}
	return filepath.Join(project, ".finetui", "pictures")
}

func openVerdicts(project string) *verdicts {
	v := &verdicts{path: verdictFile(project), well: map[contentKey]bool{}, bad: map[contentKey]badPicture{}}
	file, bad, err := readVerdicts(v.path)
	if err != nil {
		return v
	}
	defer file.Close()
	rest, err := io.ReadAll(io.LimitReader(file, 4+mostVerdicts*int64(len(contentKey{}))+1))
	if err != nil || len(rest) < 4 || crc32.Checksum(rest[4:], castagnoli) != binary.LittleEndian.Uint32(rest) {
		return v
	}
	for keys := rest[4:]; len(keys) >= len(contentKey{}); keys = keys[len(contentKey{}):] {
		v.well[contentKey(keys)] = false
	}
	v.bad = bad
	return v
}

// readVerdicts reads the pictures of which something is to be said; the file is left where the others begin.
func readVerdicts(path string) (*os.File, map[contentKey]badPicture, error) {
	if path == "" {
		return nil, nil, errors.New("nothing is kept")
	}
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	bad, err := func() (map[contentKey]badPicture, error) {
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil, errors.New("no file")
		}
		program, _ := filehash.Program()
		key := sha256.Sum256([]byte(program))
		head := make([]byte, len(verdictTitle)+len(key))
		if _, err := io.ReadFull(file, head); err != nil || string(head) != verdictTitle+string(key[:]) {
			return nil, errors.New("not this program's")
		}
		text, err := readBlock(file, nil)
		if err != nil {
			return nil, err
		}
		var list []keptPicture
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, err
		}
		bad := map[contentKey]badPicture{}
		for _, b := range list {
			bad[b.Key] = b.badPicture
		}
		return bad, nil
	}()
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, bad, nil
}

// save writes what is new. It fails in silence: the pictures are decoded again then.
func (v *verdicts) save() {
	if v.path == "" || !v.dirty || os.MkdirAll(filepath.Dir(v.path), 0o755) != nil {
		return
	}
	if info, err := os.Lstat(v.path); err == nil && !info.Mode().IsRegular() {
		return // somebody else's
	}
	text, err := json.Marshal(badList(v.bad))
	if err != nil {
		return
	}
	keys := make([]byte, 0, len(v.well)*len(contentKey{}))
	for _, asked := range []bool{true, false} { // of too many, those that were asked for stay
		for key, a := range v.well {
			if a == asked && len(keys) < mostVerdicts*len(key) {
				keys = append(keys, key[:]...)
			}
		}
	}
	program, _ := filehash.Program()
	key := sha256.Sum256([]byte(program))
	_ = wholefile.Create(v.path, 0o644, func(out io.Writer) error {
		head := append([]byte(verdictTitle), key[:]...)
		head = binary.LittleEndian.AppendUint32(head, uint32(len(text)))
		head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(text, castagnoli))
		tail := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(keys, castagnoli))
		for _, part := range [][]byte{head, text, tail, keys} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// of is what is to be said of a picture. It is read unless its hash is known, and decoded unless its content is.
func (v *verdicts) of(store *filehash.Store, at place, buffer []byte) ([]Finding, []byte) {
	now, path := time.Now(), at.path
	st, err := at.in.status(path)
	if err != nil || !isRegular(&st) {
		return []Finding{newFinding(UnreadableImage, "", 0, "it is not there any more")}, buffer
	}
	stat := statOf(&st)
	if sum, ok := store.Known(path, stat); ok {
		if found, ok := v.find(contentKey(sum[:])); ok {
			return found, buffer
		}
	}
	file, err := openFile(at)
	if err == nil {
		if int64(cap(buffer)) < file.size {
			buffer = make([]byte, file.size)
		}
		err = file.read(buffer[:cap(buffer)])
		file.close()
	}
	if err != nil {
		return []Finding{newFinding(UnreadableImage, "", 0, "%v", bare(err))}, buffer
	}
	sum := filehash.Sum(sha256.Sum256(file.head))
	if !filehash.Fresh(stat, now) && int64(len(file.head)) == stat.Size {
		store.Keep(path, stat, sum)
	}
	found, ok := v.find(contentKey(sum[:]))
	if !ok {
		found = judgePicture(file.head)
	}
	v.take(contentKey(sum[:]), badPicture{path, stat, found}, !ok)
	return found, buffer
}

func (v *verdicts) find(key contentKey) ([]Finding, bool) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if _, ok := v.well[key]; ok {
		v.well[key] = true
		return nil, true
	}
	b, ok := v.bad[key]
	return b.Findings, ok
}

func (v *verdicts) take(key contentKey, b badPicture, isNew bool) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if len(b.Findings) == 0 {
		v.well[key] = true
		v.dirty = v.dirty || isNew
		return
	}
	v.bad[key] = b
	v.dirty = true
}

// knownBad are the pictures of which an earlier check had something to say.
func knownBad(project string) map[contentKey]badPicture {
	file, bad, err := readVerdicts(verdictFile(project))
	if err != nil {
		return nil
	}
	file.Close()
	return bad
}

// knownDamageState tells one list of what knownDamage may add from another.
func knownDamageState(project string) []byte {
	bad := knownBad(project)
	if len(bad) == 0 {
		return nil
	}
	text, err := json.Marshal(badList(bad))
	if err != nil { // a list of strings and numbers has JSON
		panic(err)
	}
	return text
}

// badList is the list in the order of the keys.
func badList(bad map[contentKey]badPicture) []keptPicture {
	list := make([]keptPicture, 0, len(bad))
	for key, b := range bad {
		list = append(list, keptPicture{key, b})
	}
	slices.SortFunc(list, func(a, b keptPicture) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return list
}

// knownDamage adds what an earlier check found of pictures that have not changed since, so that every look at the set
// says it.
func (d *Dataset) knownDamage(project string, sights *sights) {
	bad := knownBad(project)
	if len(bad) == 0 {
		return
	}
	byPath := make(map[string]badPicture, len(bad))
	for _, b := range bad {
		byPath[b.Path] = b
	}
	said := map[string]bool{}
	for i := range d.Items {
		item := &d.Items[i]
		b, there := byPath[item.Media]
		if !there || b.Stat != sights.stat(i) || item.Broken {
			continue
		}
		for _, f := range b.Findings {
			item.Broken = item.Broken || f.Code == UnreadableImage
			if f.File = d.Short(item.Media); !said[item.Media] {
				d.Findings = append(d.Findings, f)
			}
		}
		said[item.Media] = true
	}
}
