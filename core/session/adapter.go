package session

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"finetui/core/run"
	"finetui/core/trainerlog"
	"finetui/ml/lora"
	"finetui/ml/qwen2vl/pixels"
)

// adapterFolder finds an adapter in PEFT's format: as it is given, or from the project's folder; of a folder with the
// run of another trainer the one that this run has come to.
func (s *Session) adapterFolder(name string) (dir string, ok bool) {
	if name = ExpandHome(name); name == "" {
		return "", false
	}
	for _, path := range []string{name, s.file.Abs(name)} {
		if _, err := os.Stat(filepath.Join(path, lora.ConfigFile)); err == nil {
			abs, err := filepath.Abs(path)
			return abs, err == nil
		}
	}
	for _, path := range []string{name, s.file.Abs(name)} {
		if log, ok := trainerlog.Find(path); ok {
			dir = log.Adapter()
			return dir, dir != ""
		}
	}
	for _, log := range s.watched() {
		if dir = log.Adapter(); run.AdapterLabel(dir) == name {
			return dir, true
		}
	}
	return "", false
}

// watched are the runs of other trainers in the folders of PROJECT.WATCH that have an adapter.
func (s *Session) watched() []*trainerlog.Log {
	var folders []string
	for _, folder := range s.Project.Config.Project.Watch {
		folders = append(folders, s.file.Abs(folder))
	}
	return slices.DeleteFunc(trainerlog.Search(folders...), func(l *trainerlog.Log) bool { return l.Adapter() == "" })
}

// elsewhere is the subject of an adapter that was trained elsewhere:
// MODEL.BASE with it, under the constants as they are.
func (s *Session) elsewhere(dir string) (*Setting, error) {
	c, err := lora.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	t := &Setting{Name: run.AdapterLabel(dir), Adapter: run.Saved{Path: dir}, Project: s.Project.Over(s.Project.Config,
		s.Project.Recipe), root: s.file.Root, pool: s.pool}
	if base := s.Project.Config.Model.Base; c.Base != "" && c.Base != base {
		t.Notes = append(t.Notes,
			fmt.Sprintf("The adapter says that it was trained on %s; it is asked on MODEL.BASE, %s.", c.Base, base))
	}
	m := s.Project.Config.Model
	if least, most, told := processorPixels(dir); told && (least != m.MinPixels || most != m.MaxPixels) {
		t.Notes = append(t.Notes, fmt.Sprintf("The processor beside it shows pictures of %d to %d pixels, MODEL.MIN_PIXELS "+
			"and MAX_PIXELS are %d and %d: an adapter answers on what it learnt from, so set these, unless its trainer was "+
			"told so.", least, most, m.MinPixels, m.MaxPixels))
	}
	return t, nil
}

// processorPixels are the bounds of pictures in the processor's file that transformers leaves beside an adapter, or
// beside the checkpoints that it is one of.
func processorPixels(dir string) (least, most int, told bool) {
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if least, most, told = pixels.Limits(folder); told {
			break
		}
	}
	return least, most, told
}

// adapterEval is where the evaluation of such an adapter is kept.
func (s *Session) adapterEval(label, split, ext string) string {
	return run.AdapterEval(s.RunsDir(), label, split, ext)
}
