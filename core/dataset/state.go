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
	if cfg.Path == "" {
		return state, false
	}
	reader, at, err := choose(cfg.Format, below(root, cfg.Path))
	teller, can := reader.(teller)
	if err != nil || !can {
		return state, false
	}
	return tellState(ctx, cfg, root, reader.name(), at, func(to hash.Hash) bool {
		return teller.tell(ctx, at, requestOf(cfg, root), to)
	})
}

// State is the state that the set was in before it was read, as StateOf would have told it.
func (d *Dataset) State() (state State, ok bool) {
	if d.state == nil {
		return state, false
	}
	return *d.state, true
}

// tellState puts a state together, of everything and what layout tells of the files.
func tellState(ctx context.Context, cfg config.Dataset, root, format, at string,
	layout func(to hash.Hash) bool) (state State, ok bool) {
	program, known := filehash.Program()
	if !known || !cfg.NoSets() && openRegistry(ctx, root, len(cfg.Sets) > 0) != nil {
		return state, false
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %d %s %q %q\n%#v\n", program, os.Geteuid(), format, root, at, cfg)
	sum.Write(knownDamageState(root))
	if !layout(sum) {
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
	if err != nil || !plan.tells() {
		return false
	}
	splits, err := plan.wanted(ask)
	if err != nil {
		return false
	}
	s := survey{alone: true}
	var team sync.WaitGroup
	for _, split := range splits {
		for _, folder := range split.folders {
			if c, isNew := s.add(ctx, folder); isNew {
				team.Go(func() { c.walk(folder, pictureFiles) })
			}
			labels := plan.labelFolder(pictureRoot(folder))
			if c, isNew := s.add(ctx, labels); isNew {
				team.Go(func() { c.walk(labels, textFiles) })
			}
		}
	}
	team.Wait()
	return s.tell(ctx, plan, splits, to)
}

// tells says whether a set so laid out may have a state: its names stand in data.yaml, where they are seen.
func (p *yoloPlan) tells() bool {
	return p.yaml != nil && p.yaml.names != nil && p.stat != filehash.Stat{}
}

// survey is what walks through the folders of a set saw, in the order in which they began.
type survey struct {
	order []string
	of    map[string]*census
	alone bool // nothing else is made of what is seen
}

// add is the census of a folder; it is new where no walk through this folder has begun.
func (s *survey) add(ctx context.Context, folder string) (c *census, isNew bool) {
	if c := s.of[folder]; c != nil {
		return c, false
	}
	if s.of == nil {
		s.of = map[string]*census{}
	}
	c = newCensus(ctx, folder)
	c.alone = s.alone
	s.of[folder], s.order = c, append(s.order, folder)
	return c, true
}

// tell writes all that was seen.
func (s *survey) tell(ctx context.Context, plan *yoloPlan, splits []yoloSplit, to hash.Hash) (ok bool) {
	if !plan.tells() {
		return false
	}
	fmt.Fprintf(to, "%v %q %q %#v\n%#v\n", plan.stat, plan.root, plan.media, plan.rules(), plan.findings)
	for _, split := range splits {
		if len(split.listings) > 0 {
			return false
		}
		fmt.Fprintf(to, "%q %q\n", split.name, split.folders)
	}
	walked, pictures := map[string]bool{}, []string(nil)
	for _, folder := range s.order {
		for _, inner := range s.of[folder].folders {
			walked[inner.path] = true
			if inner.pictures {
				pictures = append(pictures, inner.path)
			}
		}
	}
	for _, folder := range pictures { // that may have labels in another place than their split's
		labels := plan.labelFolder(folder)
		fmt.Fprintf(to, "%q %q\n", folder, labels)
		if c, isNew := s.add(ctx, labels); isNew && !walked[labels] {
			c.walk(labels, textFiles)
		}
	}
	files := 0
	for _, folder := range s.order {
		c := s.of[folder]
		if c.untold || ctx.Err() != nil {
			return false
		}
		files += c.files
		fmt.Fprintf(to, "%q %x\n", folder, c.sum.Sum(nil))
	}
	return files >= keepFrom
}

// census is what all files of a folder and of the folders within are like, as far as a walk comes to them.
type census struct {
	ctx     context.Context
	sum     hash.Hash
	root    string
	now     time.Time // before the first was looked at
	alone   bool      // walks come to folders only
	untold  bool      // they were not all seen, or may change unseen
	files   int
	folders []censusFolder
	text    []byte // memory that is used again
}

type censusFolder struct {
	path     string
	pictures bool // it has some
}

func newCensus(ctx context.Context, folder string) *census {
	return &census{ctx: ctx, sum: sha256.New(), root: filepath.Clean(folder), now: time.Now()}
}

// walk looks at the files of the folder and of those within that enter lets in.
func (c *census) walk(folder string, enter func(path string, isFolder bool, stat filehash.Stat) bool) {
	w := walker{visit: enter, census: c}
	w.run(folder)
}

// entries are the names in a folder, looked at.
func (c *census) entries(folder string) (found []entry, err error) {
	at := len(c.folders)
	c.folders = append(c.folders, censusFolder{path: folder})
	dir, err := os.Open(folder)
	if err != nil {
		// one that is not there has nothing in it, and will be seen when it comes
		c.untold = c.untold || !(os.IsNotExist(err) && folder == c.root)
		return nil, err
	}
	defer dir.Close()
	var all [4]uint64
	for err == nil {
		var names []string
		names, err = dir.Readdirnames(1024)
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				continue
			}
			e, there := c.look(dir, name)
			if !there { // it went away meanwhile
				c.untold = true
				continue
			}
			if !e.isFolder {
				c.folders[at].pictures = c.folders[at].pictures || isPicture(name)
				c.files++
			}
			c.add(&all, e)
			if e.isFolder || !c.alone {
				found = append(found, e)
			}
		}
		if err == nil {
			err = c.ctx.Err()
		}
	}
	if err == io.EOF {
		err = nil
	}
	c.untold = c.untold || err != nil
	fmt.Fprintf(c.sum, "%q %x\n", folder, all)
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return found, err
}

// look looks at a name in a folder that is open.
func (c *census) look(dir *os.File, name string) (e entry, there bool) {
	e.name = name
	st, err := statusAt(int(dir.Fd()), name, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return e, false
	}
	linked := st.Mode&unix.S_IFMT == unix.S_IFLNK
	if linked {
		if st, err = statusAt(int(dir.Fd()), name, 0); err != nil {
			st = unix.Stat_t{} // it leads nowhere
		}
	}
	e.mode, e.isFolder = st.Mode, st.Mode&unix.S_IFMT == unix.S_IFDIR
	e.linked = linked && e.isFolder
	if isRegular(&st) {
		e.stat = statOf(&st)
	}
	c.untold = c.untold || e.linked || filehash.Fresh(statOf(&st), c.now) && !e.isFolder
	return e, true
}

// add adds an entry to those of its folder: a sum of hashes, since a folder is listed in any order.
func (c *census) add(all *[4]uint64, e entry) {
	text := binary.LittleEndian.AppendUint32(append(c.text[:0], e.name...), e.mode)
	for _, n := range [...]uint64{uint64(e.stat.Size), uint64(e.stat.Modified), uint64(e.stat.Changed), e.stat.Inode,
		e.stat.Device} {
		text = binary.LittleEndian.AppendUint64(text, n)
	}
	sum := sha256.Sum256(text)
	for i := range all {
		all[i] += binary.LittleEndian.Uint64(sum[8*i:])
	}
	c.text = text
}
