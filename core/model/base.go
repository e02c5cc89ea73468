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
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"finetui/core/features"
	"finetui/core/filehash"
	"finetui/ml/mapped"
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
	Kind      Kind
	Tokenizer *tokenizer.Tokenizer
	Stop      []int32 // tokens that end an answer

	seen       *features.Cache // what it made of pictures; nil: is not kept
	checkpoint *weights.Checkpoint
	identity   *identity
}

// read opens the base's files. hashes is where their hashes are kept.
func (b *Base) read(hashes *filehash.Store) error {
	before, err := look(b.Dir, everything(b.Dir))
	if err != nil {
		return err
	}
	if b.Kind, err = Inspect(b.Dir); err != nil {
		return err
	}
	if b.Tokenizer, err = tokenizer.Load(filepath.Join(b.Dir, "tokenizer.json")); err != nil {
		return err
	}
	if size, vocab := b.Tokenizer.Size(), b.Kind.Sizes().Vocab; size > vocab {
		return fmt.Errorf("%s: tokenizer.json has %d tokens, the model's vocabulary %d", b.Dir, size, vocab)
	}
	if b.Stop, err = b.stopTokens(); err != nil {
		return err
	}
	if b.checkpoint, err = weights.OpenCheckpoint(b.Dir); err != nil {
		return err
	}
	stats, err := look(b.Dir, b.names())
	for name, stat := range stats {
		if before[name] != stat && filepath.IsLocal(name) { // what lies beside was looked at when its kind was opened
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

// Remember keeps what the model makes of pictures in a folder,
// at most limit bytes. Where that cannot be, Trouble says so.
func (b *Base) Remember(dir string, limit int64) { b.seen = features.Open(dir, limit) }

// Trouble says why features are not kept although they were to be; empty: they are.
func (b *Base) Trouble() string {
	if b.seen == nil {
		return ""
	}
	return b.seen.Trouble()
}

// Close ends the use of the weights' file and of the features.
func (b *Base) Close() error {
	b.identity.end()
	err := b.checkpoint.Close()
	if c, ok := b.Kind.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	if b.seen != nil {
		err = errors.Join(err, b.seen.Close())
	}
	return err
}

// New builds the network of the base's weights.
func (b *Base) New(t Tuning) (Network, error) { return b.build(b.checkpoint, t) }

func (b *Base) build(src weights.Source, t Tuning) (n Network, err error) {
	err = mapped.Guard(func() error {
		n, err = b.Kind.Build(src, t)
		return err
	})
	return n, err
}

// stopTokens are the ends that generation_config.json and config.json name, and the chat template's.
func (b *Base) stopTokens() ([]int32, error) {
	stop := slices.Clone(b.Kind.Sizes().Ends)
	path := filepath.Join(b.Dir, "generation_config.json")
	data, err := wholefile.Read(path, wholefile.Text)
	if err == nil {
		var g struct {
			EOS json.RawMessage `json:"eos_token_id"`
		}
		if err := json.Unmarshal(data, &g); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		ids, err := tokenizer.IDs(g.EOS)
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
