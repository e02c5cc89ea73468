package export

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"finetui/core/model"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

// Base writes a base, the built-in one too, as trainers read it: its weights as they are, configuration, tokenizer,
// chat template and processor. Nothing that is there is overwritten.
func Base(ctx context.Context, b *model.Base, folder string, report Progress) error {
	return beside(folder, func(dir string) error {
		if err := companions(b.Dir, dir, false); err != nil {
			return err
		}
		files := b.WeightFiles()
		var done, total int64
		for _, path := range files {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			total += info.Size()
		}
		for _, path := range files {
			err := copyFile(ctx, path, filepath.Join(dir, filepath.Base(path)), func(n int) {
				done += int64(n)
				if report != nil {
					report(int(done>>20), int(total>>20), "MB of the base")
				}
			})
			if err != nil {
				return err
			}
		}
		name := weights.InFolder(func(name string) bool {
			_, err := os.Stat(filepath.Join(b.Dir, name))
			return err == nil
		})
		if slices.Contains(weights.IndexNames, name) {
			index, err := wholefile.Read(filepath.Join(b.Dir, name), wholefile.Text)
			if err != nil {
				return err
			}
			if err := wholefile.Write(filepath.Join(dir, name), index); err != nil {
				return err
			}
		}
		if b.Changed() {
			return fmt.Errorf("the base %s was changed while it was copied: try again when what writes it is done",
				b.Name)
		}
		return nil
	})
}

// copyFile copies a file, piece by piece.
func copyFile(ctx context.Context, from, to string, copied func(n int)) error {
	in, err := wholefile.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return wholefile.Create(to, 0o644, func(w io.Writer) error {
		buffer := make([]byte, piece)
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := in.Read(buffer)
			if _, failed := w.Write(buffer[:n]); failed != nil {
				return failed
			}
			copied(n)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}
