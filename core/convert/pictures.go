package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/cores"
	"finetui/ml/picture"
	"finetui/ml/wholefile"
)

// mediaFolder holds the pictures that are drawn, in CONVERT.OUTPUT.
const mediaFolder = "media"

// jpegQuality is that of whole pictures from JPEG files, and of outlined ones. Cut-outs are small and written as PNG,
// so that a trainer sees the very pixels that this program trains on.
const jpegQuality = 95

// pictures knows what a record shows and where it lies.
type pictures struct {
	writer *writer
	drawn  int // files written

	lock   sync.Mutex
	copies map[*dataset.Item]string // whole pictures that are not handed on as they are: names of their copies
	faults map[int]error            // of samples: why their picture, which is there, cannot be shown
}

// context is what is shown of a picture.
func (w *pictures) context() config.Context { return w.writer.p.Config.Recipe.Context }

// paths are the pictures of a sample as its record names them: the original, or the files that draw makes.
func (w *pictures) paths(s recipe.Sample) ([]string, error) {
	if s.Item.Clip != nil {
		return []string{w.clip(s.Item)}, nil
	}
	if w.context() == config.ContextFull {
		if name := w.copied(s.Item); name != "" {
			return []string{name}, nil
		}
		path, err := filepath.Rel(w.writer.dir, s.Item.Media)
		if err != nil {
			path = s.Item.Media // on another drive
		}
		return []string{filepath.ToSlash(path)}, nil
	}
	if err := local(s.Item); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s/%s-%d-", mediaFolder, s.Item.ID, s.Object)
	switch w.context() {
	case config.ContextMarked:
		return []string{name + "marked.jpg"}, nil
	case config.ContextCrop:
		return []string{name + "crop.png"}, nil
	}
	return []string{name + "marked.jpg", name + "crop.png"}, nil
}

// clip is a clip as its record names it. As the labels write it, a path that begins at the top of the machine is one
// from the project's folder.
func (w *pictures) clip(item *dataset.Item) string {
	from, path := w.writer.dir, item.Media
	if w.writer.d.asWritten || path == "" {
		path = item.Written()
		if !filepath.IsAbs(path) {
			return filepath.ToSlash(path)
		}
		from = w.writer.p.File.Root
	}
	if within, err := filepath.Rel(from, path); err == nil {
		path = within
	}
	return filepath.ToSlash(path)
}

// copied is the name of the copy of an item's whole picture, empty where the original is handed on.
func (w *pictures) copied(item *dataset.Item) string {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.copies[item]
}

// local says why a picture has no place of its own below mediaFolder.
func local(item *dataset.Item) error {
	if !filepath.IsLocal(filepath.FromSlash(item.ID)) {
		return fmt.Errorf("%s: its %s lies outside of its split's folder; move it there", item.ID, item.Word())
	}
	return nil
}

// errTooLong is the error for what no program shows to the model.
var errTooLong = errors.New("every trainer of Qwen2-VL stops at it")

func isTooLong(err error) bool { return errors.Is(err, errTooLong) }

// tooLong says that the model's processor refuses a picture of that size.
func (w *pictures) tooLong(width, height int) error {
	if r := w.writer.p.Encoder().Refused(model.Size{W: max(width, 1), H: max(height, 1)}); r != nil {
		return fmt.Errorf("it would be shown as %d×%d pixels, %s: %w", width, height, r.Why, errTooLong)
	}
	return nil
}

// copyWhole writes a copy of a whole picture that other programs would not see as it is shown here.
func (w *pictures) copyWhole(item *dataset.Item) (drawn int, err error) {
	head, err := header(item.Media)
	if err != nil || head.Plain() {
		return 0, nil // what cannot be read is a finding of the data set
	}
	if err := local(item); err != nil {
		return 0, err
	}
	picture, err := media.Load(item)
	if err != nil {
		return 0, nil
	}
	name := mediaFolder + "/" + item.ID + "-whole.png"
	if head.Format == "jpeg" {
		name = mediaFolder + "/" + item.ID + "-whole.jpg"
	}
	w.lock.Lock()
	w.copies[item] = name
	w.lock.Unlock()
	if err := mark(w.writer.dir); err != nil {
		return 0, err
	}
	return 1, writePicture(filepath.Join(w.writer.dir, filepath.FromSlash(name)), picture)
}

func header(path string) (head picture.Header, err error) {
	file, err := wholefile.Open(path)
	if err != nil {
		return head, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return head, err
	}
	return picture.ReadHeader(file, info.Size())
}

// draw makes the pictures of all samples, an item's one after the other. Originals are only looked for.
func (w *pictures) draw(ctx context.Context, report project.Progress) error {
	if w.context() != config.ContextFull {
		if err := mark(w.writer.dir); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan [2]int)
	var workers sync.WaitGroup
	var lock sync.Mutex
	done, n := 0, len(w.writer.chosen)
	_, what := w.writer.p.Data.Words()
	for range cores.Count() {
		workers.Go(func() {
			for span := range next {
				drawn, err := w.drawItems(span[0], span[1])
				if err != nil {
					cancel(err)
				}
				lock.Lock()
				w.drawn += drawn
				if done += span[1] - span[0]; report != nil {
					report(done, n, what)
				}
				lock.Unlock()
			}
		})
	}
	piece := max(1, min(64, n/256)) // so many samples at a time, or one item's
	for from := 0; from < n && ctx.Err() == nil; {
		to := from
		for to < n && to < from+piece {
			to = w.end(to)
		}
		next <- [2]int{from, to}
		from = to
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// end is where the samples of an item end that begin at from.
func (w *pictures) end(from int) int {
	to, chosen := from, w.writer.chosen
	for to < len(chosen) && chosen[to].item == chosen[from].item {
		to++
	}
	return to
}

// drawItems makes the pictures of samples. An error is of the place they are written to.
func (w *pictures) drawItems(from, to int) (drawn int, err error) {
	for from < to && err == nil {
		end, n := w.end(from), 0
		n, err = w.drawItem(from, end)
		from, drawn = end, drawn+n
	}
	return drawn, err
}

// drawItem makes those of one item.
func (w *pictures) drawItem(from, to int) (drawn int, err error) {
	item := w.writer.item(from)
	if item.Clip != nil {
		w.lack(from, to, present(item))
		return 0, nil
	}
	if w.context() == config.ContextFull {
		err := present(item)
		if err == nil && item.Width > 0 {
			err = w.tooLong(int(item.Width), int(item.Height))
		}
		if err != nil {
			w.lack(from, to, err)
			return 0, nil
		}
		return w.copyWhole(item)
	}
	whole, err := media.Load(item)
	if err != nil {
		w.lack(from, to, err)
		return 0, nil
	}
	for i := from; i < to; i++ {
		s := w.writer.sample(i)
		names, err := w.paths(s)
		if err != nil {
			return drawn, err
		}
		shown, err := w.writer.p.Encoder().Shown(whole, s.Box())
		for _, picture := range shown {
			err = cmp.Or(err, w.tooLong(picture.W, picture.H))
		}
		if err != nil {
			w.lack(i, i+1, err)
			continue
		}
		for k, name := range names {
			if err := writePicture(filepath.Join(w.writer.dir, filepath.FromSlash(name)), shown[k]); err != nil {
				return drawn, err
			}
			drawn++
		}
	}
	return drawn, nil
}

// lack notes why samples have no picture, where their item does not say so itself.
func (w *pictures) lack(from, to int, err error) {
	if _, said := err.(absent); said || err == nil {
		return
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	for i := from; i < to; i++ {
		w.faults[i] = err
	}
}

// lacks is why a sample's picture cannot be shown.
func (w *pictures) lacks(i int) error {
	if err := w.faults[i]; err != nil {
		return err
	}
	if item := w.writer.item(i); item.Media == "" {
		return absent{item}
	}
	return nil
}

// absent says of an item that there is no file of it.
type absent struct{ item *dataset.Item }

func (a absent) Error() string {
	if a.item.Clip != nil {
		return a.item.ID + ": the clip is not there"
	}
	return a.item.ID + " has no picture"
}

// present says why an item's own picture cannot be shown.
func present(item *dataset.Item) error {
	if item.Media == "" {
		return absent{item}
	}
	if _, err := os.Stat(item.Media); err != nil {
		return err
	}
	if item.Broken {
		return errors.New(item.Media + " cannot be decoded whole")
	}
	return nil
}

// writePicture writes PNG or JPEG by the ending of the name.
func writePicture(path string, picture *picture.RGB) error {
	if filepath.Ext(path) == ".png" {
		return create(path, func(out io.Writer) error { return png.Encode(out, media.Image(picture)) })
	}
	img := media.Image(picture)
	// the same bytes where nothing shines through, and the kind that the encoder is fast with
	opaque := &image.RGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
	return create(path, func(out io.Writer) error {
		return jpeg.Encode(out, opaque,
			&jpeg.Options{Quality: jpegQuality})
	})
}
