package textmetric

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

func TestWordsAreCutAsNltkCutsThem(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		" \n\t":                            "",
		"Lift. the hips.":                  "Lift.|the|hips|.",
		"Good muffins cost $3.88 in York.": "Good|muffins|cost|$|3.88|in|York|.",
		"3,36 euros, roughly (3):":         "3,36|euros|,|roughly|(|3|)|:",
		"don't, can't, they'll, it's":      "do|n't|,|ca|n't|,|they|'ll|,|it|'s",
		"don’t":                            "don|’|t",
		"You CANNOT; gonna, wanna go":      "You|CAN|NOT|;|gon|na|,|wan|na|go",
		"I wanna":                          "I|wan|na",
		"'tis 'twas 'hello' x'y":           "'|tis|'|twas|'|hello|'|x'y",
		`"Stop" (or "slow")`:               "``|Stop|''|(|or|``|slow|''|)",
		"up -- down—over 1–2...":           "up|--|down|—|over|1|–|2|...",
		"push-ups: 50% & more!?":           "push-ups|:|50|%|&|more|!|?",
		"a.) ":                             "a|.|)",
		"\xff\xfe bytes":                   "\uFFFD|bytes",
		"深蹲 - 膝盖内扣。":                       "深蹲|-|膝盖内扣。",
	} {
		if got := strings.Join(Words(text), "|"); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestStemsOfNltksExtensions(t *testing.T) {
	for word, want := range map[string]string{
		"squats": "squat", "bending": "bend", "hopping": "hop", "falling": "fall", "filing": "file", "dies": "die",
		"flies": "fli", "died": "die", "spied": "spi", "enjoy": "enjoy", "happy": "happi", "by": "by", "sky": "sky",
		"skies": "sky", "generalization": "gener", "stability": "stabil", "agreed": "agre", "feed": "feed",
		"controlled": "control", "geology": "geolog", "radically": "radic", "as": "as", "é": "é", "": "",
		"yyyying": "yyyi", "adoption": "adopt", "rate": "rate", "cease": "ceas",
	} {
		if got := Stem(word); got != want {
			t.Errorf("%q has the stem %q, want %q", word, got, want)
		}
	}
}

func TestLowerCaseIsPythons(t *testing.T) {
	for s, want := range map[string]string{"SQUATS": "squats", "ΟΔΟΣ": "οδος", "İ": "i̇", "\u212a": "k", "ẞ": "ß"} {
		if got := lower(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// By hand: with m pairs in c chunks, P = m/prediction, R = m/reference, (1 − 0.5 (c/m)³) · PR/(0.9P + 0.1R).
func TestMeteorByHand(t *testing.T) {
	for _, c := range []struct {
		reference, prediction string
		want                  float64
	}{
		{"good", "good", 0.5},
		{"good", "bad", 0},
		{"", "good", 0},
		{"good", "", 0},
		{"", "", 0},
		{"a b c d", "A B C D", 1 - 0.5/64},
		{"good job", "job good", 0.5},
		{"hips sag", "the hips are sagging", 0.5 * (0.5 / (0.9*0.5 + 0.1))}, // 2 pairs, 2 chunks
		{"the", "the the the the the", 0.5 * (0.2 / (0.9*0.2 + 0.1))},
		{"a b c d e f g h", "a b x c d y e f z g h", (1 - 0.5*0.125) * (8. / 11 / (0.9*8/11 + 0.1))},
	} {
		if got := (Meteor{}).Score(c.reference, c.prediction); !near(got, c.want) {
			t.Errorf("%q | %q: %v, want %v", c.reference, c.prediction, got, c.want)
		}
	}
}

func TestPerfectIsWhatATextScoresAgainstItself(t *testing.T) {
	for _, text := range []string{"", "good", "squats - The knees cave in.", "the the the", "deep. deeper. deepest",
		"bending bends bend", "深蹲 - 膝盖"} {
		if got, want := (Meteor{}).Score(text, text), (Meteor{}).Perfect(text); !near(got, want) {
			t.Errorf("%q: %v, foretold %v", text, got, want)
		}
	}
}

func TestRougeLByHand(t *testing.T) {
	for _, c := range []struct {
		reference, prediction string
		want                  Overlap
	}{
		{"a b c d", "a b c d", Overlap{1, 1, 1}},
		{"A-B\nc", "a, b. C", Overlap{1, 1, 1}},
		{"a b c d", "x a y c", Overlap{0.5, 0.5, 0.5}},
		{"a b c d", "d c b a", Overlap{0.25, 0.25, 0.25}},
		{"a b", "a c b d", Overlap{0.5, 1, 2. / 3}},
		{"", "", Overlap{}},
		{"深蹲", "深蹲", Overlap{}}, // no word that ROUGE sees
		{"café", "caf e", Overlap{0.5, 1, 2. / 3}},
	} {
		got := RougeL(c.reference, c.prediction)
		if !near(got.Precision, c.want.Precision) || !near(got.Recall, c.want.Recall) || !near(got.F1, c.want.F1) {
			t.Errorf("%q | %q: %+v, want %+v", c.reference, c.prediction, got, c.want)
		}
	}
	if HasLatin("深蹲 – é!") || !HasLatin("深蹲 2") {
		t.Error("which texts have words that ROUGE-L sees")
	}
}

// smallWordNet has "slow" and "sluggish" in one adjective synset, "lift" and "raise" in a verb's, with "put_up".
func smallWordNet() fstest.MapFS {
	licence := "  1 This is WordNet 9.9 for tests\n"
	verb := "00000034 35 v 03 raise 0 lift 1 put_up 0 001 @ 00000034 v 0000 | move up\n"
	adj := "00000034 00 s 02 slow(p) 0 Sluggish 0 000 | not quick\n"
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"index.noun": licence + "man n 1 0 1 0 00000034  \n", "data.noun": licence +
			"00000034 18 n 02 man 0 chap 0 000 | he\n",
		"noun.exc": "", "adj.exc": "slower slow\n", "adv.exc": "", "verb.exc": "",
		"index.verb": licence + "lift v 1 1 @ 1 0 00000034  \nraise v 1 1 @ 1 0 00000034  \n",
		"data.verb":  licence + verb,
		"index.adj":  licence + "slow a 1 0 1 0 00000034  \nsluggish a 1 0 1 0 00000034  \n", "data.adj": licence + adj,
		"index.adv": licence + "up r 1 0 1 0 00000034  \n", "data.adv": licence + "00000034 02 r 01 up 0 000 | up\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestSynonymsComeFromEverySynsetOfAWordAndItsForms(t *testing.T) {
	w, err := OpenWordNet(smallWordNet())
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]string{"lifts": "raise lift", "RAISING": "raise lift", "slower": "slow Sluggish",
		"men": "man chap", "put_up": "", "knee": "", "up": "up", "": ""} {
		if got := strings.Join(w.Synonyms(word), " "); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if !strings.HasPrefix(w.Name(), "WordNet 9.9 (") {
		t.Error(w.Name())
	}
	with, without := Meteor{WordNet: w}, Meteor{}
	if got := with.Score("chap up", "men up"); !near(got, 1-0.5/8) || with.Synonyms() != w.Name() {
		t.Errorf("%v by %s", got, with.Synonyms())
	}
	if got := without.Score("chap up", "men up"); !near(got, 0.25) || without.Synonyms() != NoSynonyms {
		t.Errorf("%v by %s", got, without.Synonyms())
	}
}

func TestSynonymsAreLookedUpForStemsAsNltkDoes(t *testing.T) {
	w, err := OpenWordNet(smallWordNet())
	if err != nil {
		t.Fatal(err)
	}
	// "raise" has become "rais", which is no lemma.
	if got := (Meteor{WordNet: w}).Score("raise", "lift"); got != 0 {
		t.Error(got)
	}
}

func TestADamagedWordNetIsRefusedByName(t *testing.T) {
	for name, spoil := range map[string]func(fstest.MapFS){
		"index.verb, line 2": func(f fstest.MapFS) {
			f["index.verb"].Data = []byte("  1\nlift v 1 1 @ 1 0 00000099  \n")
		},
		"index.adv, line 1": func(f fstest.MapFS) { f["index.adv"].Data = []byte("lift v x 1 @ 1 0 00000034\n") },
		"index.noun":        func(f fstest.MapFS) { f["index.noun"].Data = nil },
		"data.adj":          func(f fstest.MapFS) { delete(f, "data.adj") },
		"index.adj, line 2": func(f fstest.MapFS) { f["data.adj"].Data = f["data.adj"].Data[:20] },
	} {
		files := smallWordNet()
		spoil(files)
		if _, err := OpenWordNet(files); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWordNetIsFoundWhereNltkAndItsInstallerPutIt(t *testing.T) {
	folder := func(dir string) {
		if err := os.CopyFS(dir, smallWordNet()); err != nil {
			t.Fatal(err)
		}
	}
	for where, place := range map[string]func(root string) (env map[string]string){
		"NLTK_DATA": func(root string) map[string]string {
			folder(filepath.Join(root, "x/corpora/wordnet"))
			return map[string]string{"NLTK_DATA": root + "/none:" + root + "/x"}
		},
		"the home folder": func(root string) map[string]string {
			folder(filepath.Join(root, "home/nltk_data/corpora/wordnet"))
			return nil
		},
		"an archive": func(root string) map[string]string {
			writeArchive(t, filepath.Join(root, "usr/share/nltk_data/corpora/wordnet.zip"))
			return nil
		},
		"Debian's folder": func(root string) map[string]string {
			folder(filepath.Join(root, "usr/share/wordnet"))
			return nil
		},
		"WNHOME": func(root string) map[string]string {
			folder(filepath.Join(root, "wn/dict"))
			return map[string]string{"WNHOME": root + "/wn"}
		},
	} {
		root := t.TempDir()
		env := place(root)
		w, err := findWordNet(func(name string) string { return env[name] }, filepath.Join(root, "home"), root)
		if err != nil || w == nil {
			t.Errorf("%s: %v %v", where, w, err)
		}
	}
	root := t.TempDir()
	if w, err := findWordNet(func(string) string { return "" }, "", root); w != nil || err != nil {
		t.Errorf("nothing there: %v %v", w, err)
	}
	broken := filepath.Join(root, "usr/share/nltk_data/corpora")
	if err := os.MkdirAll(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "wordnet.zip"), []byte("half a down"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := findWordNet(func(string) string { return "" }, "", root); err == nil ||
		!strings.Contains(err.Error(), "wordnet.zip") {
		t.Errorf("a broken archive: %v", err)
	}
}

func writeArchive(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, file := range smallWordNet() {
		w, err := z.Create("wordnet/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(file.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"squats - The user's knees don't bend.", `"'tis" (wanna)...`, "a.'\u201d \n",
		"::,,--'' `` 'll",
		"\xff İſ can\u2019not"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var glued strings.Builder
		for _, w := range Words(text) {
			if w == "" || strings.IndexFunc(w, isSpace) >= 0 || !utf8.ValidString(w) {
				t.Fatalf("%q: %q is no word", text, w)
			}
			glued.WriteString(w)
		}
		// Nothing is lost but white space, and quotes that change their form.
		bare := func(s string) string {
			return strings.Map(func(r rune) rune {
				if isSpace(r) || strings.ContainsRune("\"'`", r) {
					return -1
				}
				return r
			}, strings.ToValidUTF8(s, "\uFFFD"))
		}
		if got, want := bare(glued.String()), bare(text); got != want {
			t.Fatalf("%q: the words hold %q, want %q", text, got, want)
		}
		if got, want := (Meteor{}).Score(text, text), (Meteor{}).Perfect(text); !near(got, want) {
			t.Fatalf("%q against itself: METEOR %v, want %v", text, got, want)
		}
		if got := RougeL(text, text).F1; HasLatin(text) != (got == 1) {
			t.Fatalf("%q against itself: ROUGE-L %v", text, got)
		}
	})
}

func FuzzStem(f *testing.F) {
	for _, s := range []string{"generalizations", "yyying", "a*ded", "\xffing", "ied", "eed", "ll", "éed"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		word = lower(word)
		stem := Stem(word)
		if utf8.RuneCountInString(stem) > utf8.RuneCountInString(word)+1 {
			t.Fatalf("%q has the longer stem %q", word, stem)
		}
		if utf8.ValidString(word) && !utf8.ValidString(stem) {
			t.Fatalf("%q has the stem %q", word, stem)
		}
		if !slices.Equal(strings.Fields(stem), strings.Fields(Stem(word))) {
			t.Fatalf("%q has two stems", word)
		}
	})
}
