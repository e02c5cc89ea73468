package textmetric

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
)

func golden(t *testing.T, name string, into any) {
	t.Helper()
	goldentest.JSON(t, goldentest.Dir(t, "metrics", name), into)
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) }

// byTokenizer are the scores of one pair for each way to split it.
type byTokenizer struct {
	Split     float64 `json:"split"`
	WordPunct float64 `json:"wordpunct"`
	Treebank  float64 `json:"treebank"`
}

type goldenText struct {
	Rows []struct {
		Reference, Prediction string
		Exact                 byTokenizer                              `json:"meteor_exact_stem"`
		WordNet               byTokenizer                              `json:"meteor_wordnet"`
		Matches               [][2]int                                 `json:"split_matches_hyp_ref"`
		Chunks                int                                      `json:"split_chunks"`
		Treebank              struct{ Reference, Prediction []string } `json:"treebank_tokens"`
		Rouge                 struct {
			L [3]float64 `json:"rougeL"`
		}
		RougeTokens struct{ Reference, Prediction []string } `json:"rouge_tokens"`
	}
	Means struct {
		Exact   byTokenizer `json:"meteor_exact_stem"`
		WordNet byTokenizer `json:"meteor_wordnet"`
		RougeL  float64     `json:"rougeL_f1"`
	}
	Several []struct {
		References []string
		Prediction string
		Score      float64 `json:"meteor_exact_stem_split"`
	} `json:"several_references"`
}

// wordPunct is nltk's WordPunctTokenizer, which one column of the golden was made with.
func wordPunct(text string) []string {
	return regexp.MustCompile(`[\p{L}\p{M}\p{N}_]+|[^\p{L}\p{M}\p{N}_\s]+`).FindAllString(text, -1)
}

func TestGoldenWordsAndRougeWords(t *testing.T) {
	var g goldenText
	golden(t, "text.json", &g)
	for _, r := range g.Rows {
		for _, c := range []struct {
			what, text string
			got, want  []string
		}{
			{"reference", r.Reference, Words(r.Reference), r.Treebank.Reference},
			{"prediction", r.Prediction, Words(r.Prediction), r.Treebank.Prediction},
			{"ROUGE reference", r.Reference, latin(r.Reference), r.RougeTokens.Reference},
			{"ROUGE prediction", r.Prediction, latin(r.Prediction), r.RougeTokens.Prediction},
		} {
			if !slices.Equal(c.got, c.want) {
				t.Errorf("%s %q: words %q, want %q", c.what, c.text, c.got, c.want)
			}
		}
	}
}

func TestGoldenStems(t *testing.T) {
	var g struct{ Rows [][4]string }
	golden(t, "porter.json", &g)
	for _, r := range g.Rows {
		if got := Stem(lower(r[0])); got != r[1] {
			t.Errorf("%q has the stem %q, want %q", r[0], got, r[1])
		}
	}
}

func TestGoldenMeteorOfWordsAndStems(t *testing.T) {
	var g goldenText
	golden(t, "text.json", &g)
	var m Meteor
	var sum byTokenizer
	for _, r := range g.Rows {
		got := scores(m, r.Reference, r.Prediction)
		check(t, r.Reference+" | "+r.Prediction, got, r.Exact)
		sum.Split, sum.WordPunct, sum.Treebank = sum.Split+got.Split, sum.WordPunct+got.WordPunct, sum.Treebank+
			got.Treebank
	}
	n := float64(len(g.Rows))
	check(t, "mean", byTokenizer{sum.Split / n, sum.WordPunct / n, sum.Treebank / n}, g.Means.Exact)
	for _, s := range g.Several {
		var best float64
		for _, r := range s.References {
			best = max(best, m.ScoreWords(strings.Fields(r), strings.Fields(s.Prediction)))
		}
		if !near(best, s.Score) {
			t.Errorf("%q: the best of several references scores %v, want %v", s.Prediction, best, s.Score)
		}
	}
}

func TestGoldenMeteorPairsAndChunks(t *testing.T) {
	var g goldenText
	golden(t, "text.json", &g)
	for _, r := range g.Rows {
		pairs := Meteor{}.align(numbered(strings.Fields(r.Reference)), numbered(strings.Fields(r.Prediction)))
		if !slices.Equal(pairs, r.Matches) || len(pairs) > 0 && chunks(pairs) != r.Chunks {
			t.Errorf("%q | %q: %v in %d chunks, want %v in %d", r.Reference, r.Prediction, pairs,
				chunks(pairs), r.Matches,
				r.Chunks)
		}
	}
}

func TestGoldenMeteorWithSynonyms(t *testing.T) {
	var g goldenText
	golden(t, "text.json", &g)
	m := Meteor{WordNet: wordNet(t)}
	var sum byTokenizer
	for _, r := range g.Rows {
		got := scores(m, r.Reference, r.Prediction)
		check(t, r.Reference+" | "+r.Prediction, got, r.WordNet)
		sum.Split, sum.WordPunct, sum.Treebank = sum.Split+got.Split, sum.WordPunct+got.WordPunct, sum.Treebank+
			got.Treebank
	}
	n := float64(len(g.Rows))
	check(t, "mean", byTokenizer{sum.Split / n, sum.WordPunct / n, sum.Treebank / n}, g.Means.WordNet)
}

func TestGoldenRougeL(t *testing.T) {
	var g goldenText
	golden(t, "text.json", &g)
	var sum float64
	for _, r := range g.Rows {
		got := RougeL(r.Reference, r.Prediction)
		for i, v := range []float64{got.Precision, got.Recall, got.F1} {
			if !near(v, r.Rouge.L[i]) {
				t.Errorf("%q | %q: %+v, want %v", r.Reference, r.Prediction, got, r.Rouge.L)
			}
		}
		sum += got.F1
	}
	if mean := sum / float64(len(g.Rows)); !near(mean, g.Means.RougeL) {
		t.Errorf("mean %v, want %v", mean, g.Means.RougeL)
	}
}

func scores(m Meteor, reference, prediction string) byTokenizer {
	return byTokenizer{
		Split:     m.ScoreWords(strings.FieldsFunc(reference, isSpace), strings.FieldsFunc(prediction, isSpace)),
		WordPunct: m.ScoreWords(wordPunct(reference), wordPunct(prediction)),
		Treebank:  m.Score(reference, prediction),
	}
}

func check(t *testing.T, what string, got, want byTokenizer) {
	t.Helper()
	if !near(got.Split, want.Split) || !near(got.WordPunct, want.WordPunct) || !near(got.Treebank, want.Treebank) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// wordNet is that of this machine. The golden was made with WordNet 3.0 as nltk hands it out.
func wordNet(t *testing.T) *WordNet {
	t.Helper()
	w, err := FindWordNet()
	if err != nil {
		t.Fatal(err)
	}
	if w == nil || !strings.HasPrefix(w.Name(), "WordNet 3.0") {
		t.Skip("no WordNet 3.0 on this machine (Debian: wordnet-base): synonyms are not compared")
	}
	return w
}
