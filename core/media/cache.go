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
	limit int
	lock  sync.Mutex
	used  int
	order *list.List // of *cached, most recent first
	byKey map[cacheKey]*list.Element
}

type cacheKey struct {
	path  string
	time  time.Time
	bytes int64
}

type cached struct {
	key cacheKey
	img *picture.RGB
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
	key := cacheKey{path, info.ModTime(), info.Size()}
	if img := c.get(key); img != nil {
		return img, nil
	}
	img, err := decode(path)
	if err != nil {
		return nil, err
	}
	c.put(key, img)
	return img, nil
}

func decode(path string) (*picture.RGB, error) {
	if !video.Named(path) {
		img, _, err := picture.Decode(path)
		return img, err
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

func (c *Cache) get(key cacheKey) *picture.RGB {
	c.lock.Lock()
	defer c.lock.Unlock()
	element := c.byKey[key]
	if element == nil {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*cached).img
}

func (c *Cache) put(key cacheKey, img *picture.RGB) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(img.Pix) > c.limit || c.byKey[key] != nil {
		return
	}
	c.byKey[key] = c.order.PushFront(&cached{key, img})
	c.used += len(img.Pix)
	for c.used > c.limit {
		oldest := c.order.Back()
		entry := c.order.Remove(oldest).(*cached)
		delete(c.byKey, entry.key)
		c.used -= len(entry.img.Pix)
	}
}
