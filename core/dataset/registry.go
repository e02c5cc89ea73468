package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/ml/wholefile"
)

// The registry is a folder of sets that join that of DATASET.PATH: DATASET_DIR of the environment. In it, sets.json
// names sets as {"NAME": {"annotation_path": …, "data_path": …}}, from that folder; QVED's is known without. A set that
// is there joins by itself; DATASET.SETS names those that are meant, and of a name that sets.json does not know
// NAME.json, NAME.jsonl or the folder NAME is the set.
const (
	registryVariable = "DATASET_DIR"
	registryFolder   = "playground/data" // where the environment names none
	registryFile     = "sets.json"
)

// registered is a set as the registry names it.
type registered struct {
	name       string
	annotation string   // file or folder of the labels
	data       string   // folder of the pictures or clips; "" where it is not named
	tried      []string // beside annotation, where none is there
}

func (s *registered) there() bool {
	_, err := os.Stat(s.annotation)
	return err == nil
}

// known are the sets that are looked for where no sets.json names them.
var known = []registered{{name: "qved", annotation: "MobileGPT/qved_train.json", data: "QVED"}}

// registry is the sets of a folder.
type registry struct {
	folder   string
	sets     []registered
	findings []Finding // of sets.json
}

// setsFrom is the key of SetsFrom.
type setsFrom struct{}

// SetsFrom names the folder of the sets that join, in place of the environment; "" for none. A run remembers its own.
func SetsFrom(ctx context.Context, folder string) context.Context {
	return context.WithValue(ctx, setsFrom{}, folder)
}

// openRegistry reads the registry; nil where there is none, and none is asked for. root is the folder of config.toml.
func openRegistry(ctx context.Context, root string, asked bool) *registry {
	folder, fixed := ctx.Value(setsFrom{}).(string)
	switch variable := os.Getenv(registryVariable); {
	case fixed:
	case variable != "":
		folder = variable
	case isFolder(below(root, registryFolder)):
		folder = registryFolder
	}
	if folder == "" && !asked {
		return nil
	}
	folder = cmp.Or(folder, registryFolder) // where they are looked for
	r := &registry{folder: below(root, folder)}
	r.readFile()
	for _, s := range known {
		if r.find(s.name) == nil {
			s.annotation, s.data = below(r.folder, s.annotation), below(r.folder, s.data)
			r.sets = append(r.sets, s)
		}
	}
	return r
}

// readFile reads sets.json, where there is one.
func (r *registry) readFile() {
	path := filepath.Join(r.folder, registryFile)
	if _, err := os.Lstat(path); err != nil {
		return
	}
	file, err := wholefile.Open(path)
	if err == nil {
		defer file.Close()
		in := newJSONReader(file)
		err = in.object(func(key []byte) error {
			s := registered{name: readable(string(key))}
			if in.peek() != '{' {
				return in.skip()
			}
			err := in.object(func(key []byte) (err error) {
				switch string(key) {
				case "annotation_path":
					s.annotation, err = in.plainText()
				case "data_path":
					s.data, err = in.plainText()
				default:
					err = in.skip()
				}
				return err
			})
			if err == nil && s.annotation == "" {
				r.findings = append(r.findings, newFinding(BadRegistry, readable(path), 0,
					"names no annotation_path for the set %s", quote(s.name)))
			} else if err == nil && r.find(s.name) == nil {
				s.annotation = below(r.folder, s.annotation)
				if s.data != "" {
					s.data = below(r.folder, s.data)
				}
				r.sets = append(r.sets, s)
			}
			return err
		})
	}
	if fault := (*jsonFault)(nil); errors.As(err, &fault) {
		r.findings = append(r.findings, newFinding(BadRegistry, readable(path), lineOf(path, fault.at),
			"is no JSON from here on: %s", fault.why))
	} else if err != nil {
		r.findings = append(r.findings, newFinding(BadRegistry, readable(path), 0, "cannot be read: %v", bare(err)))
	}
}

func (r *registry) find(name string) *registered {
	for i := range r.sets {
		if r.sets[i].name == name {
			return &r.sets[i]
		}
	}
	return nil
}

// named is the set of a name that sets.json knows, or that lies in the folder under that name.
func (r *registry) named(name string) registered {
	if s := r.find(name); s != nil {
		return *s
	}
	at := below(r.folder, filepath.FromSlash(name))
	s := registered{name: name, annotation: at + ".json", tried: []string{at + ".jsonl", at}}
	for _, path := range append([]string{s.annotation}, s.tried...) {
		if _, err := os.Stat(path); err == nil {
			s.annotation = path
			break
		}
	}
	return s
}

// pick is a set that joins, and how much of it.
type pick struct {
	registered
	share float64
	named bool // in DATASET.SETS
}

// choose finds the sets that join: those of DATASET.SETS, all of which must be there, or else all that are. passed are
// those that are not.
func (r *registry) choose(entries []string) (picks []pick, passed []registered, err error) {
	if len(entries) == 0 {
		for _, s := range r.sets {
			if s.there() {
				picks = append(picks, pick{s, 1, false})
			} else {
				passed = append(passed, s)
			}
		}
		return picks, passed, nil
	}
	for _, entry := range entries {
		m, err := config.ParseMixed(entry)
		if err != nil {
			return nil, nil, &config.Unusable{Key: "DATASET.SETS", Text: err.Error()}
		}
		s := r.named(m.Name)
		if !s.there() {
			return nil, nil, &config.Unusable{Key: "DATASET.SETS", Text: r.missing(&s)}
		}
		picks = append(picks, pick{s, m.Share, true})
	}
	return picks, nil, nil
}

// missing says which file of a named set was looked for.
func (r *registry) missing(s *registered) string {
	if len(s.tried) == 0 {
		return fmt.Sprintf("the set %q is not there: there is no %s: put it there, take it out of DATASET.SETS, or set "+
			"%s, which is %s", s.name, readable(s.annotation), registryVariable, readable(r.folder))
	}
	var names []string
	for i := range r.sets {
		names = append(names, r.sets[i].name)
	}
	text := fmt.Sprintf("the set %q is not there: there is no %s, nor %s; %s of %s knows %s", s.name,
		readable(s.annotation), readable(strings.Join(s.tried, " or ")), registryFile, readable(r.folder),
		strings.Join(names, ", "))
	if slices.Contains([]string{trainSplit, "valid", "test"}, config.SplitName(s.name)) {
		text += "; splits are named in DATASET.SPLITS"
	}
	return text
}

// Offered is a set that DATASET.SETS names or, where it names none, that joins by itself where it is there.
type Offered struct {
	Name  string
	Path  string // of its labels
	There bool
	Text  string // what is wrong with a set that is named and not there
}

// OfferedSets are the sets that Read would join, and the folder in which they are looked for; "" where there is none.
// root is the folder of config.toml. No set is opened.
func OfferedSets(ctx context.Context, cfg config.Dataset, root string) (folder string, sets []Offered) {
	if cfg.NoSets() {
		return "", nil
	}
	r := openRegistry(ctx, root, len(cfg.Sets) > 0)
	if r == nil {
		return "", nil
	}
	if len(cfg.Sets) == 0 {
		for _, s := range r.sets {
			sets = append(sets, Offered{Name: s.name, Path: s.annotation, There: s.there()})
		}
		return r.folder, sets
	}
	for _, entry := range cfg.Sets {
		m, err := config.ParseMixed(entry)
		if err != nil {
			continue // which the configuration says
		}
		s := r.named(m.Name)
		o := Offered{Name: m.String(), Path: s.annotation, There: s.there()}
		if !o.There {
			o.Text = r.missing(&s)
		}
		sets = append(sets, o)
	}
	return r.folder, sets
}

// passedOver says that a set which nobody named is not there.
func (r *registry) passedOver(s *registered) Finding {
	return Finding{Code: SetAbsent, Level: level.Info, Text: fmt.Sprintf("the set %s is passed over: there is no %s",
		s.name, readable(s.annotation)), Do: rulings[SetAbsent].do}
}
