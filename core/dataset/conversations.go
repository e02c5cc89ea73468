package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
)

// conversations reads questions and answers about pictures and clips, as LLaVA's data has them and as convert writes
// them: records with "conversations" or "messages" (or TRL's "prompt" and "completion"), in a JSON list or one a line.
type conversations struct{}

func (conversations) name() string { return string(config.FormatConversations) }

func (conversations) holds() string {
	return "a set of conversations has JSON or JSONL files of records with conversations or messages"
}

const conversationsSniffed = "a file of conversations" // as formatOf calls it

// datasetInfo is LLaMA-Factory's list of the files of a folder, which holds no records.
const datasetInfo = "dataset_info.json"

// detect finds files of conversations in the folder, or in one folder below. Where the labels lie that they were made
// of, these are the set.
func (conversations) detect(path string) (string, error) {
	if isFile(path) {
		if isJSONName(path) && formatOf(path) == conversationsSniffed {
			return path, nil
		}
		return "", nil
	}
	files, labelled := conversationFiles(path)
	if labelled {
		return "", nil
	}
	if len(files) > 0 {
		if _, err := splitFiles(path, files); err != nil {
			return "", err
		}
		return path, nil
	}
	var inner []string
	for _, folder := range subfolders(path) {
		if files, labelled := conversationFiles(folder); len(files) > 0 && !labelled {
			inner = append(inner, folder)
		}
	}
	return oneOf(path, inner)
}

func isJSONName(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return ending == ".json" || ending == ".jsonl"
}

// conversationFiles are those in a folder; labelled says that label files of QVED lie there.
func conversationFiles(folder string) (files []string, labelled bool) {
	const most = 50 // files that are looked into
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, false
	}
	looked := 0
	for _, entry := range entries {
		if !isJSONName(entry.Name()) || looked == most {
			continue
		}
		looked++
		path := filepath.Join(folder, entry.Name())
		switch formatOf(path) {
		case conversationsSniffed:
			files = append(files, path)
		case qvedSniffed:
			labelled = labelled || companion(entry.Name()) == ""
		}
	}
	return files, labelled
}

// splitFile is a file, and the split of those of its records that name none.
type splitFile struct{ path, split string }

// splitFiles tells the splits of the files of a folder by their names. Several files that do not tell are several sets.
func splitFiles(folder string, files []string) (all []splitFile, err error) {
	exact := func(path string) string {
		stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if name := config.SplitName(stem); slices.Contains([]string{trainSplit, "valid", "test"}, name) {
			return name
		}
		return ""
	}
	named := slices.ContainsFunc(files, func(f string) bool { return exact(f) != "" })
	taken := map[string]bool{}
	for _, path := range files {
		split := exact(path)
		switch stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)); {
		case split != "":
		case named && len(files) > 1: // beside train.json lies another split
			split = readable(stem)
		default:
			split = splitOf(stem)
		}
		if len(files) > 1 && (split == "" || taken[split]) {
			return nil, fmt.Errorf("DATASET.PATH: %s holds %d files of conversations whose names do not tell their "+
				"splits: name one of them, as %s", readable(folder), len(files), readable(files[0]))
		}
		taken[split] = true
		if split == "" {
			split = trainSplit
		}
		all = append(all, splitFile{path, split})
	}
	return all, nil
}

func (conversations) list(ctx context.Context, at string, ask request) (*listing, error) {
	files, folder := []string{at}, filepath.Dir(at)
	if isFolder(at) {
		folder = at
		files, _ = conversationFiles(at)
	}
	splits, err := splitFiles(folder, files)
	if err != nil {
		return nil, err
	}
	t := newTalkSet(folder, ask)
	for _, f := range splits {
		if err := t.read(ctx, f); err != nil {
			return nil, fmt.Errorf("DATASET.PATH: %s cannot be read: %w: make it readable, or name another file",
				readable(f.path), bare(err))
		}
	}
	t.settle()
	if ask.byGroup {
		t.splitByGroup()
	}
	wanted, err := ask.splits(t.present())
	if err != nil {
		return nil, err
	}
	return t.listing(ctx, wanted, ask.report)
}
