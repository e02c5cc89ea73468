package demo

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// quality of the JPEG files: high enough for cracks two pixels wide.
const quality = 92

// write draws all images on opts.Workers goroutines and fills the folder. Each image has its own random stream, so the
// bytes do not depend on who draws it.
func write(ctx context.Context, dir string, b blueprint, images []photo, opts Options, progress func(done, total int,
	what string)) error {
	for _, s := range b.written() {
		for _, sub := range []string{"images", "labels"} {
			if err := os.MkdirAll(filepath.Join(dir, s.name, sub), 0o755); err != nil {
				return fmt.Errorf("demo data set: %w", err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "data.yaml"), dataYAML(b), 0o644); err != nil {
		return fmt.Errorf("demo data set: %w", err)
	}
	var (
		next  atomic.Int64
		group sync.WaitGroup
		ready = make(chan error, len(images))
	)
	ctx, stop := context.WithCancel(ctx)
	defer group.Wait()
	defer stop()
	for range min(opts.Workers, len(images)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(images) {
					return
				}
				if images[i].out {
					ready <- nil
					continue
				}
				ready <- images[i].write(dir, i, opts.Seed+b.stream, opts)
			}
		})
	}
	for done := range images {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ready:
			if err != nil {
				return fmt.Errorf("demo data set: %w", err)
			}
		}
		if progress != nil {
			progress(done+1, len(images), "drawing")
		}
	}
	return nil
}

// written are the splits that become files.
func (b blueprint) written() []split {
	return slices.DeleteFunc(slices.Clone(b.splits), func(s split) bool { return s.name == b.without })
}

// write puts the picture and its labels into the folder of a set.
func (p photo) write(dir string, i int, seed uint64, opts Options) error {
	name := fmt.Sprintf("slope_%04d", i+1)
	place := filepath.Join(p.split, "images", name+".jpg")
	picture, err := p.picture(i, seed, opts, place)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, place), picture, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, p.split, "labels", name+".txt"), p.labels(), 0o644)
}

// picture is the i-th picture's file.
func (p photo) picture(i int, seed uint64, opts Options, place string) ([]byte, error) {
	if opts.from != "" {
		return os.ReadFile(filepath.Join(opts.from, place))
	}
	rng := rand.New(rand.NewPCG(seed, 1_000_000+uint64(i)))
	var file bytes.Buffer
	err := jpeg.Encode(&file, p.paint(rng, opts.Canvas).Image(), &jpeg.Options{Quality: quality})
	return file.Bytes(), err
}

// labels are the YOLO rows: class x1 y1 x2 y2 …, in shares of the picture.
func (p photo) labels() []byte {
	var out bytes.Buffer
	for _, o := range p.objects {
		if o.unlabelled {
			continue
		}
		fmt.Fprint(&out, o.class)
		for _, q := range o.outline() {
			fmt.Fprintf(&out, " %.6f %.6f", share(q.X), share(q.Y))
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

func share(v float64) float64 { return min(max(v/studySide, 0), 1) }

// dataYAML names the splits and classes as Ultralytics reads them.
func dataYAML(b blueprint) []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# drawn by finetui: no photograph of a real slope is in this set")
	for _, s := range b.written() {
		key := s.name
		if key == "valid" {
			key = "val"
		}
		fmt.Fprintf(&out, "%s: %s/images\n", key, s.name)
	}
	fmt.Fprintf(&out, "\nnc: %d\nnames: ['%s']\n", len(Classes), strings.Join(Classes, "', '"))
	return out.Bytes()
}
