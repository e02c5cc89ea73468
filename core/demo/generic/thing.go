// Package generic draws and describes the things a small model is pretrained on: roads, pipes, walls, heaps, bushes and
// their like, whole, cracked, broken or covered. It never draws an object of the demo and never says one of its names.
package generic

import (
	"math/rand/v2"

	"finetui/core/demo/draw"
)

// The closed lists that a Thing's fields are taken from; their order is fixed, so an index is a label.
var (
	Kinds = []string{"road", "pipe", "plank", "wall", "path", "canal", "fence", "heap", "pile", "logs",
		"bush", "hedge", "flowers", "pond", "ground"}
	Directions = []string{"upright", "flat", "slanted", "none"}
	Grounds    = draw.Grounds
	Colours    = []string{"grey", "blue", "red", "brown", "white", "green", "yellow"}
	Covers     = draw.Covers
)

// Map is one of the dense maps of a thing.
type Map int

// What a map marks, cell by cell.
const (
	Body      Map = iota // the thing itself
	Crack                // cracks
	Bite                 // pieces missing at the rim of a long thing
	Cover                // debris on it
	Hole                 // gaps within a heap
	Scattered            // displaced pieces below a heap
	MapCount
)

// Size is the usual side of a picture, Cell the side of a map's cell, both in pixels.
const (
	Size = 112
	Cell = 14
)

// Thing is one thing with everything that is known about it.
type Thing struct {
	Picture *draw.Canvas // the photograph; nil in a scene, which has one for all

	Kind, Direction, Ground, Colour string
	Cover                           string  // "nothing" or what lies on it
	Amount                          float64 // share of its length that is covered; 0 where it is not told
	Cracked, Broken, Scattered      bool

	Maps [MapCount][]bool // (side/Cell)² cells each, row by row; nil in a scene
	Box  [4]float64       // x0, y0, x1, y1 in pixels of the picture: what was painted, shadow included
}

// IsBand says whether the thing is long and has a direction.
func (t *Thing) IsBand() bool { return t.Direction != "none" }

// IsHeap says whether the thing is made of pieces.
func (t *Thing) IsHeap() bool { return t.Kind == "heap" || t.Kind == "pile" || t.Kind == "logs" }

var kindWeights = []float64{2, 2, 2, 2.4, 2, 2.4, 1.2, 3, 2, 1.4, 1.6, 1, 1, .8, .6}

var kindColours = map[string][]string{
	"road": {"grey"}, "pipe": {"blue", "red", "grey", "yellow", "white", "green"}, "plank": {"brown", "yellow", "grey"},
	"wall": {"red", "grey", "white", "brown", "yellow"}, "path": {"grey", "red", "yellow", "white", "brown"},
	"canal": {"grey", "white", "brown", "yellow"}, "fence": {"brown", "white", "grey", "green"},
	"heap": {"grey", "red", "brown", "white", "yellow"}, "pile": {"grey", "red", "brown", "yellow"},
	"logs": {"brown", "yellow", "grey"}, "bush": {"green", "brown", "yellow"}, "hedge": {"green", "brown"},
	"flowers": {"red", "yellow", "white", "blue"}, "pond": {"blue", "grey", "green"}, "ground": {"brown"},
}

var colours = map[string]draw.RGB{"grey": {140, 140, 140}, "blue": {80, 110, 170}, "red": {170, 80, 66},
	"brown": {130, 96, 62},
	"white": {214, 212, 206}, "green": {92, 132, 84}, "yellow": {196, 170, 84}}

// Sample draws one thing close up, side×side pixels (a multiple of Cell; 0 means Size). Half of the pictures are taken
// through a window of another size and shape and stretched to the square, as a crop around a box is.
func Sample(rng *rand.Rand, side int) Thing {
	if side == 0 {
		side = Size
	}
	t := Thing{Kind: Kinds[draw.Weighted(rng, kindWeights...)], Direction: "none", Cover: "nothing"}
	if isBand(t.Kind) {
		t.Direction = Directions[draw.Weighted(rng, .42, .42, .16)]
	}
	unit := float64(side) / Size
	w, h := window(rng, &t, 1)
	if rng.Float64() < .5 {
		w, h = Size, Size
	}
	c := draw.New(int(w*unit+.5), int(h*unit+.5), unit)
	t.Ground = Grounds[draw.Weighted(rng, .4, .35, .12, .13)]
	mix := ""
	if rng.Float64() < .35 {
		mix = Grounds[rng.IntN(len(Grounds))]
	}
	c.Ground(rng, t.Ground, mix)
	s := studio{c: c, rng: rng, t: &t, soil: c.Soil(rng), cells: side / Cell}
	if rng.Float64() < .35 {
		s.neighbour()
	}
	for m := range t.Maps {
		t.Maps[m] = make([]bool, s.cells*s.cells)
	}
	s.thing()
	camera.Shoot(c, rng)
	if c.W != side || c.H != side {
		c = c.Resize(side, side)
	}
	t.Picture = c
	fx, fy := float64(side)/(w*unit), float64(side)/(h*unit)
	t.Box = [4]float64{t.Box[0] * fx, t.Box[1] * fy, t.Box[2] * fx, t.Box[3] * fy}
	return t
}

// camera is the drone's, colour as coarse as in a JPEG file in half of the pictures.
var camera = draw.Camera{Blur: [2]float64{.3, .9}, Noise: draw.Drone.Noise, Shadow: draw.Drone.Shadow, Subsampled: .5}

// window is the size in units of a view that suits the thing: long things are seen through a narrow one.
func window(rng *rand.Rand, t *Thing, scale float64) (w, h float64) {
	long := draw.Uniform(rng, 64, 146) * scale
	switch {
	case t.Direction == "upright":
		return long * draw.Uniform(rng, .5, .75), long
	case t.Direction == "flat":
		return long, long * draw.Uniform(rng, .5, .75)
	case t.Direction == "slanted":
		return long, long
	}
	return long, long * draw.Uniform(rng, .5, .95)
}

func isBand(kind string) bool {
	switch kind {
	case "road", "pipe", "plank", "wall", "path", "canal", "fence":
		return true
	}
	return false
}

// Scene is a picture with several things on one ground.
type Scene struct {
	Picture *draw.Canvas
	Things  []Thing // with boxes, without pictures and maps
}

// SceneSize is the side of a scene in pixels.
const SceneSize = 336

// NewScene draws one to six things on a picture of SceneSize×SceneSize pixels.
func NewScene(rng *rand.Rand) Scene {
	const grid, field = 3, SceneSize / 3
	c := draw.New(SceneSize, SceneSize, 1)
	ground, mix := Grounds[draw.Weighted(rng, .4, .35, .12, .13)], ""
	if rng.Float64() < .5 {
		mix = Grounds[rng.IntN(len(Grounds))]
	}
	c.Ground(rng, ground, mix)
	soil := c.Soil(rng)
	n := 1 + draw.Weighted(rng, .1, .2, .25, .2, .15, .1)
	sc := Scene{Picture: c}
	fields := rng.Perm(grid * grid)[:n]
	for _, f := range fields {
		t := Thing{Kind: Kinds[draw.Weighted(rng, kindWeights[:len(Kinds)-1]...)], Direction: "none", Cover: "nothing",
			Ground: ground}
		if isBand(t.Kind) {
			t.Direction = Directions[draw.Weighted(rng, .42, .42, .16)]
		}
		fw, fh := window(rng, &t, .77)
		w, h := int(min(fw, field)), int(min(fh, field))
		x, y := f%grid*field+rng.IntN(field-w+1), f/grid*field+rng.IntN(field-h+1)
		s := studio{c: c.Part(x, y, w, h), rng: rng, t: &t, soil: soil}
		s.thing()
		c.Paste(s.c, x, y)
		for i := range t.Box {
			t.Box[i] += float64([2]int{x, y}[i%2])
		}
		sc.Things = append(sc.Things, t)
	}
	camera.Shoot(c, rng)
	return sc
}
