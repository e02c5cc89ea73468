package config

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

const mostCompletions = 200

// completions are what a path that was written can go on with.
type completions []string

// complete looks beside the screen for what the path in the editor can become.
func (v *editing) complete() tea.Cmd {
	typed, root, builtIn := v.editor.prompt.Value(), v.file.Root, []string(nil)
	if v.editor.field.Name() == "MODEL.BASE" {
		builtIn = []string{"tiny"}
	}
	pause := v.effects.pause
	return views.Ask(&v.paths, func(ctx context.Context) (completions, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause / 2):
		}
		found, err := pathsLike(root, typed)
		for _, word := range builtIn {
			if strings.HasPrefix(word, typed) && word != typed {
				found = append([]string{word}, found...)
			}
		}
		return found, err
	})
}

func (v *editing) completed(msg views.Answer[completions]) {
	if !v.paths.Takes(msg.Ticket) {
		return
	}
	v.paths.Close()
	if e := v.editor; e != nil && e.prompt != nil && e.field.Name() != "" {
		e.found = msg.Value
		e.prompt.Suggest(msg.Value)
	}
}

// pathsLike returns the files and folders whose path begins with what was typed, folders with a slash behind them.
// Relative paths start at root; names with a dot in front are left out until the dot is typed.
func pathsLike(root, typed string) ([]string, error) {
	folder, begin := "", typed
	if i := strings.LastIndexByte(typed, '/'); i >= 0 {
		folder, begin = typed[:i+1], typed[i+1:]
	}
	at := folder
	if !filepath.IsAbs(at) {
		at = filepath.Join(root, folder)
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, begin) || strings.HasPrefix(name, ".") && !strings.HasPrefix(begin, ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(at, name)); err == nil && info.IsDir() {
			name += "/"
		}
		if folder+name != typed {
			found = append(found, folder+name)
		}
		if len(found) == mostCompletions {
			break
		}
	}
	sort.Slice(found, func(i, j int) bool { // folders first: what these constants name mostly is one
		a, aFolder := strings.CutSuffix(found[i], "/")
		b, bFolder := strings.CutSuffix(found[j], "/")
		return aFolder && !bFolder || aFolder == bFolder && a < b
	})
	return found, nil
}

// candidates are the first completions under the line, the one that tab takes in front.
func (e *editor) candidates(t *widget.Theme, w int) string {
	if len(e.found) == 0 {
		return ""
	}
	const most = 5
	var lines []string
	for i, path := range e.found[:min(len(e.found), most)] {
		lead, style := "    ", t.Muted
		if i == 0 {
			lead, style = "tab ", t.Key
		}
		lines = append(lines, style.Render(widget.Left(lead+widget.CutLeft(widget.Clean(path), w-4), w)))
	}
	if more := len(e.found) - most; more > 0 {
		lines = append(lines, t.Muted.Render(widget.Left("    "+widget.Count(more)+" more", w)))
	}
	return strings.Join(lines, "\n")
}
