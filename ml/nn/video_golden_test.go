package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

const video = "mobile-videogpt/"

// linear is a product of the tensors of a file.
func linear(g *goldentest.Golden, name string) *nn.Linear {
	shape := g.Shape(name + ".weight")
	w := g.Floats(name + ".weight")
	l := &nn.Linear{W: nn.Matrix{Rows: shape[0], Cols: len(w) / shape[0], F32: w}}
	if g.Has(name + ".bias") {
		l.B = g.Floats(name + ".bias")
	}
	return l
}

func TestGoldenMixer(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	file := goldentest.Open(t, tol, video+"videomamba/videomamba_tiny.safetensors")
	const at = "vision_encoder.layers.1."
	w := &nn.MambaWeights{Norm: &nn.Norm{W: file.Floats(at + "norm.weight"), Eps: 1e-5},
		In: linear(file, at+"mixer.in_proj"), Out: linear(file, at+"mixer.out_proj")}
	for i, suffix := range []string{"", "_b"} {
		s := &w.Ways[i]
		s.Conv, s.X = linear(file, at+"mixer.conv1d"+suffix), linear(file, at+"mixer.x_proj"+suffix)
		s.DT = linear(file, at+"mixer.dt_proj"+suffix)
		s.ALog, s.D = file.Floats(at+"mixer.A"+suffix+"_log"), file.Floats(at+"mixer.D"+suffix)
	}
	g := goldentest.Open(t, tol, video+"videomamba/mixer.safetensors")
	rows := g.Shape("input")[0]
	m := nn.NewMamba(w, nn.NewExec(2), &nn.Patches{Starts: []int{0, rows}})
	for stage, got := range m.Stages(g.Floats("input")) {
		g.Check(stage, got)
	}
	g.Complete()
}

// TestGoldenScan runs the recurrence over the length of a clip, stopping where the reference shows its state.
func TestGoldenScan(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	g := goldentest.Open(t, tol, video+"videomamba/scan_1569.safetensors")
	steps, channels, states := g.Shape("u")[0], g.Shape("A")[0], g.Shape("A")[1]
	laid := func(c, n int) int { return n*channels + c }
	a := make([]float32, channels*states)
	for i, v := range g.Floats("A") {
		a[laid(i/states, i%states)] = float32(float64(v) * math.Log2E)
	}
	y := make([]float32, steps*channels)
	walk := func(v []float32, ld int) blas.Walk { return blas.Walk{V: v, Ld: ld} }
	s := blas.Scan{Channels: channels, States: states, Y: walk(y, channels), U: walk(g.Floats("u"), channels),
		DT: walk(g.Floats("dt"), channels), B: walk(g.Floats("B"), states), C: walk(g.Floats("C"), states),
		A: walk(a, channels),
		D: g.Floats("D"), H: walk(make([]float32, channels*states), channels)}
	for t := 0; t < steps; t += s.Steps {
		s.Steps = 1
		for t+s.Steps < steps && !g.Has(fmt.Sprintf("state.%d", t+s.Steps-1)) {
			s.Steps++
		}
		part := s
		for _, w := range []*blas.Walk{&part.Y, &part.U, &part.DT, &part.B, &part.C} {
			*w = w.From(t)
		}
		part.Run()
		if name := fmt.Sprintf("state.%d", t+s.Steps-1); g.Has(name) {
			state := make([]float32, channels*states)
			for i := range state {
				state[i] = s.H.V[laid(i/states, i%states)]
			}
			g.Check(name, state)
		}
	}
	g.Check("y", y)
	g.Complete()
}

func TestGoldenNorms(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	g := goldentest.Open(t, tol, video+"norms/norms.safetensors")
	x, w, b := g.Floats("input"), g.Floats("weight"), g.Floats("bias")
	g.Check("videomamba_rmsnorm_1e-5", (&nn.Norm{W: w, Eps: 1e-5}).Run(x))
	g.Check("qwen_rmsnorm_1e-6", (&nn.Norm{W: w, Eps: 1e-6}).Run(x))
	g.Check("clip_layernorm_1e-5", (&nn.Norm{W: w, B: b, Eps: 1e-5}).Run(x))
	g.Complete()
}

func TestGoldenPooling(t *testing.T) {
	var pools map[string]struct {
		Windows [][2]int
		Ramp    [][]float32 `json:"ramp_pooled"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "mobile-videogpt", "etproj", "pooling.json"), &pools)
	for name, p := range pools {
		var n, m int
		if _, err := fmt.Sscanf(name, "%d->%d", &n, &m); err != nil || len(p.Windows) != m {
			t.Fatalf("%s: %v", name, err)
		}
		for i, w := range p.Windows {
			if start, end := nn.PoolWindow(i, n, m); w != [2]int{start, end} {
				t.Errorf("%s: window %d is %d to %d, want %v", name, i, start, end, w)
			}
		}
		ramp, got := make([]float32, n*n), make([]float32, m*m)
		for i := range ramp {
			ramp[i] = float32(i)
		}
		nn.PoolGrid(ramp, got, n, m, 1)
		if want := slices.Concat(p.Ramp...); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestGoldenProjectors holds both projectors and their gradients against the reference.
func TestGoldenProjectors(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	for _, name := range []string{"mm_projector", "image_mm_projector"} {
		t.Run(name, func(t *testing.T) {
			file := goldentest.Open(t, tol, video+"etproj/"+name+".weights.safetensors")
			g := goldentest.Open(t, tol, video+"etproj/"+name+".safetensors")
			var l nn.Layout
			var value []float32
			add := func(part string) *nn.Linear {
				lin := linear(file, name+"."+part)
				lin.WSpan = l.Add(part+".weight", lin.W.Rows, lin.W.Cols)
				lin.BSpan = l.Add(part+".bias", lin.W.Rows)
				value = append(append(value, lin.W.F32...), lin.B...)
				return lin
			}
			side, grid := root(g.Shape("input")[1]), root(g.Shape("out")[1])
			w := &nn.ETProjWeights{Called: name, FC1: add("mlp.mlp.0"), FC2: add("mlp.mlp.2"), Peg: add("peg.peg.0"),
				Side: side, Grid: grid}
			file.Complete()
			params := nn.Params{Value: value, Grad: make([]float32, len(value))}
			p := nn.NewETProj(w, nn.NewExec(2), params)
			x, cotangent := g.Floats("input"), g.Floats("cotangent")
			out := p.Forward(x, true)
			g.Check("out", out)
			var loss float64
			for i, v := range out {
				loss += float64(v) * float64(cotangent[i])
			}
			g.Check("loss", []float32{float32(loss)})
			mapped, pooled := p.Stages()
			g.Check("mlp", mapped)
			g.Check("pooled", byChannel(pooled, grid*grid, len(w.FC2.B)))
			g.Check("grad.input", p.Backward(x, cotangent, true))
			for _, s := range l.Spans {
				g.Check("grad."+s.Name, s.Of(params.Grad))
			}
			g.Complete()
		})
	}
}

func root(n int) int { return int(math.Sqrt(float64(n)) + 0.5) }

// byChannel puts maps of places with their channels side by side channel after channel.
func byChannel(x []float32, places, channels int) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		m, p, c := i/(places*channels), i/channels%places, i%channels
		out[(m*channels+c)*places+p] = v
	}
	return out
}

func TestGoldenAttentionReceived(t *testing.T) {
	tol := goldentest.FolderTolerances(t, "mobile-videogpt")
	for _, name := range []string{"small", "full"} {
		g := goldentest.Open(t, tol, video+"topk/"+name+".safetensors")
		shape, x := g.Shape("features"), g.Floats("features")
		each := len(x) / shape[0]
		var received, scores []float32
		for c := range shape[0] {
			for i, v := range nn.AttentionReceived(nn.NewExec(2), x[c*each:(c+1)*each], shape[3]) {
				received = append(received, float32(v))
				if i%shape[2] == 0 {
					scores = append(scores, 0)
				}
				scores[len(scores)-1] += float32(v)
			}
		}
		g.Check("received_per_token", received)
		g.Check("scores", scores)
		// of the attention itself no more than a block ever exists, and its sums are looked at
		g.Complete("attention", "attention_rows")
	}
}
