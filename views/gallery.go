package views

import (
	"context"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

// Gallery keeps pictures made of characters: drawn in commands, found by a key that
// holds everything they depend on. The zero Gallery is ready.
type Gallery[K comparable] struct {
	Most int // drawings that are kept beside those on the screen

	made    map[K]Drawing[K]
	asked   map[K]bool // of the open request
	request Request
}

// Drawing is a picture made of characters, or why it cannot be.
type Drawing[K comparable] struct {
	Key     K
	Picture widget.Picture
	Err     error
}

// Get returns the drawing of a key if it has been made.
func (g *Gallery[K]) Get(key K) (Drawing[K], bool) {
	d, ok := g.made[key]
	return d, ok
}

// Pending says whether something is being drawn.
func (g *Gallery[K]) Pending() bool { return g.request.Pending() }

// Forget drops all drawings: the files may be others.
func (g *Gallery[K]) Forget() {
	g.request.Close()
	g.made, g.asked = nil, nil
}

// Want asks for the drawings of these keys that are neither made nor on their way. draw runs beside the screen.
func (g *Gallery[K]) Want(keys []K, draw func(K) (widget.Picture, error)) tea.Cmd {
	var missing []K
	allAsked := true
	for _, key := range keys {
		if _, there := g.made[key]; !there {
			missing = append(missing, key)
			allAsked = allAsked && g.asked[key]
		}
	}
	if len(missing) == 0 || allAsked && g.request.Pending() {
		return nil
	}
	if len(g.made) > g.Most {
		maps.DeleteFunc(g.made, func(key K, _ Drawing[K]) bool { return !slices.Contains(keys, key) })
	}
	g.asked = map[K]bool{}
	for _, key := range missing {
		g.asked[key] = true
	}
	return Listen(&g.request, func(ctx context.Context, emit func(Drawing[K])) error {
		for _, key := range missing {
			if err := ctx.Err(); err != nil {
				return err
			}
			picture, err := draw(key)
			emit(Drawing[K]{key, picture, err})
		}
		return nil
	})
}

// Arrived keeps drawings, those of an older question too: their key says what they are.
func (g *Gallery[K]) Arrived(msg Batch[Drawing[K]]) tea.Cmd {
	if g.made == nil {
		g.made = map[K]Drawing[K]{}
	}
	for _, one := range msg.Values {
		g.made[one.Key] = one
	}
	if !g.request.Takes(msg.Ticket) {
		return nil
	}
	if msg.Ended {
		g.request.Close()
		g.asked = nil
	}
	return msg.Next
}
