package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"finetui/core/filehash"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// computing are the small files of a base that change what it computes, with all bytes of its weights.
var computing = append([]string{"config.json", "generation_config.json", "tokenizer.json", "preprocessor_config.json",
	"processor_config.json"}, weights.IndexNames...)

// identity finds out which base it is: it hashes all bytes of the files that its answers depend on. Unchanged files are
// hashed once a project. It begins when somebody asks or Identify says that somebody will, and ends with Close.
type identity struct {
	dir   string
	store *filehash.Store
	paths []string
	stats map[string]filehash.Stat // when they were opened
	stop  context.Context
	end   context.CancelFunc

	mutex       sync.Mutex
	done        chan struct{} // nil: not begun
	read, total int64         // bytes
	value       string
	err         error
}

// look is the files' identities. Files that a base need not have may be missing.
func look(dir string, names []string) (map[string]filehash.Stat, error) {
	stats := map[string]filehash.Stat{}
	for _, name := range names {
		stat, err := filehash.Look(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		stats[name] = stat
	}
	return stats, nil
}

// everything is what in a folder, and in those that it holds, may be part of a base.
func everything(dir string) (names []string) {
	names = slices.Clone(computing)
	regular := func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular()
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if regular(e.Name()) {
			names = append(names, e.Name())
			continue
		}
		within, _ := os.ReadDir(filepath.Join(dir, e.Name()))
		for _, w := range within {
			if name := filepath.Join(e.Name(), w.Name()); regular(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// names are the files of a base that its answers depend on: weights are what was opened.
func (b *Base) names() []string {
	names := append(slices.Clone(computing), b.Kind.Files()...)
	for _, path := range b.checkpoint.Files() {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func newIdentity(dir string, store *filehash.Store, stats map[string]filehash.Stat) *identity {
	stop, end := context.WithCancel(context.Background())
	i := &identity{dir: dir, store: store, stats: stats, stop: stop, end: end}
	for name, stat := range stats {
		i.paths = append(i.paths, name)
		i.total += stat.Size
	}
	slices.Sort(i.paths)
	return i
}

// begin starts the work unless it has been started; the channel closes when it is done.
func (i *identity) begin() <-chan struct{} {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.done == nil {
		i.done = make(chan struct{})
		go i.work(i.done)
	}
	return i.done
}

func (i *identity) work(done chan struct{}) {
	defer close(done)
	value, err := i.hash()
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.value, i.err = value, err
}

// worthKeeping is the size from which reading a base again takes longer than keeping what it is, in bytes.
const worthKeeping = 64 << 20

func (i *identity) hash() (string, error) {
	whole := sha256.New()
	fmt.Fprintln(whole, "finetui base 2")
	var before int64
	for _, name := range i.paths {
		path := filepath.Join(i.dir, name)
		sum, stat, err := i.store.SumStat(i.stop, path, func(done, _ int64) {
			i.mutex.Lock()
			i.read = before + done
			i.mutex.Unlock()
		})
		if err != nil {
			return "", err
		}
		if then := i.stats[name]; stat.Size != then.Size || stat.Modified != then.Modified || stat.Inode != then.Inode {
			return "", fmt.Errorf("%s was changed or replaced since it was opened: open the base again", path)
		}
		before += stat.Size
		fmt.Fprintf(whole, "%q %d %s\n", name, stat.Size, sum)
	}
	if i.total >= worthKeeping {
		i.store.Flush()
	}
	return hex.EncodeToString(whole.Sum(nil)), nil
}

// Identify says that Fingerprint will be asked for: it begins to read, beside whatever else is done.
func (b *Base) Identify() { b.identity.begin() }

// Fingerprint names the base by all that its answers depend on: every byte of its weights, its configuration, tokenizer
// and processor. The first time on a project these are read, at the speed of the disk; report is told how far that is.
// Files that were replaced since the base was opened are an error.
func (b *Base) Fingerprint(ctx context.Context, report Progress) (string, error) {
	i := b.identity
	if err := i.wait(ctx, report); err != nil {
		return "", err
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.err != nil {
		return "", fmt.Errorf("MODEL.BASE = %q: %w", b.Name, i.err)
	}
	return i.value, nil
}

func (i *identity) wait(ctx context.Context, report Progress) error {
	done := i.begin()
	select {
	case <-done:
		return nil
	default:
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if report != nil {
				i.mutex.Lock()
				read := i.read
				i.mutex.Unlock()
				report(int(read>>20), int(i.total>>20), "MB of the base read, to know it by its content")
			}
		}
	}
}

// Known is the fingerprint where that takes no long reading.
func (b *Base) Known(ctx context.Context) (string, bool) {
	i := b.identity
	if i.total >= worthKeeping {
		for _, name := range i.paths {
			if _, ok := i.store.Known(filepath.Join(i.dir, name), i.stats[name]); !ok {
				return "", false
			}
		}
	}
	value, err := b.Fingerprint(ctx, nil)
	return value, err == nil
}

// WeightFiles are the paths of the base's weight files.
func (b *Base) WeightFiles() []string { return b.checkpoint.Files() }

// Stamp tells the files of the base that was opened, as they lay on the disk then, from all others; nothing is read. told
// is false where one was changed a moment ago, so that it may change again unseen.
func (b *Base) Stamp() (stamp [sha256.Size]byte, told bool) {
	sum, now := sha256.New(), time.Now()
	fmt.Fprintf(sum, "%q\n", b.Dir)
	for _, name := range b.identity.paths {
		stat := b.identity.stats[name]
		if filehash.Fresh(stat, now) {
			return stamp, false
		}
		fmt.Fprintf(sum, "%q %v\n", name, stat)
	}
	return [sha256.Size]byte(sum.Sum(nil)), true
}

// Changed says whether the base's files on disk are others than those that were opened.
func (b *Base) Changed() bool {
	now, err := look(b.Dir, b.names())
	if err != nil || len(now) != len(b.identity.stats) {
		return true
	}
	for name, stat := range now {
		if then := b.identity.stats[name]; stat.Size != then.Size || stat.Modified != then.Modified ||
			stat.Inode != then.Inode {
			return true
		}
	}
	return false
}

// Check holds the base against the fingerprint that was written down when whose work began
// ("0003-enhanced"); empty: none was. The note is something to bear in mind where it cannot
// be told for certain; an error says that it is another base.
func (b *Base) Check(ctx context.Context, then, whose string, report Progress) (note string, err error) {
	if then == "" {
		return "", nil
	}
	now, err := b.Fingerprint(ctx, report)
	if err != nil || now == then {
		return "", err
	}
	if len(then) == oldLength {
		if now, err = headsAndTails(b.Dir); err != nil {
			return "", err
		}
		if now == then {
			return fmt.Sprintf("%s was started by an older build, which knew a base by the first and last MiB of "+
				"its weights only. "+
				"These are the same in %s; whether all the rest is, cannot be told", whose, b.Name), nil
		}
	}
	return "", fmt.Errorf("the base %s is not the one that %s was started with (fingerprint %s, then %s): "+
		"put its files of then back, or start a new run", b.Name, whose, Short(now), Short(then))
}

// Short is as much of a fingerprint as people compare.
func Short(fingerprint string) string { return fingerprint[:min(len(fingerprint), 12)] }

// oldLength is that of the fingerprints of builds before this one.
const oldLength = 16

// headsAndTails is the fingerprint of older builds: of each weight file its size, its head and its tail.
func headsAndTails(dir string) (string, error) {
	const sample = 1 << 20
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, e := range entries {
		name := e.Name()
		weights := strings.HasSuffix(name, ".safetensors")
		if e.IsDir() || !weights &&
			!slices.Contains([]string{"config.json", "tokenizer.json", "preprocessor_config.json"}, name) {
			continue
		}
		f, err := wholefile.Open(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		info, err := f.Stat()
		if err == nil {
			fmt.Fprintln(sum, name, info.Size())
			if size := info.Size(); weights && size > 2*sample {
				_, err = io.Copy(sum, io.MultiReader(io.NewSectionReader(f, 0, sample), io.NewSectionReader(f,
					size-sample, sample)))
			} else {
				_, err = io.Copy(sum, f)
			}
		}
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:oldLength], nil
}

// OldFingerprint is what builds before this one wrote into run.json; empty where the files cannot be read.
func (b *Base) OldFingerprint() string {
	f, _ := headsAndTails(b.Dir)
	return f
}
