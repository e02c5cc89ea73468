// Package model opens base models and adapters and asks them questions about pictures. It knows files and tokens but no
// data sets, recipes or runs, and trains nothing.
package model

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"finetui/core/features"
	"finetui/core/filehash"
	"finetui/ml/mapped"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/tokenizer"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// Tiny is the name of the base that the program carries.
const Tiny = "tiny"

//go:embed tiny
var tiny embed.FS

// Base is an opened base model: its files, but not yet its weights in working order.
type Base struct {
	Name      string // as MODEL.BASE gives it
	Dir       string // the folder in Hugging Face's format
	Config    qwen2vl.Config
	Tokenizer *tokenizer.Tokenizer
	Processor pixels.Processor
	Stop      []int32         // tokens that end an answer
	Seen      *features.Cache // what its tower made of pictures; nil: is not kept

	checkpoint *weights.Checkpoint
	identity   *identity
	system     string // what stands before a conversation; empty: what Qwen2-VL's template writes
}

// read opens the base's files. hashes is where their hashes are kept.
func (b *Base) read(hashes *filehash.Store) error {
	before, err := look(b.Dir, everything(b.Dir))
	if err != nil {
		return err
	}
	data, err := weights.ReadConfig(b.Dir)
	if err != nil {
		return err
	}
	if b.Config, err = parseConfig(data); err != nil {
		return fmt.Errorf("%s: %w", b.Dir, err)
	}
	if b.Tokenizer, err = tokenizer.Load(filepath.Join(b.Dir, "tokenizer.json")); err != nil {
		return err
	}
	if size := b.Tokenizer.Size(); size > b.Config.Text.Vocab {
		return fmt.Errorf("%s: tokenizer.json has %d tokens, the model's vocabulary %d", b.Dir, size,
			b.Config.Text.Vocab)
	}
	if b.Sees() {
		err = b.readProcessor()
	} else {
		b.system, err = readSystem(b.Dir)
	}
	if err != nil {
		return err
	}
	if b.Stop, err = b.stopTokens(); err != nil {
		return err
	}
	if b.checkpoint, err = weights.OpenCheckpoint(b.Dir); err != nil {
		return err
	}
	stats, err := look(b.Dir, b.names())
	for name, stat := range stats {
		if before[name] != stat {
			err = fmt.Errorf("%s was changed while it was opened: wait until what writes it is done",
				filepath.Join(b.Dir, name))
		}
	}
	if err != nil {
		return errors.Join(err, b.checkpoint.Close())
	}
	b.identity = newIdentity(b.Dir, hashes, stats)
	return nil
}

func (b *Base) readProcessor() (err error) {
	if b.Processor, err = pixels.LoadProcessor(b.Dir); err != nil {
		return err
	}
	if v := b.Config.Vision; b.Processor.RowSize() != v.PatchWidth() || b.Processor.Merge != v.Merge {
		return fmt.Errorf("%s: preprocessor_config.json cuts patches of %d values, the vision tower takes %d", b.Dir,
			b.Processor.RowSize(), v.PatchWidth())
	}
	return nil
}

// Remember keeps what the tower makes of pictures in a folder,
// at most limit bytes. Where that cannot be, Trouble says so.
func (b *Base) Remember(dir string, limit int64) { b.Seen = features.Open(dir, limit) }

// Trouble says why features are not kept although they were to be; empty: they are.
func (b *Base) Trouble() string {
	if b.Seen == nil {
		return ""
	}
	return b.Seen.Trouble()
}

// Close ends the use of the weights' file and of the features.
func (b *Base) Close() error {
	b.identity.end()
	if b.Seen == nil {
		return b.checkpoint.Close()
	}
	return errors.Join(b.Seen.Close(), b.checkpoint.Close())
}

// New builds the model of the base's weights.
func (b *Base) New(tune qwen2vl.Tuning) (m *qwen2vl.Model, err error) {
	return b.build(b.Config, b.checkpoint, tune)
}

func (b *Base) build(c qwen2vl.Config, src weights.Source, tune qwen2vl.Tuning) (m *qwen2vl.Model, err error) {
	err = mapped.Guard(func() error {
		m, err = qwen2vl.New(c, src, tune)
		return err
	})
	return m, err
}

// stopTokens are the ends that generation_config.json and config.json name, and the chat template's.
func (b *Base) stopTokens() ([]int32, error) {
	stop := slices.Clone(b.Config.Text.EOS)
	path := filepath.Join(b.Dir, "generation_config.json")
	data, err := os.ReadFile(path)
	if err == nil {
		var g struct {
			EOS json.RawMessage `json:"eos_token_id"`
		}
		if err := json.Unmarshal(data, &g); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		ids, err := qwen2.TokenIDs(g.EOS)
		if err != nil {
			return nil, fmt.Errorf("%s: eos_token_id is %w", path, err)
		}
		stop = append(stop, ids...)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range []string{"<|im_end|>", "<|endoftext|>"} {
		if id, ok := b.Tokenizer.ID(name); ok {
			stop = append(stop, id)
		}
	}
	slices.Sort(stop)
	return slices.Compact(stop), nil
}

// unpackTiny puts the embedded base into the user's cache, under its own fingerprint, and returns the folder.
func unpackTiny() (string, error) {
	sum := sha256.New()
	entries, err := tiny.ReadDir("tiny")
	if err != nil {
		return "", err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		data, err := tiny.ReadFile("tiny/" + e.Name())
		if err != nil {
			return "", err
		}
		files[e.Name()] = data
		fmt.Fprintln(sum, e.Name(), len(data))
		sum.Write(data)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "finetui", "tiny-"+hex.EncodeToString(sum.Sum(nil))[:16])
	wholefile.Sweep(filepath.Dir(dir), "unpack-") // as older builds called what they were at
	wholefile.Sweep(filepath.Dir(dir), ".tiny-")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	err = wholefile.Folder(dir, func(beside string) error {
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(beside, name), data, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if _, there := os.Stat(dir); err != nil && there != nil {
		return "", err
	} // else another process was faster
	return dir, nil
}

// WeightBytes is the size of a weight as the base holds it in working order:
// 2 where its file has bfloat16, which stays so, else 4.
func (b *Base) WeightBytes() int { return b.checkpoint.WeightBytes() }
