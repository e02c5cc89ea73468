package draw

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

func white(c *Canvas) (sum float64) {
	for _, v := range c.Pix {
		sum += float64(v) / 255 / 3
	}
	return sum
}

func TestFillCoversThePolygonsArea(t *testing.T) {
	for _, test := range []struct {
		name    string
		outline []Point
		area    float64
	}{
		{"whole pixels", []Point{{2, 3}, {7, 3}, {7, 9}, {2, 9}}, 30},
		{"parts of pixels", []Point{{2.25, 3.5}, {7.5, 3.5}, {7.5, 9.25}, {2.25, 9.25}}, 5.25 * 5.75},
		{"a triangle", []Point{{1, 1}, {15, 3}, {4, 14}}, (14*13 - 2*3) / 2.},
		{"past the edges", []Point{{-5, -5}, {40, -5}, {40, 40}, {-5, 40}}, 256},
		{"outside", []Point{{20, 20}, {30, 20}, {25, 40}}, 0},
		{"a line is nothing", []Point{{1, 1}, {9, 9}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := New(16, 16, 1)
			c.Fill(test.outline, RGB{255, 255, 255})
			if got := white(c); math.Abs(got-test.area) > .02*test.area+.3 {
				t.Errorf("area %.2f, want %.2f", got, test.area)
			}
		})
	}
}

func TestUnitScalesADrawing(t *testing.T) {
	one, two := New(16, 16, 1), New(32, 32, 2)
	for _, c := range []*Canvas{one, two} {
		c.Line([]Point{{3, 3}, {12, 10}}, 2, RGB{255, 255, 255})
	}
	if a, b := white(one), white(two); math.Abs(4*a-b) > .05*b {
		t.Errorf("the line covers %.1f and %.1f pixels, want a factor of 4", a, b)
	}
}

func TestShadeDarkensOnlyUnderTheOutline(t *testing.T) {
	c := New(4, 1, 1)
	for i := range c.Pix {
		c.Pix[i] = 200
	}
	c.Shade([]Point{{1, 0}, {2, 0}, {2, 1}, {1, 1}}, .5)
	if want := []uint8{200, 200, 200, 100, 100, 100, 200, 200, 200, 200, 200, 200}; !bytes.Equal(c.Pix, want) {
		t.Errorf("got %v", c.Pix)
	}
}

func TestViewOfThePictureItselfChangesNothing(t *testing.T) {
	c := New(30, 20, 1)
	c.Ground(rand.New(rand.NewPCG(1, 1)), "gravel", "soil")
	if v := c.Resize(30, 20); !bytes.Equal(v.Pix, c.Pix) {
		t.Error("resizing to the same size changed pixels")
	}
}

func TestViewContinuesTheEdge(t *testing.T) {
	c := New(8, 8, 1)
	for i := range c.Pix {
		c.Pix[i] = 77
	}
	for i, v := range c.View(-6, -3, 20, 15, 13, 9).Pix {
		if v != 77 {
			t.Fatalf("value %d is %d", i, v)
		}
	}
}

func TestViewShrinksByTheMean(t *testing.T) {
	c := New(64, 64, 1)
	rng := rand.New(rand.NewPCG(2, 1))
	for i := range c.Pix {
		c.Pix[i] = uint8(rng.IntN(256))
	}
	a, b := c.Mean(), c.Resize(8, 8).Mean()
	for ch := range 3 {
		if d := int(a[ch]) - int(b[ch]); d < -4 || d > 4 {
			t.Errorf("means %v and %v", a, b)
		}
	}
}

func TestGaussHasMeanZeroAndVarianceOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	sum, squares := 0., 0.
	const n = 200_000
	for range n {
		v := float64(gauss(rng))
		sum += v
		squares += v * v
	}
	if math.Abs(sum/n) > .01 || math.Abs(squares/n-1) > .02 {
		t.Errorf("mean %.3f, variance %.3f", sum/n, squares/n)
	}
}

func TestCracksAreNearlyBlackAndStayOnTheBand(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	c := New(112, 112, 1)
	for i := range c.Pix {
		c.Pix[i] = 200
	}
	b := NewBand(Point{56, 5}, Point{56, 107}, 40, 0)
	c.Cracks(rng, b, 3)
	dark := 0
	for y := range c.H {
		for x := range c.W {
			if c.Pix[3*(y*c.W+x)] > 60 {
				continue
			}
			dark++
			if x < 20 || x > 92 {
				t.Fatalf("a crack at (%d, %d) is far off the band", x, y)
			}
		}
	}
	if dark < 60 {
		t.Errorf("three cracks cover %d pixels", dark)
	}
}
