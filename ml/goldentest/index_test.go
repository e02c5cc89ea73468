package goldentest_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"finetui/ml/goldentest"
)

// compared says for the files of a tree, by pattern, which test holds them against ours. The tests that name tensors
// prove with Golden.Complete that they left none out.
var compared = []struct{ pattern, by string }{
	{"qwen2/*/model*.safetensors",
		"qwen2.TestGoldenQwen2 computes with them; safetensors.TestGoldenFilesAreRewrittenByteForByte"},
	{"qwen2/*/config.json", "qwen2.TestGoldenQwen2 reads its sizes from it"},
	{"qwen2/*/generation_config.json", "qwen2.TestGoldenEndTokens"},
	{"qwen2/*/model.safetensors.index.json", "safetensors.TestGoldenShardsAreTheRoundedWeights"},
	{"qwen2/golden-*.safetensors", "qwen2.TestGoldenQwen2"},
	{"qwen2/golden-*.json", "qwen2.TestGoldenQwen2"},
	{"qwen2/lora/samples.json", "train.TestGoldenOptimizerTraces"},
	{"qwen2/lora/schedules.json", "train.TestGoldenLoRASchedules"},
	{"qwen2/lora/*/adapter_model.safetensors", "lora.TestGoldenAdaptersComeBackByteForByte"},
	{"qwen2/lora/*/adapter_config.json", "lora.TestGoldenAdaptersComeBackByteForByte"},
	{"qwen2/lora/*.logits.safetensors", "train.TestGoldenAdapterLogits"},
	{"qwen2/lora/*.grads.safetensors", "train.TestGoldenAdapterGradients"},
	{"qwen2/lora/*.train-*.safetensors", "train.TestGoldenOptimizerTraces"},
	{"qwen2/lora/*.json", "train.TestGoldenOptimizerTraces, train.TestGoldenAdapterLogits, " +
		"train.TestGoldenAdapterGradients"},

	{"qwen2vl/media/*.png", "pixels.TestGoldenModelInputsAreThePictures"},
	{"qwen2vl/*/model*.safetensors", "qwen2vl.TestGoldenQwen2VL and TestGoldenShardedBF16 compute with them"},
	{"qwen2vl/*/config.json", "qwen2vl.TestGoldenQwen2VL reads its sizes from it"},
	{"qwen2vl/*/generation_config.json", "qwen2.TestGoldenEndTokens"},
	{"qwen2vl/*/model.safetensors.index.json", "qwen2vl.TestGoldenShardedBF16"},
	{"qwen2vl/cases/*.safetensors", "qwen2vl.TestGoldenQwen2VL"},
	{"qwen2vl/cases/*.json", "qwen2vl.TestGoldenQwen2VL, TestGoldenPositions"},
	{"qwen2vl/golden-sharded-bf16.*", "qwen2vl.TestGoldenShardedBF16"},
	{"qwen2vl/special-ids.json", "qwen2vl.TestGoldenSpecialTokens"},
	{"qwen2vl/lora/samples.json", "qwen2vl.TestGoldenOptimizerTraces"},
	{"qwen2vl/lora/*/adapter_model.safetensors",
		"lora.TestGoldenAdaptersComeBackByteForByte, TestGoldenOldNamesAreTheSameAdapter"},
	{"qwen2vl/lora/*/adapter_config.json", "lora.TestGoldenAdaptersComeBackByteForByte"},
	{"qwen2vl/lora/attn.logits.safetensors", "qwen2vl.TestGoldenAdapterLogits"},
	{"qwen2vl/lora/attn.grads.safetensors", "qwen2vl.TestGoldenAdapterGradients"},
	{"qwen2vl/lora/attn.train-*.safetensors", "qwen2vl.TestGoldenOptimizerTraces"},
	{"qwen2vl/lora/attn.generate-*", "qwen2vl.TestGoldenAdapterGreedy, and after training TestGoldenOptimizerTraces"},
	{"qwen2vl/lora/attn.json",
		"qwen2vl.TestGoldenOptimizerTraces, TestGoldenAdapterLogits, TestGoldenAdapterGradients"},
	{"qwen2vl/lora/attn.merged-logits.safetensors", "qwen2vl.TestGoldenMergedLogits"},
	{"qwen2vl/lora/attn.merged.json", "qwen2vl.TestGoldenMergedLogits"},
	{"qwen2vl/lora/attn.merged-weights.safetensors", "lora.TestGoldenMergedWeights"},

	{"images/input/*", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows, TestGoldenFilesAreReadAsByPath"},
	{"images/decoded/*.png", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows, " +
		"TestGoldenJPEGsAreDecodedCloseToPillow"},
	{"images/resized/*.png", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows, where Pillow 13 runs x first " +
		"as we do"},
	{"images/resized-x-first/*.png", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows"},
	{"images/pixels/*.safetensors", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows"},
	{"images/cases.json", "pixels.TestGoldenPicturesAreResizedAndCutIntoRows"},
	{"images/smart_resize.json", "pixels.TestGoldenSmartResizeTable"},

	{"text/tokenizer.json", "tokenizer.TestGoldenStringsAreEncodedAndDecoded"},
	{"text/strings.json", "tokenizer.TestGoldenStringsAreEncodedAndDecoded"},
	{"text/chats.json", "chat.TestGoldenChatsAreRenderedAndEncoded"},
	{"text/sft-labels.json", "chat.TestGoldenLabelsSuperviseOnlyAnswers"},

	{"full-vocab/*", "qwen2vl.TestGoldenWholePipelineOfOnePicture"},
	{"full-vocab/model/*", "qwen2vl.TestGoldenWholePipelineOfOnePicture"},
}

func TestGoldenFilesAllHaveATest(t *testing.T) {
	tests := goldenTests(t)
	var index struct{ Files []struct{ File string } }
	goldentest.JSON(t, goldentest.Dir(t, "index.json"), &index)
	for _, f := range index.Files {
		if _, err := os.Stat(filepath.Join(goldentest.Dir(t), filepath.FromSlash(f.File))); err != nil {
			t.Errorf("the index names %s: %v", f.File, err)
		}
		found := false
		for _, c := range compared {
			if ok, err := path.Match(c.pattern, f.File); err != nil {
				t.Fatal(err)
			} else if ok {
				found = true
			}
			for _, name := range testName.FindAllString(c.by, -1) {
				if !tests[name] {
					t.Fatalf("%s: there is no test %s", c.pattern, name)
				}
			}
		}
		if !found {
			t.Errorf("no test is known to read %s", f.File)
		}
	}
	t.Logf("%d files", len(index.Files))
}

var testName = regexp.MustCompile(`TestGolden\w+`)

// goldenTests are the names of all golden tests of ml.
func goldenTests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, declared := range regexp.MustCompile(`(?m)^func (TestGolden\w+)`).FindAllSubmatch(text, -1) {
			names[string(declared[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The tree that travels with the code stays small, and holds of each kind what a plain clone proves the engine with.
func TestTheTreeOfTheCheckoutIsSmallAndWhole(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "golden")
	var bytes int64
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		bytes += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if bytes > 2_000_000 {
		t.Errorf("testdata/golden has %d bytes, at most 2 MB are meant to travel", bytes)
	}
	for _, name := range []string{"text/chats.json", "text/sft-labels.json", "text/strings.json", "images/cases.json",
		"qwen2/golden-untied.json", "qwen2/golden-sharded-bf16.json", "qwen2/sharded-bf16/model.safetensors.index.json",
		"qwen2vl/cases/one-image.json", "qwen2vl/lora/attn.json"} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
			t.Errorf("a plain clone lacks %s", name)
		}
	}
}
