// Package sweep is a queue of experiments: variants of one configuration, each under several seeds, trained and scored
// one after the other, and compared as recipes. Every experiment is an ordinary run in PROJECT.RUNS, in a process of
// its own; the queue is one more process, which starts them, scores them and survives the terminal. It draws nothing.
//
//	runs/sweeps/NAME/
//		plan.json      what is tried (Plan): written when it is planned, and by who adds seeds or skips something
//		config.toml    the constants that all variants have in common
//		queue.json     what the queue's process has come to (queue); it alone writes it
//		log.txt        what that process says
//		control/       its lock, and the requests to pause and to stop
//
// What has become of an experiment is read from its run, never from the queue: a run may be stopped, resumed or killed
// by itself. A run that was already made under the same constants, data, base and program is used, not repeated.
package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/level"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/ml/wholefile"
)

// Schema is the number in plan.json and queue.json.
const Schema = 1

// The files of a sweep.
const (
	folder    = "sweeps" // in PROJECT.RUNS
	planFile  = "plan.json"
	configure = "config.toml"
	queueFile = "queue.json"
	logFile   = "log.txt"
	lockFile  = "control/lock"
	pauseFile = "control/pause"
	stopFile  = "control/stop"
	editFile  = "control/edit"
)

// Axis is a constant and the values that are tried.
type Axis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// Plan is what is tried.
type Plan struct {
	Schema  int     `json:"schema"`
	Name    string  `json:"name"`
	Created float64 `json:"created"` // Unix seconds
	// Each: one constant at a time is another than in the first variant. Zip: the k-th values of all constants make the
	// k-th variant. Neither: all combinations.
	Each     bool     `json:"each"`
	Zip      bool     `json:"zip,omitempty"`
	Axes     []Axis   `json:"axes"`
	Names    []string `json:"names,omitempty"`   // of the variants in their order; empty: made of their values
	Seeds    []int    `json:"seeds"`             // PROJECT.SEED
	Together int      `json:"together"`          // runs at once; 0: what Plan.share says
	Split    string   `json:"split"`             // that is scored
	Skipped  []string `json:"skipped,omitempty"` // variants, or VARIANT/SEED, that are left out
	RootFrom string   `json:"root_from"`         // the project's folder as seen from this one's
	// SHA-256 of config.toml, which no run may be started from that is another; "" in sweeps of older programs
	Constants string `json:"constants,omitempty"`
}

// Variant is one recipe of a sweep.
type Variant struct {
	Name  string
	Words []string // SECTION.KEY=value, by which it differs from the common constants
}

// Axes takes the constants with several values out of a command line's: "RECIPE.SAMPLING=instance,square_root". The
// values of a constant that is a list itself are parted by |.
func Axes(words []string) (axes []Axis, rest []string) {
	for _, w := range words {
		key, text, _ := strings.Cut(w, "=")
		axis := Axis{Key: key}
		if axis.Values = strings.Split(text, axis.Separator()); len(axis.Values) < 2 {
			rest = append(rest, w)
			continue
		}
		for i := range axis.Values {
			axis.Values[i] = strings.TrimSpace(axis.Values[i])
		}
		axes = append(axes, axis)
	}
	return axes, rest
}

// Variants are the recipes, the one that the others are compared with first.
func (p *Plan) Variants() (list []Variant) {
	for k, at := range p.places() {
		var v Variant
		for a, axis := range p.Axes {
			v.Words = append(v.Words, axis.Key+"="+axis.Values[at[a]])
		}
		if v.Name = p.name(at); k < len(p.Names) {
			v.Name = p.Names[k]
		}
		list = append(list, v)
	}
	return list
}

// places are, for each variant, which of its values each axis has.
func (p *Plan) places() (list [][]int) {
	at := make([]int, len(p.Axes))
	add := func() { list = append(list, slices.Clone(at)) }
	switch {
	case p.Zip:
		for k := range p.Axes[0].Values {
			for a := range at {
				at[a] = k
			}
			add()
		}
		return list
	case p.Each:
		add()
		for a, axis := range p.Axes {
			for at[a] = 1; at[a] < len(axis.Values); at[a]++ {
				add()
			}
			at[a] = 0
		}
		return list
	}
	for {
		add()
		a := len(at) - 1
		for ; a >= 0; a-- { // the last axis runs fastest
			if at[a]++; at[a] < len(p.Axes[a].Values) {
				break
			}
			at[a] = 0
		}
		if a < 0 {
			return list
		}
	}
}

// name is what a variant is called: by its values, or where not all combinations are tried by those that differ from
// the first variant's; by the preset where that says it all.
func (p *Plan) name(at []int) string {
	var names []string
	for a, axis := range p.Axes {
		value := axis.Values[at[a]]
		if p.Zip && axis.Key == recipe.PresetKey {
			if value == string(config.PresetCustom) {
				continue
			}
			return value
		}
		if !p.Each && !p.Zip || value != axis.Values[0] {
			names = append(names, p.short(a, value))
		}
	}
	if len(names) == 0 {
		return "reference"
	}
	return strings.Join(names, " + ")
}

// short names a value of an axis: by itself where it is a word that no other axis has, else with its constant.
func (p *Plan) short(axis int, value string) string {
	_, key, _ := strings.Cut(p.Axes[axis].Key, ".")
	plain := !strings.ContainsAny(value, "0123456789") && value != "true" && value != "false" && value != ""
	for a, other := range p.Axes {
		if a != axis && slices.Contains(other.Values, value) {
			plain = false
		}
	}
	if plain {
		return value
	}
	return key + " " + value
}

// Skips says whether an experiment is left out.
func (p *Plan) Skips(variant string, seed int) bool {
	return slices.Contains(p.Skipped, variant) || slices.Contains(p.Skipped, fmt.Sprintf("%s/%d", variant, seed))
}

// check says what is wrong with a plan for a configuration.
func (p *Plan) check(file *config.Snapshot) error {
	if len(p.Axes) == 0 {
		return errors.New("nothing is varied: give a constant several values, e.g. RECIPE.SAMPLING=instance,square_root")
	}
	if err := run.CheckName(p.Name); err != nil {
		return fmt.Errorf("a sweep is named as a run is: %w", err)
	}
	if p.Each && p.Zip {
		return errors.New("each and zip exclude each other: one constant at a time, or all of them in step")
	}
	for a, axis := range p.Axes {
		err := Varies(axis.Key)
		if err == nil && !p.Zip { // in step a value may come again
			err = axis.Check(file)
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(p.Axes[:a], func(o Axis) bool { return o.Key == axis.Key }) {
			return fmt.Errorf("%s is varied twice: give all its values at once", axis.Key)
		}
		if n := len(p.Axes[0].Values); p.Zip && len(axis.Values) != n {
			return fmt.Errorf("zip takes the values of all constants in step: %s has %d, %s has %d", p.Axes[0].Key, n,
				axis.Key, len(axis.Values))
		}
	}
	if len(p.Seeds) == 0 {
		return errors.New("there is no seed: SEEDS=3, or SEEDS=1,2,3")
	}
	return p.differ(file)
}

// differ says whether the variants can be made, and no two come to the same constants.
func (p *Plan) differ(file *config.Snapshot) error {
	const most = 500
	var known []*config.Config
	variants := p.Variants()
	if n := len(variants); len(p.Names) > 0 && len(p.Names) != n {
		return fmt.Errorf("%d variants have %d names: name all of them or none", n, len(p.Names))
	}
	if len(variants) > most {
		return fmt.Errorf("%d variants are more than a sweep takes (%d): give fewer values, or vary one constant at a "+
			"time (each)", len(variants), most)
	}
	for _, v := range variants {
		s, err := Vary(file, v.Words...)
		if err != nil {
			return err
		}
		for _, problem := range config.Validate(s.Config) {
			if problem.Level == level.Error {
				return fmt.Errorf("%s: %s %s", v.Name, problem.Key, problem.Text)
			}
		}
		for i, other := range known {
			switch {
			case len(config.Diff(other, s.Config)) == 0:
				return fmt.Errorf("two variants are the same, %s and %s: what differs in them comes to the same "+
					"constants", variants[i].Name, v.Name)
			case variants[i].Name == v.Name:
				return fmt.Errorf("two variants have the same name, %s: give each value once", v.Name)
			}
		}
		known = append(known, s.Config)
	}
	return nil
}

// Varies says why a constant is none that a sweep can vary; nil: it is one.
func Varies(key string) error {
	if key == "PROJECT.SEED" {
		return errors.New("PROJECT.SEED is varied by SEEDS: SEEDS=3, or SEEDS=1,2,3")
	}
	if section, _, _ := strings.Cut(key, "."); !slices.Contains(tried, section) {
		return fmt.Errorf("%s makes no other run: a sweep varies %s", key, strings.Join(tried, ", "))
	}
	return nil
}

// Check says what is wrong with a constant and its values for a configuration.
func (a Axis) Check(file *config.Snapshot) error {
	if err := Varies(a.Key); err != nil {
		return err
	}
	if len(a.Values) < 2 {
		return fmt.Errorf("one value is nothing to compare: give %s two or more, with %s between", a.Key, a.Separator())
	}
	var known []string
	for _, value := range a.Values {
		s, err := Vary(file, a.Key+"="+value)
		if err != nil {
			return err
		}
		now := config.Plain(s.Config, a.Key)
		if slices.Contains(known, now) {
			return fmt.Errorf("%s has the value %s twice", a.Key, now)
		}
		known = append(known, now)
	}
	return nil
}

// Separator is what stands between the values of an axis: a comma, or a bar where the constant is a list itself.
func (a Axis) Separator() string {
	if f, err := config.Lookup(a.Key); err == nil && f.Kind == config.List {
		return "|"
	}
	return ","
}

// Word is the axis as a person writes it: RECIPE.SAMPLING=instance,square_root.
func (a Axis) Word() string { return a.Key + "=" + strings.Join(a.Values, a.Separator()) }

// NewAxis reads the values of a constant as a person writes them, without those that are empty.
func NewAxis(key, text string) Axis {
	a := Axis{Key: key}
	for value := range strings.SplitSeq(text, a.Separator()) {
		if value = strings.TrimSpace(value); value != "" {
			a.Values = append(a.Values, value)
		}
	}
	return a
}

// Vary is a configuration with constants changed, and what goes with them: RECIPE.PRESET brings its own.
func Vary(file *config.Snapshot, words ...string) (*config.Snapshot, error) {
	changes, err := config.Overrides(words)
	if err != nil {
		return nil, err
	}
	after, err := recipe.Changed(file.Config, changes...)
	if err != nil {
		return nil, err
	}
	s, err := file.With(changes...)
	if err != nil {
		return nil, err
	}
	return s.With(config.Diff(s.Config, after)...)
}

// tried are the sections whose constants make another run.
var tried = []string{"DATASET", "RECIPE", "MODEL", "LORA", "TRAIN"}

// Sweep is a sweep's folder as anybody reads it.
type Sweep struct {
	Dir  string
	Plan Plan
}

// Create makes the folder of a sweep in a project's runs. It starts nothing.
func Create(file *config.Snapshot, p Plan) (*Sweep, error) {
	if err := p.complete(file); err != nil {
		return nil, err
	}
	p.Created = float64(time.Now().UnixNano()) / 1e9
	dir := filepath.Join(Folder(file), p.Name)
	from, err := filepath.Rel(dir, file.Root)
	if err != nil {
		from = file.Root
	}
	p.RootFrom, p.Constants = from, disk.Sum(file.Raw())
	s := &Sweep{Dir: dir, Plan: p}
	err = wholefile.Folder(dir, func(draft string) error {
		if err := os.Mkdir(filepath.Join(draft, "control"), 0o755); err != nil {
			return err
		}
		if err := wholefile.Write(filepath.Join(draft, configure), file.Raw()); err != nil {
			return err
		}
		return (&Sweep{Dir: draft, Plan: p}).write()
	})
	if err != nil {
		return nil, fmt.Errorf("the sweep cannot be made: %w", err)
	}
	return s, nil
}

// complete gives a plan what it does not say, and says what is wrong with it.
func (p *Plan) complete(file *config.Snapshot) error {
	p.Schema = Schema
	if p.Split == "" {
		p.Split = file.Config.Eval.Split
	}
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(Folder(file), name))
		return err == nil
	}
	if p.Name == "" && len(p.Axes) > 0 {
		stem := p.stem()
		p.Name = stem
		for n := 2; there(p.Name); n++ {
			p.Name = fmt.Sprintf("%s-%d", stem, n)
		}
	}
	if err := p.check(file); err != nil {
		return err
	}
	if there(p.Name) {
		return fmt.Errorf("there is a sweep called %s already: finetui sweep %s shows it; take another name", p.Name,
			p.Name)
	}
	return nil
}

// stem names a plan after the constants that it varies: "sampling-r".
func (p *Plan) stem() string {
	var words []string
	for _, axis := range p.Axes[:min(3, len(p.Axes))] {
		_, key, _ := strings.Cut(axis.Key, ".")
		words = append(words, strings.ToLower(strings.ReplaceAll(key, "_", "-")))
	}
	return strings.Join(words, "-")
}

func (s *Sweep) write() error {
	text, err := disk.Seal(s.Plan, " ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(s.Dir, planFile), text)
}

// Folder is where a project's sweeps are.
func Folder(file *config.Snapshot) string {
	return filepath.Join(file.Abs(file.Config.Project.Runs), folder)
}

// Open reads a sweep by its folder.
func Open(dir string) (*Sweep, error) {
	path := filepath.Join(dir, planFile)
	text, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, err
	}
	s := &Sweep{Dir: dir}
	text, _, broken := disk.Unseal(text)
	if err := errors.Join(broken, json.Unmarshal(text, &s.Plan)); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): put it back from a copy, or plan the sweep again under another name",
			path, err)
	}
	if s.Plan.Schema < 1 || s.Plan.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, this program reads up to %d", path, s.Plan.Schema, Schema)
	}
	if len(s.Plan.Axes) == 0 || slices.ContainsFunc(s.Plan.Axes, func(a Axis) bool {
		return len(a.Values) == 0 || s.Plan.Zip && len(a.Values) != len(s.Plan.Axes[0].Values)
	}) {
		return nil, fmt.Errorf("%s is damaged: it varies nothing: put it back from a copy", path)
	}
	return s, nil
}

// Find is a project's sweep by its name.
func Find(file *config.Snapshot, name string) (*Sweep, error) {
	if err := run.CheckName(name); err != nil {
		return nil, err
	}
	s, err := Open(filepath.Join(Folder(file), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, printable.Missing("there is no sweep called %s: plan it with the constants that it varies, finetui "+
			"sweep %s SEEDS=3 RECIPE.SAMPLING=instance,square_root", name, name)
	}
	return s, err
}

// List are a project's sweeps, the newest first. One that cannot be read is left out, and the error says so.
func List(file *config.Snapshot) (list []*Sweep, err error) {
	entries, err := os.ReadDir(Folder(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var faults []error
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		s, err := Open(filepath.Join(Folder(file), e.Name()))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Sweep) int { return cmp.Compare(b.Plan.Created, a.Plan.Created) })
	return list, errors.Join(append(faults, err)...)
}

// Constants are those that all variants have in common, with the project's folder where it is now.
func (s *Sweep) Constants() (*config.Snapshot, error) {
	f, err := config.Load(filepath.Join(s.Dir, configure))
	if err != nil {
		return nil, err
	}
	if s.Plan.Constants != "" && s.Plan.Constants != disk.Sum(f.Raw()) {
		return nil, fmt.Errorf("%s is not what the sweep was planned with, by its checksum in %s: it was cut short or "+
			"edited. Undo that, put it back from a copy, or plan the sweep again under another name", f.Path, planFile)
	}
	root := s.Plan.RootFrom
	if !filepath.IsAbs(root) {
		root = filepath.Join(s.Dir, root)
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	return f.At(f.Path, root), nil
}

// Fits says whether a sweep is this plan under these constants, whatever it has come to, and all that it has made is of
// the data, the base and the program of now. Seeds may have been added to it, and variants left out.
func (s *Sweep) Fits(ctx context.Context, file *config.Snapshot, p Plan, version string) (bool, error) {
	of, err := s.Constants()
	if err != nil {
		return false, err
	}
	other := func(d config.Change) bool { return d.Key != "PROJECT.SEED" && matters(d.Key) }
	if slices.ContainsFunc(config.Diff(of.Config, file.Config), other) || s.Plan.Split != p.Split ||
		!reflect.DeepEqual(s.Plan.Variants(), p.Variants()) || len(s.Plan.Seeds) < len(p.Seeds) ||
		!slices.Equal(s.Plan.Seeds[:len(p.Seeds)], p.Seeds) {
		return false, nil
	}
	now, err := identity(ctx, file, version)
	if err != nil {
		return false, err
	}
	st, err := s.Status()
	if err != nil {
		return false, err
	}
	for _, c := range st.Cells {
		if c.Run != nil && !sameSource(c.Run, now) {
			return false, nil
		}
	}
	return true, nil
}

// AddSeeds goes on with seeds beyond those that were planned, starts the queue unless it is at work, and returns them.
func (s *Sweep) AddSeeds(ctx context.Context, n int, exe string) (added []int, err error) {
	err = s.edit(func(p *Plan) {
		added = p.further(n)
		p.Seeds = append(p.Seeds, added...)
	})
	if err == nil {
		err = s.GoOn(ctx, exe)
	}
	return added, err
}

// further are the n seeds after those of the plan.
func (p *Plan) further(n int) (seeds []int) {
	for next := slices.Max(p.Seeds) + 1; len(seeds) < n; next++ {
		seeds = append(seeds, next)
	}
	return seeds
}

// Skip leaves a variant out, or one seed of it; a run that is under way goes on. With the same words it comes back.
func (s *Sweep) Skip(variant string, seed *int) (left bool, err error) {
	if !slices.ContainsFunc(s.Plan.Variants(), func(v Variant) bool { return v.Name == variant }) {
		var names []string
		for _, v := range s.Plan.Variants() {
			names = append(names, v.Name)
		}
		return false, fmt.Errorf("%q is no variant of %s: they are %s", variant, s.Plan.Name, strings.Join(names, "; "))
	}
	what := variant
	if seed != nil {
		if !slices.Contains(s.Plan.Seeds, *seed) {
			return false, fmt.Errorf("%d is no seed of %s: they are %v", *seed, s.Plan.Name, s.Plan.Seeds)
		}
		what = fmt.Sprintf("%s/%d", variant, *seed)
	}
	return left, s.edit(func(p *Plan) {
		if i := slices.Index(p.Skipped, what); i >= 0 {
			p.Skipped = slices.Delete(p.Skipped, i, i+1)
			return
		}
		p.Skipped, left = append(p.Skipped, what), true
	})
}

// edit changes the plan, one editor at a time.
func (s *Sweep) edit(change func(p *Plan)) error {
	held, err := disk.Lock(filepath.Join(s.Dir, editFile), true)
	if err != nil {
		return err
	}
	defer held.Close()
	now, err := Open(s.Dir)
	if err != nil {
		return err
	}
	change(&now.Plan)
	if err := now.write(); err != nil {
		return err
	}
	s.Plan = now.Plan
	return nil
}
