package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"finetui/ml/goldentest"
)

var (
	qwenPath string
	qwen     = sync.OnceValues(func() (*Tokenizer, error) { return Load(qwenPath) })
)

// loadQwen loads the real tokenizer of Qwen2.5, once for all tests.
func loadQwen(t testing.TB) *Tokenizer {
	t.Helper()
	qwenPath = goldentest.Shared(t, "data", "tokenizer", "qwen2.5", "tokenizer.json")
	tok, err := qwen()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// goldenTokenizer is the tokenizer of the golden strings: the one that lies beside them, else that of Qwen2.5.
func goldenTokenizer(t *testing.T) *Tokenizer {
	t.Helper()
	path := filepath.Join(goldentest.Dir(t, "text"), "tokenizer.json")
	if _, err := os.Stat(path); err != nil {
		return loadQwen(t)
	}
	tok, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestGoldenStringsAreEncodedAndDecoded(t *testing.T) {
	tok := goldenTokenizer(t)
	var cases []struct {
		Text           string
		IDs            []int32
		Decoded        string
		WithoutSpecial string `json:"decoded_without_special"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "text", "strings.json"), &cases)
	for _, c := range cases {
		if got := tok.Encode(c.Text); !slices.Equal(got, c.IDs) {
			t.Errorf("%q gives %v, want %v", c.Text, got, c.IDs)
		}
		if got := tok.Decode(c.IDs, false); got != c.Decoded {
			t.Errorf("%v is %q, want %q", c.IDs, got, c.Decoded)
		}
		if got := tok.Decode(c.IDs, true); got != c.WithoutSpecial {
			t.Errorf("%v without special tokens is %q, want %q", c.IDs, got, c.WithoutSpecial)
		}
	}
	t.Logf("%d strings", len(cases))
}

func TestForeignCasesAreEncoded(t *testing.T) {
	tok := loadQwen(t)
	dir := goldentest.Shared(t, "data", "tokenizer", "golden")
	in, err := os.ReadFile(filepath.Join(dir, "ggml-vocab-qwen2.gguf.inp"))
	if err != nil {
		t.Skipf("no cases: %v", err)
	}
	out, err := os.ReadFile(filepath.Join(dir, "ggml-vocab-qwen2.gguf.out"))
	if err != nil {
		t.Skipf("no cases: %v", err)
	}
	texts := strings.Split(strings.TrimSuffix(string(in), "\n__ggml_vocab_test__\n"), "\n__ggml_vocab_test__\n")
	lines := strings.Split(string(out), "\n")
	for i, text := range texts {
		got := ""
		for _, id := range tok.Encode(text) {
			got += fmt.Sprintf(" %d", id)
		}
		if got != lines[i] {
			t.Errorf("case %d, %q: got%s, want%s", i, text, got, lines[i])
		}
	}
	t.Logf("%d cases", len(texts))
}

func TestGoldenTokensOfQwenSplitIntoThemselves(t *testing.T) {
	tok := loadQwen(t)
	if tok.Size() != 151665 {
		t.Errorf("size %d", tok.Size())
	}
	if id, ok := tok.ID("<|image_pad|>"); !ok || id != 151655 || !tok.Special(id) {
		t.Errorf("image_pad is %d, %v", id, ok)
	}
	if id, ok := tok.ID(" drain"); !ok || tok.Token(id) != " drain" || tok.Special(id) {
		t.Errorf("drain is %d, %v", id, ok)
	}
	for id := range int32(151643) {
		if got := tok.merges(tok.Token(id), nil); len(got) != 1 || got[0] != id {
			t.Fatalf("merging the bytes of token %d, %q, gives %v", id, tok.Token(id), got)
		}
	}
}

// tiny is a tokenizer of our own making.
func tiny(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Train([]string{"the toe drain is blocked", "the slope drain is damaged", "Die Böschung, die Böschung!"},
		400, []string{"<|endoftext|>", "<|im_end|>"})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestWordsAreCutAsTheExpressionDoes(t *testing.T) {
	for text, want := range map[string][]string{
		"Hello, world!":    {"Hello", ",", " world", "!"},
		"it's I'LL 'tis'":  {"it", "'s", " I", "'LL", " '", "tis", "'"},
		"'ſ 'x":            {"'ſ", " '", "x"},
		"a1 22":            {"a", "1", " ", "2", "2"},
		"  two":            {" ", " two"},
		" \n\n  x":         {" \n\n", " ", " x"},
		"x  ":              {"x", "  "},
		"\tx":              {"\tx"},
		"\r\nx":            {"\r\n", "x"},
		"a?!\n\nb":         {"a", "?!\n\n", "b"},
		" ?\r\n ":          {" ?\r\n", " "},
		"\u00a0\u2028y":    {"\u00a0", "\u2028y"},
		"_ab $5":           {"_ab", " $", "5"},
		"日本語、テスト":          {"日本語", "、テスト"},
		"é\u0301e\u0301":   {"é", "\u0301e", "\u0301"},
		"½²Ⅷ":              {"½", "²", "Ⅷ"},
		"🚀🚀 🚀":             {"🚀🚀", " 🚀"},
		"word\u200bjoiner": {"word", "\u200bjoiner"},
	} {
		var got []string
		for rest := text; rest != ""; {
			n := split(rest)
			got = append(got, rest[:n])
			rest = rest[n:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
}

func TestTheLongestAddedTokenWins(t *testing.T) {
	tok, err := Train(nil, 300, []string{"<a", "<a>", "b"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, id := range tok.Encode("x<a><ab<") {
		got = append(got, tok.Token(id))
	}
	if want := []string{"x", "<a>", "<a", "b", "<"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextThatIsNoUTF8StillEncodes(t *testing.T) {
	tok := tiny(t)
	if got := tok.Decode(tok.Encode("a\xffb"), false); got != "a\ufffdb" {
		t.Errorf("got %q", got)
	}
	if got := tok.Encode(""); len(got) != 0 {
		t.Errorf("the empty text gives %v", got)
	}
}

func TestUnknownIDsDecodeToNothing(t *testing.T) {
	tok := tiny(t)
	if got := tok.Decode([]int32{-1, 1 << 20, int32(tok.Size())}, false); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestBrokenSequencesDecodeAsTheReferenceCountsThem(t *testing.T) {
	for in, want := range map[string]string{
		"a\xf0\x9f\x9a":      "a\ufffd",
		"\xf0\x9f\x9ax":      "\ufffdx",
		"\xff\xfe":           "\ufffd\ufffd",
		"\xe0\x80\x80":       "\ufffd\ufffd\ufffd",
		"\xed\xa0\x80":       "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80":   "\ufffd\ufffd\ufffd\ufffd",
		"\xc3\xc3\xa9":       "\ufffdé",
		"\xe2\x82":           "\ufffd",
		"\xe2\x82\xe2\x82":   "\ufffd\ufffd",
		"ok \ufffd \xc0\xaf": "ok \ufffd \ufffd\ufffd",
	} {
		tok := tiny(t)
		var ids []int32
		for i := range len(in) {
			ids = append(ids, tok.byteID[in[i]])
		}
		if got := tok.Decode(ids, false); got != want {
			t.Errorf("%q decodes to %q, want %q", in, got, want)
		}
		stream, got := NewStream(tok), ""
		for _, id := range ids {
			got += stream.Push(id)
		}
		if got += stream.Flush(); got != want {
			t.Errorf("%q streams to %q, want %q", in, got, want)
		}
	}
}

func TestAStreamHoldsBackUnfinishedCharacters(t *testing.T) {
	tok := tiny(t)
	stream := NewStream(tok)
	stream.SkipSpecial = true
	end, _ := tok.ID("<|im_end|>")
	var got []string
	for _, id := range []int32{tok.byteID['a'], tok.byteID[0xf0], tok.byteID[0x9f], end, tok.byteID[0x9a],
		tok.byteID[0x80], end, tok.byteID[0xc3]} {
		got = append(got, stream.Push(id))
	}
	got = append(got, stream.Flush(), stream.Flush())
	if want := []string{"a", "", "", "", "", "🚀", "", "", "\ufffd", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManyGoroutinesGetTheSameIDs(t *testing.T) {
	tok := tiny(t)
	texts := make([]string, 200)
	want := make([][]int32, len(texts))
	for i := range texts {
		texts[i] = fmt.Sprintf("the drain %d is blockeddamaged%d", i, i%7)
		want[i] = tiny(t).Encode(texts[i])
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i, text := range texts {
				if got := tok.Encode(text); !slices.Equal(got, want[i]) {
					t.Errorf("%q gives %v, want %v", text, got, want[i])
				}
			}
		})
	}
	group.Wait()
}

func TestAWordOfAMegabyteTakesNoTime(t *testing.T) {
	tok := tiny(t)
	long := strings.Repeat("drainblocked", 1<<16)
	if got := tok.Decode(tok.Encode(long), false); got != long {
		t.Error("the text does not come back")
	}
}

// wordBenchText is a few hundred KB of prose-like text with many distinct words.
func wordBenchText() string {
	var b strings.Builder
	words := []string{"drain", "slope", "vegetation", "blocked", "rock toe", "Die Böschung", "is", "the", "don't",
		"12,5 m", "\n\n", "— note:", "日本語", "damaged"}
	for i := range 60000 {
		b.WriteString(words[(i*7+i/13)%len(words)])
		b.WriteByte(' ')
		if i%11 == 0 {
			fmt.Fprintf(&b, "x%d", i)
		}
	}
	return b.String()
}

func BenchmarkEncode(b *testing.B) {
	tok, text := loadQwen(b), wordBenchText()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		tok.Encode(text)
	}
}

func BenchmarkEncodeDistinctWords(b *testing.B) {
	tok := loadQwen(b)
	var words strings.Builder
	for i := range 1 << 17 {
		fmt.Fprintf(&words, " %s%s", string(rune('a'+i%26)), strings.ToLower(tok.Token(int32(i))))
	}
	text := strings.ToValidUTF8(words.String(), "?")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text)
	}
}

func BenchmarkLoad(b *testing.B) {
	loadQwen(b)
	for b.Loop() {
		if _, err := Load(qwenPath); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "the toe drain's", " \n\t x", "é\u0301", "<|im_end|>x", "\xff\xf0\x9f",
		"1/2 ½ ſ 'S"} {
		f.Add(s)
	}
	tok := tiny(f)
	f.Fuzz(func(t *testing.T, text string) {
		ids := tok.Encode(text)
		whole := tok.Decode(ids, false)
		if utf8.ValidString(text) && tok.normalize(text) != whole && !strings.Contains(text, "<|") {
			t.Errorf("%q comes back as %q", text, whole)
		}
		stream, parts := NewStream(tok), ""
		for _, id := range ids {
			parts += stream.Push(id)
		}
		if parts += stream.Flush(); parts != whole {
			t.Errorf("%q streams as %q, decodes as %q", text, parts, whole)
		}
	})
}
