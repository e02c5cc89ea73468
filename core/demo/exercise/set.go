// Package exercise draws the set of the demo with clips: stick figures that exercise, with labels in QVED's form, in
// the proportions of the published set (a long tail, right form and faults, participants). It trains nothing and never
// looks at a model.
package exercise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"finetui/core/demo/draw"
	"finetui/core/video"
	"finetui/ml/cores"
	"finetui/ml/picture"
	"finetui/ml/wholefile"
)

// Options say how a set is made. The zero value is the demo's own.
type Options struct {
	Seed    uint64
	Workers int // clips drawn at once; 0: one for each core. The files do not depend on it
	Clips   int // of a split at most; 0: all
}

// clipSide is the side of the clips in pixels.
const clipSide = 192

// Names are the exercises, from the most frequent to the rarest.
func Names() (names []string) {
	for _, e := range exercises {
		names = append(names, e.name)
	}
	return names
}

// part of the set: who is in it, and how many clips of each exercise there are.
type split struct {
	name         string
	participants int
	clips        [12]int
}

// splits have people of their own. The first is as skewed as a dozen classes of a few minutes' work can be, those that
// score are less so: a class with one clip would be scored by a coin.
var splits = []split{
	{"train", 24, [12]int{64, 48, 36, 30, 24, 20, 16, 12, 9, 7, 5, 4}},
	{"valid", 6, [12]int{6, 5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2}},
	{"test", 12, [12]int{20, 16, 14, 12, 10, 10, 8, 8, 6, 6, 6, 6}},
}

// rightForm is the share of clips without a fault.
const rightForm = .4

// take is one clip that is to be filmed.
type take struct {
	path, split, person string
	exercise, variation int
	seed                uint64 // of its film
	who                 Person
}

// plan says who does what in which clip.
func plan(o Options) (takes []take) {
	people := 0
	for at, s := range splits {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(at)))
		var who []Person
		for range s.participants {
			who = append(who, NewPerson(rng))
		}
		turn := 0
		var of []take
		for i, n := range s.clips {
			faults := len(exercises[i].variations) - 1
			fault := rng.IntN(faults)
			for k := range n {
				v := 0
				if float64(k%5) >= 5*rightForm { // in turn, so that each is there
					v, fault = 1+fault%faults, fault+1
				}
				p := turn % len(who)
				turn++
				of = append(of, take{split: s.name, person: fmt.Sprintf("worker-%02d", people+p+1), exercise: i,
					variation: v, seed: rng.Uint64(), who: who[p]})
			}
		}
		people += s.participants
		rng.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		if o.Clips > 0 {
			of = of[:min(o.Clips, len(of))]
		}
		takes = append(takes, of...)
	}
	for i := range takes {
		takes[i].path = fmt.Sprintf("./%08d.mp4", i)
	}
	return takes
}

// film is the take on the screen.
func (t take) film() Film {
	rng := rand.New(rand.NewPCG(t.seed, 7))
	return t.who.Shoot(rng, exercises[t.exercise].variations[t.variation].motion, draw.Between(rng, 16, 24), clipSide)
}

// Make writes the set to dir: clips, fine_grained_labels.json and fine_grained_labels_with_worker_ids.json. dir must
// not exist or be empty; it appears only when all is written. The same options and the same FFmpeg give the same bytes.
// progress counts clips and may be nil; when ctx ends, Make returns its error and leaves nothing.
func Make(ctx context.Context, dir string, o Options, progress func(done, total int, what string)) error {
	takes := plan(o)
	err := wholefile.Folder(dir, func(draft string) error {
		if err := shoot(ctx, draft, takes, o.Workers, progress); err != nil {
			return err
		}
		return label(draft, takes)
	})
	var missing *video.NoFFmpeg
	if errors.As(err, &missing) {
		return fmt.Errorf("the exercise clips cannot be made: %w", missing)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("exercise clips: %w", err)
	}
	return err
}

// shoot films all takes, several at a time.
func shoot(ctx context.Context, dir string, takes []take, workers int, progress func(done, total int,
	what string)) error {
	if workers <= 0 {
		workers = cores.Count()
	}
	var (
		next  atomic.Int64
		group sync.WaitGroup
		ready = make(chan error, len(takes))
	)
	ctx, stop := context.WithCancel(ctx)
	defer group.Wait()
	defer stop()
	for range min(workers, len(takes)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(takes) {
					return
				}
				var frames []*picture.RGB
				for _, c := range takes[i].film().Frames {
					frames = append(frames, &picture.RGB{W: c.W, H: c.H, Pix: c.Pix})
				}
				ready <- video.Encode(ctx, filepath.Join(dir, filepath.FromSlash(takes[i].path)), FPS, frames)
			}
		})
	}
	for done := range takes {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ready:
			if err != nil {
				return err
			}
		}
		if progress != nil {
			progress(done+1, len(takes), "filming")
		}
	}
	return nil
}

// label writes the records of all takes.
func label(dir string, takes []take) error {
	type record struct {
		Path        string   `json:"video_path"`
		Labels      []string `json:"labels"`
		Descriptive []string `json:"labels_descriptive"`
		Split       string   `json:"split"`
	}
	type worker struct {
		Path string `json:"video_path"`
		ID   string `json:"worker_id"`
	}
	var records []record
	var workers []worker
	for _, t := range takes {
		e := exercises[t.exercise]
		v := e.variations[t.variation]
		records = append(records, record{t.path, []string{e.name + " - " + v.label},
			[]string{e.name + " - " + v.advice}, t.split})
		workers = append(workers, worker{t.path, t.person})
	}
	put := func(name string, v any) error {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), append(data, '\n'), 0o644)
	}
	return errors.Join(put("fine_grained_labels.json", records), put("fine_grained_labels_with_worker_ids.json",
		workers))
}
