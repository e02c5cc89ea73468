package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"finetui/core/config"
	"finetui/core/filehash"
)

// State is a name for everything that reading a set depends on: this build of the program, the constants, how the set
// is laid out, and the stat identity of each of its files. Sets of one state read alike, so that what was worked out
// of one can be kept.
type State [sha256.Size]byte

// StateOf finds out in which state a set is without reading its labels and pictures: every file is looked at, and none
// is opened but the one that says how the set is laid out. ok is false where a state cannot be told so, and for small
// sets, which are read as quickly: where one file labels all, where lists name the pictures, where folders are linked
// or cannot be read, where other sets join, and where a file was changed a moment ago.
//
// A set without any label file is looked for elsewhere (explainMissing), which is not part of its state.
func StateOf(ctx context.Context, cfg config.Dataset, root string) (state State, ok bool) {
	program, known := programIdentity()
	if !known || cfg.Path == "" || !cfg.NoSets() && openRegistry(ctx, root, len(cfg.Sets) > 0) != nil {
		return state, false
	}
	reader, at, err := choose(cfg.Format, below(root, cfg.Path))
	teller, can := reader.(teller)
	if err != nil || !can {
		return state, false
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %d %s %q %q\n%#v\n", program, os.Geteuid(), reader.name(), root, at, cfg)
	sum.Write(knownDamageState(root))
	if !teller.tell(ctx, at, requestOf(cfg, root), sum) {
		return state, false
	}
	return State(sum.Sum(nil)), true
}

// teller is a format whose sets have states.
type teller interface {
	// tell writes how a set is laid out, and what its files are like. ok is false where that cannot be told.
	tell(ctx context.Context, at string, ask request, to hash.Hash) (ok bool)
}

func (yolo) tell(ctx context.Context, at string, ask request, to hash.Hash) (ok bool) {
	plan, err := planYOLO(at, ask.media)
	if err != nil || plan.yaml == nil || plan.yaml.names == nil { // other names may come from other files
		return false
	}
	splits, err := plan.wanted(ask)
	if err != nil {
		return false
	}
	st, err := status(plan.yaml.file)
	if err != nil || filehash.Fresh(statOf(&st), time.Now()) {
		return false
	}
	fmt.Fprintf(to, "%v %q %q %+v %q %+v\n", statOf(&st), plan.root, plan.media, plan.rules(), plan.names,
		plan.findings)
	trees := map[string]*tree{}
	var order []string
	var team sync.WaitGroup
	walk := func(folder string) {
		if trees[folder] == nil {
			t := &tree{sum: sha256.New(), root: folder, now: time.Now()}
			trees[folder], order = t, append(order, folder)
			team.Go(func() { t.told = t.walk(ctx, folder, 0) })
		}
	}
	for _, split := range splits {
		fmt.Fprintf(to, "%q %q\n", split.name, split.folders)
		if len(split.listings) > 0 {
			return false
		}
		for _, folder := range split.folders {
			walk(folder)
			walk(plan.labelFolder(pictureRoot(folder)))
		}
	}
	team.Wait()
	walked, pictures := map[string]bool{}, []string(nil)
	for _, folder := range order {
		for _, inner := range trees[folder].folders {
			walked[inner.path] = true
			if inner.pictures {
				pictures = append(pictures, inner.path)
			}
		}
	}
	for _, folder := range pictures { // that may have labels in another place than their split's
		labels := plan.labelFolder(folder)
		fmt.Fprintf(to, "%q %q\n", folder, labels)
		if !walked[labels] {
			walk(labels)
			team.Wait()
		}
	}
	files := 0
	for _, folder := range order {
		t := trees[folder]
		if !t.told || ctx.Err() != nil {
			return false
		}
		files += t.files
		fmt.Fprintf(to, "%q %x\n", folder, t.sum.Sum(nil))
	}
	return files >= keepFrom
}

// tree is what the files of a folder and of the folders within are like, as far as walk would visit them.
type tree struct {
	sum     hash.Hash
	root    string
	now     time.Time // before the first was looked at
	told    bool
	files   int
	folders []treeFolder
	text    []byte // memory that is used again
}

type treeFolder struct {
	path     string
	pictures bool // it has some
}

// walk looks at the files of a folder in the order in which the system lists them, which is that of before as long as
// nothing changes. A folder that is not there has nothing in it.
func (t *tree) walk(ctx context.Context, folder string, depth int) (told bool) {
	dir, err := os.Open(folder)
	if err != nil {
		return os.IsNotExist(err) && folder == t.root
	}
	defer dir.Close()
	at := len(t.folders)
	t.folders = append(t.folders, treeFolder{path: folder})
	var inner []string
	for ctx.Err() == nil {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				continue
			}
			st, err := statusAt(int(dir.Fd()), name, unix.AT_SYMLINK_NOFOLLOW)
			linked := err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
			if linked {
				if st, err = statusAt(int(dir.Fd()), name, 0); err != nil {
					st, err = unix.Stat_t{}, nil // it leads nowhere
				}
			}
			stat := statOf(&st)
			switch isFolder := st.Mode&unix.S_IFMT == unix.S_IFDIR; {
			case err != nil, linked && isFolder, !isFolder && filehash.Fresh(stat, t.now):
				return false
			case isFolder:
				inner, stat = append(inner, name), filehash.Stat{} // what is in it tells
			case isPicture(name):
				t.folders[at].pictures = true
			}
			t.files++
			t.add(name, st.Mode, stat)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false
		}
	}
	t.add("", 0, filehash.Stat{}) // the end of the folder
	if depth == deepest {
		return ctx.Err() == nil
	}
	slices.Sort(inner)
	for _, name := range inner {
		if !t.walk(ctx, filepath.Join(folder, name), depth+1) {
			return false
		}
	}
	return ctx.Err() == nil
}

func (t *tree) add(name string, mode uint32, stat filehash.Stat) {
	text := binary.AppendUvarint(t.text[:0], uint64(len(name)))
	text = binary.LittleEndian.AppendUint32(append(text, name...), mode)
	for _, n := range [...]uint64{uint64(stat.Size), uint64(stat.Modified), uint64(stat.Changed), stat.Inode,
		stat.Device} {
		text = binary.LittleEndian.AppendUint64(text, n)
	}
	t.sum.Write(text)
	t.text = text
}
