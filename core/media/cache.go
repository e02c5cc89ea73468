package media

import (
	"container/list"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"finetui/core/video"
	"finetui/ml/picture"
)

// Cache keeps decoded pictures, the most recently used ones, up to a number of bytes. A file that has changed is
// decoded again. Pictures are shared: who wants to draw on one draws on a copy. Any number of goroutines may use it.
type Cache struct {
	// Middle is the frame in the middle of a clip; nil: it is decoded each time. Set it before the first use.
	Middle func(path string) (*picture.RGB, error)

	limit int
	lock  sync.Mutex
	used  int
	order *list.List // of *cached, most recent first
	byKey map[cacheKey]*list.Element
}

type cacheKey struct {
	path   string
	time   time.Time
	bytes  int64
	frames string // of a clip, which ones; "": the picture
}

type cached struct {
	key    cacheKey
	img    *picture.RGB
	frames []video.Frame
	clip   *video.Info
}

// size is how many bytes it takes.
func (e *cached) size() (n int) {
	if e.img != nil {
		n += len(e.img.Pix)
	}
	for _, f := range e.frames {
		n += len(f.Picture.Pix)
	}
	if e.clip != nil {
		n += 8 * len(e.clip.Times)
	}
	return n
}

// NewCache returns a cache of at most limit bytes of pixels, three a pixel.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit, order: list.New(), byKey: map[cacheKey]*list.Element{}}
}

// Decode returns the picture of a file, upright; of a clip the frame in its middle, which stands for it.
func (c *Cache) Decode(path string) (*picture.RGB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	key := cacheKey{path: path, time: info.ModTime(), bytes: info.Size()}
	if kept := c.get(key); kept != nil {
		return kept.img, nil
	}
	img, err := c.decode(path)
	if err != nil {
		return nil, err
	}
	c.put(&cached{key: key, img: img})
	return img, nil
}

func (c *Cache) decode(path string) (*picture.RGB, error) {
	switch {
	case !video.Named(path):
		img, _, err := picture.Decode(path)
		return img, err
	case c.Middle != nil:
		return c.Middle(path)
	}
	const side = 1024 // more than a terminal shows
	middle := func(clip *video.Info) []int { return []int{clip.Frames / 2} }
	var unkept *video.Store
	frames, _, err := unkept.Frames(context.Background(), path, middle,
		func(clip *video.Info) video.Size { return clip.Within(side, side) }, nil)
	if err != nil {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("%s has no frame in its middle", path)
	}
	return frames[0].Picture, nil
}

func (c *Cache) get(key cacheKey) *cached {
	c.lock.Lock()
	defer c.lock.Unlock()
	element := c.byKey[key]
	if element == nil {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*cached)
}

func (c *Cache) put(entry *cached) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if entry.size() > c.limit || c.byKey[entry.key] != nil {
		return
	}
	c.byKey[entry.key] = c.order.PushFront(entry)
	c.used += entry.size()
	for c.used > c.limit {
		oldest := c.order.Remove(c.order.Back()).(*cached)
		delete(c.byKey, oldest.key)
		c.used -= oldest.size()
	}
}
