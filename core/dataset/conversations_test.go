package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/level"
)

// said is the questions and answers of a set: "split/path: question → answer [class]".
func said(set *Dataset) (all []string) {
	for i := range set.Items {
		for _, o := range set.Items[i].Objects {
			all = append(all, fmt.Sprintf("%s: %s → %s [%s]", set.Items[i].ID, o.Text.Question, o.Text.Answer,
				set.Classes[o.Class].Name))
		}
	}
	return all
}

func TestConversationsOfEveryForm(t *testing.T) {
	jpeg := pictureFile(t, "a.jpg", 16, 12)
	const question, answer = "What is it?", "It is a long answer in free words."
	for name, text := range map[string]string{
		"llava.json": `[{"id":"1","image":"a.jpg","conversations":[{"from":"human","value":"<image>\nWhat is it?"},
			{"from":"gpt","value":"It is a long answer in free words."}]}]`,
		"mark_behind.json": `[{"image":"a.jpg","conversations":[{"from":"human","value":"What is it?\n<image>"},
			{"from":"gpt","value":"It is a long answer in free words."}]}]`,
		"roles.json": `[{"conversations":[{"from":"system","value":"Be brief."},{"from":"user","value":"<image>What is it?"},
			{"from":"assistant","value":"It is a long answer in free words."}],"image":["a.jpg"]}]`,
		"messages.jsonl": `{"messages":[{"role":"user","content":"<image>What is it?"},{"role":"assistant","content":` +
			`"It is a long answer in free words."}],"images":["a.jpg"]}` + "\r\n\r\n",
		"typed.jsonl": `{"messages":[{"role":"user","content":[{"type":"image","path":"a.jpg"},{"type":"text","text":` +
			`"What is it?"}]},{"role":"assistant","content":[{"type":"text","text":"It is a long answer in free words."}]}]}`,
		"openai.jsonl": `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a.jpg"}},` +
			`"What is it?"]},{"role":"assistant","content":"It is a long answer in free words."}]}`,
		"prompt.jsonl": `{"completion":[{"role":"assistant","content":"It is a long answer in free words."}],"images":` +
			`[{"path":"a.jpg"}],"prompt":[{"role":"user","content":[{"type":"image"},{"type":"text","text":"What is it?"}]}]}`,
		"swift.jsonl": `{"system":"Be brief.","conversation":[{"human":"<image>What is it?","assistant":` +
			`"It is a long answer in free words."}],"images":["a.jpg"]}`,
		"query.jsonl": `{"query":"<image>What is it?","response":"It is a long answer in free words.","images":["a.jpg"],` +
			`"history":[],"system":""}`,
		"alpaca.json": `[{"instruction":"What is it?","input":"","output":"It is a long answer in free words.",
			"images":["file://a.jpg"]}]`,
		"qwen.json": `[{"id":"1","conversations":[{"from":"user","value":"<img>a.jpg</img>\nWhat is it?"},
			{"from":"assistant","value":"It is a long answer in free words."}]}]`,
		"responses.jsonl": `{"messages":[{"role":"user","content":[{"type":"input_image","image_url":"a.jpg"},{"type":` +
			`"input_text","text":"What is it?"}]},{"role":"assistant","content":[{"type":"output_text","text":` +
			`"It is a long answer in free words."}],"weight":1}]}`,
		"bom.json": "\xef\xbb\xbf" + `[{"image":"./a.jpg","conversations":[{"from":"human","value":"What is it?"},
			{"from":"gpt","value":"It is a long answer in free words."}]}]`,
		"elsewhere.json": `[{"image":"/data/of/others/a.jpg","messages":[{"role":"user","content":"What is it?"},
			{"role":"assistant","content":"It is a long answer in free words."}]}]`,
	} {
		set := readSet(t, filepath.Join(write(t, map[string]string{name: text, "a.jpg": jpeg}), name))
		if set.Format != "conversations" || len(set.Items) != 1 || len(set.Items[0].Objects) != 1 {
			t.Errorf("%s: %s with %d items: %v", name, set.Format, len(set.Items), set.Findings)
			continue
		}
		item := set.Items[0]
		o := item.Objects[0]
		if o.Text.Question != question || o.Text.Answer != answer || item.Width != 16 || item.Split != "train" ||
			o.Box != Whole || set.Classes[o.Class].Name != FreeText {
			t.Errorf("%s: got %+v, %+v of %v", name, item, *o.Text, set.Classes)
		}
		if slices.ContainsFunc(set.Findings, func(f Finding) bool { return f.Level != level.Info }) {
			t.Errorf("%s: %v", name, set.Findings)
		}
	}
}

// Bad records cost themselves, and are named by their line.
func TestConversationsThatAreNoneAreFindings(t *testing.T) {
	turns := func(list ...string) string {
		for i, turn := range list {
			who, what, _ := strings.Cut(turn, ":")
			list[i] = fmt.Sprintf(`{"from":%q,"value":%q}`, who, what)
		}
		return `"conversations":[` + strings.Join(list, ",") + "]"
	}
	good := `{"image":"a.jpg",` + turns("human:<image>\nq", "gpt:a") + `}`
	for _, c := range []struct{ record, want string }{
		{`{"image":"a.jpg",` + turns("human:<image>", "human:q") + `}`, "has no answer as its turn 2"},
		{`{"image":"a.jpg",` + turns("gpt:a", "human:q") + `}`, "has no question as its turn 1"},
		{`{"image":"a.jpg",` + turns("system:s", "human:q") + `}`, "has no answer to its last question"},
		{`{"image":"a.jpg",` + turns("human:q", "gpt: ") + `}`, "has an answer without words as its turn 2"},
		{`{"image":"a.jpg",` + turns("human:q", "gpt:<image>") + `}`, "has a mark for a file in the answer"},
		{`{"image":"a.jpg",` + turns("human:<image><image>q", "gpt:a") + `}`, "has 2 marks for files and 1 file"},
		{`{"image":"a.jpg",` + turns("human:q", "tool:a") + `}`, "has no answer as its turn 2"},
		{`{"image":"a.jpg","conversations":[]}`, "holds no question and answer"},
		{`{"image":"a.jpg","conversations":7}`, "holds no question and answer"},
		{`["a.jpg"]`, "is no object with a conversation"}, {`7`, "is no object with a conversation"},
	} {
		lines := write(t, map[string]string{"x.jsonl": good + "\n\n" + c.record + "\n" + good[:len(good)-1] +
			"\n{\"image\":\"b.jpg\"," + turns("human:q", "gpt:b") + "}", "a.jpg": "", "b.jpg": ""})
		list := write(t, map[string]string{"x.json": "[\n" + good + ",\n\n" + c.record + "]"})
		for at, line := range map[string]int{filepath.Join(lines, "x.jsonl"): 3, filepath.Join(list, "x.json"): 4} {
			set := readSet(t, at)
			var found []Finding
			for _, f := range set.Findings {
				if f.Code == BadRecord {
					found = append(found, f)
				}
			}
			if len(found) == 0 || found[0].Line != line || !strings.Contains(found[0].Text, "record 2 "+c.want) ||
				found[0].File != filepath.Base(at) {
				t.Errorf("%s: %+v, want line %d of %s", c.record, found, line, at)
			}
			if filepath.Ext(at) == ".jsonl" && (len(set.Items) != 2 || len(found) != 2 || found[1].Line != 4 ||
				!strings.Contains(found[1].Text, "is no JSON from byte")) {
				t.Errorf("%s: the lines beside it do not count: %d items, %+v", c.record, len(set.Items), found)
			}
		}
	}
	cut := readSet(t, filepath.Join(write(t, map[string]string{"x.json": "[" + good + ",\n{\"image\": "}), "x.json"))
	if len(cut.Items) != 1 || countOf(cut, BrokenJSON) != 1 {
		t.Errorf("a list that was cut off: %d items, %v", len(cut.Items), cut.Findings)
	}
	many := readSet(t, filepath.Join(write(t, map[string]string{"x.jsonl": good + strings.Repeat("\n{}", 1000)}),
		"x.jsonl"))
	if n := countOf(many, MoreFaults); n != 900 {
		t.Errorf("of 1000 bad records %d are summed up", n)
	}
}

// What cannot be shown, or is not used, is said once for all records.
func TestWhatConversationsHoldBeyondASampleIsSaid(t *testing.T) {
	pair := `"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]`
	set := readSet(t, filepath.Join(write(t, map[string]string{"x.jsonl": strings.Join([]string{
		`{"image":"a.jpg",` + pair + `}`, `{"image":"a.jpg",` + pair + `}`, `{"image":["a.jpg","b.jpg"],` + pair + `}`,
		`{` + pair + `}`,
		`{"image":"b.jpg","messages":[{"role":"system","content":"s"},{"role":"user","content":"<image>q"},` +
			`{"role":"assistant","content":"one","loss_scale":2},{"role":"user","content":"more?"},` +
			`{"role":"assistant","content":"two"}]}`,
		`{"image":"c.jpg","messages":[{"role":"user","content":"<image>q"},{"role":"assistant","content":"a","loss":false}]}`,
		`{"image":"c.jpg","messages":[{"role":"user","content":"<image>q"},{"role":"assistant","content":"a","weight":0}]}`,
		`{"image":"https://a.example/a.jpg",` + pair + `}`, `{"image":"data:image/png;base64,AAAA",` + pair + `}`,
	}, "\n")}), "x.jsonl"))
	for code, n := range map[string]int{SeveralFiles: 1, NoFile: 1, NoMark: 2, NothingLearned: 2, SeveralTurns: 1,
		NotHere:    2,
		SystemTurn: 1, ScaledAnswer: 1, RepeatedPair: 1, MissingImage: 2} {
		if got := countOf(set, code); got != n {
			t.Errorf("%s is said of %d records, want %d: %v", code, got, n, set.Findings)
		}
	}
	if got, want := said(set), []string{"train/a.jpg: q → a [free text]", "train/b.jpg: q → one [free text]",
		"train/b.jpg: more? → two [free text]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Questions that follow each other are asked in their order, in whichever form
// they are written; clips are named in texts and beside them.
func TestSeveralTurnsOfEveryForm(t *testing.T) {
	for name, record := range map[string]string{
		"messages": `{"messages":[{"role":"user","content":"<video>q1"},{"role":"assistant","content":"a1"},` +
			`{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}],"videos":["c.mp4"]}`,
		"pairs":   `{"conversation":[{"human":"<video>q1","assistant":"a1"},{"human":"q2","assistant":"a2"}],"videos":["c.mp4"]}`,
		"history": `{"response":"a2","history":[["<video>q1","a1"]],"videos":["c.mp4"],"query":"q2"}`,
		"alpaca": `{"output":"a2","input":"","history":[["<video>q1","a1"]],"videos":["c.mp4"],"instruction":"q2",` +
			`"system":"s"}`,
		"inline": `{"messages":[{"role":"user","content":"<video>c.mp4</video>q1"},{"role":"assistant","content":"a1"},` +
			`{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}`,
	} {
		set := readSet(t, filepath.Join(write(t, map[string]string{"x.jsonl": record, "c.mp4": ""}), "x.jsonl"))
		want := []string{"train/c.mp4: q1 → a1 [free text]", "train/c.mp4: q2 → a2 [free text]"}
		if got := said(set); !slices.Equal(got, want) || countOf(set, SeveralTurns) != 1 || set.Items[0].Clip == nil {
			t.Errorf("%s: got %q, want %q; %v", name, got, want, set.Findings)
		}
	}
	two := readSet(t, filepath.Join(write(t,
		map[string]string{"x.jsonl": `{"instruction":"Say.","input":"<image>What?",` +
			`"output":"a1","images":["c.jpg"]}`}), "x.jsonl"))
	if got := said(two); len(got) != 1 || got[0] != "train/c.jpg: Say.\nWhat? → a1 [free text]" {
		t.Errorf("an instruction with its input is %q", got)
	}
}

// The answers of a closed list are classes, an exercise before a dash is one, and what a record names is; answers in
// free words make no table of thousands of classes.
func TestClassesOfConversations(t *testing.T) {
	record := func(i int, answer, more string) string {
		return fmt.Sprintf(`{"video":"%d.mp4","conversations":[{"from":"human","value":"<video>\nq"},`+
			`{"from":"gpt","value":%q}]%s}`, i, answer, more)
	}
	for name, c := range map[string]struct {
		record func(i int) string
		want   []string
	}{
		"closed list": {func(i int) string { return record(i, []string{"Toe drain- Blocked", "rock"}[i%2], "") },
			[]string{"Toe drain- Blocked", "rock"}},
		"exercises": {func(i int) string {
			return record(i, []string{"squats - low ", "Heel_lift - slow "}[i%2]+fmt.Sprint(i), "")
		}, []string{"squats", "Heel_lift"}},
		"named": {func(i int) string { return record(i, fmt.Sprint("words ", i), `,"channel":"a b"`) },
			[]string{"a b"}},
		"free": {func(i int) string { return record(i, fmt.Sprint("words ", i), "") }, []string{FreeText}},
	} {
		var lines []string
		for i := range 300 {
			lines = append(lines, c.record(i))
		}
		set := readSet(t, filepath.Join(write(t, map[string]string{"x.jsonl": strings.Join(lines, "\n")}), "x.jsonl"))
		var names []string
		for _, class := range set.Classes {
			names = append(names, class.Name)
		}
		if !slices.Equal(names, c.want) || len(set.Items) != 300 || set.Items[0].Clip == nil {
			t.Errorf("%s: classes %q of %d items, want %q", name, names, len(set.Items), c.want)
		}
	}
}

func TestSplitsOfConversations(t *testing.T) {
	pair := func(image, more string) string {
		return `{"image":"` + image + `"` + more + `,"messages":[{"role":"user","content":"q"},{"role":"assistant",` +
			`"content":"a"}]}`
	}
	root := write(t, map[string]string{"train.jsonl": pair("a.jpg", ""), "val.jsonl": pair("b.jpg", ""),
		"holdout.jsonl": pair("c.jpg", "") + "\n" + pair("d.jpg", `,"split":"testing"`), "dataset_info.json": `{"x":
		{"file_name":"train.json","columns":{"messages":"messages","images":"images"},"tags":{"role_tag":"role"}}}`})
	if got, want := readSet(t, root).Splits, []string{"train", "valid", "test", "holdout"}; !slices.Equal(got, want) {
		t.Errorf("splits %q, want %q", got, want)
	}
	cfg := testConfig(root)
	cfg.Splits = []string{"val"}
	if set, err := Open(cfg, ""); err != nil || len(set.Items) != 1 || set.Items[0].ID != "valid/b.jpg" {
		t.Errorf("got %+v, error %v", set, err)
	}
	two := write(t, map[string]string{"one.jsonl": pair("a.jpg", ""), "two.jsonl": pair("a.jpg", "")})
	if _, err := Open(testConfig(two), ""); err == nil || !strings.Contains(err.Error(), "name one of them") {
		t.Errorf("two files without splits: %v", err)
	}
	for file, format := range map[string]string{"clips.json": "conversations", qvedLabels: "qved"} {
		root := write(t, map[string]string{"a.mp4": "", "clips.json": `[{"video":"a.mp4","conversations":[]}]`,
			file: `[{"video":"a.mp4","video_path":"a.mp4","labels":["a - b"]` + map[string]string{
				"clips.json": `,"conversations":[]`}[file] + `}]`})
		if set := readSet(t, root); set.Format != format {
			t.Errorf("beside %s the set is one of %s, want %s", file, set.Format, format)
		}
	}
}

func FuzzConversations(f *testing.F) {
	f.Add(`[{"image":"a.jpg","conversations":[{"from":"human","value":"<image>\nq"},{"from":"gpt","value":"a"}]}]`)
	f.Add(`{"messages":[{"role":"user","content":[{"type":"video","path":"a.mp4"},{"type":"text","text":"q"}]},` +
		`{"role":"assistant","content":"a - b","loss_scale":2}],"split":"val","channel":3}` + "\n{\"prompt\":\"q\"}")
	f.Add(`{"conversation":[{"human":"<img>a.jpg</img>q","assistant":"a"}],"system":"s"}` + "\n" +
		`{"query":"q","response":"a","history":[["<video>","b"]],"videos":["a.mp4"]}` + "\n" +
		`{"instruction":"q","input":"<image>","output":"a","images":["data:x"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "x.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := conversations{}.list(context.Background(), path, request{})
		if err != nil {
			t.Fatal(err)
		}
		classes := l.classes(l.items)
		ids := map[string]bool{}
		for _, item := range l.items {
			if ids[item.ID] {
				t.Errorf("%q is there twice", item.ID)
			}
			ids[item.ID] = true
			for _, o := range item.Objects {
				if o.Class < 0 || o.Class >= len(classes) || o.Text == nil || strings.TrimSpace(o.Text.Answer) == "" {
					t.Errorf("%q has the object %+v of %d classes", item.ID, o, len(classes))
				}
			}
		}
		for _, found := range l.findings {
			if found.Line < 0 || found.Do == "" {
				t.Errorf("a finding of no place or remedy: %+v", found)
			}
		}
		if len(l.items) == 0 && len(l.findings) == 0 && strings.TrimSpace(text) != "[]" {
			t.Errorf("nothing is said of %q", text)
		}
	})
}

func TestTheFormatOfConversationsIsOneOfTheConstants(t *testing.T) {
	if !slices.Contains(config.Format("").Choices(), conversations{}.name()) {
		t.Error("DATASET.FORMAT does not take it")
	}
}
