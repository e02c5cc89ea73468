package graph

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"finetui/ml/mapped"
)

// operation is what the three kinds of operation have in common.
type operation struct {
	name   string
	number int       // of its own: see the package comment on merged nodes
	in     []hm.Type // of the children
	out    hm.Type
}

func (o *operation) Arity() int           { return len(o.in) }
func (o *operation) ReturnsPtr() bool     { return true }
func (o *operation) CallsExtern() bool    { return false }
func (o *operation) OverwritesInput() int { return -1 }
func (o *operation) String() string       { return fmt.Sprintf("%s#%d", o.name, o.number) }

// Type is the operation's signature, in → out. Gorgonia takes the result apart, so it is made anew each time.
func (o *operation) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type{}, o.in...), o.out)...)
}

// InferShape gives the nominal shape: a scalar loss, else one value, whatever the length will be.
func (o *operation) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	if o.out == lossType {
		return tensor.ScalarShape(), nil
	}
	return tensor.Shape{1}, nil
}

func (o *operation) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", o.name, o.number) }

func (o *operation) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// lossType is the type of the loss and of the gradient that it starts from.
var lossType hm.Type = tensor.Float64

// forwardOp runs a stage forward. Its children are the input and, where the stage has any, its parameters.
type forwardOp struct {
	operation
	*stage
	run   *run
	build *builder
}

func (o *forwardOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	err := o.run.timed(&o.run.times.Forward, o.operation.name, func() { o.forward(in[0].(*vector).data) })
	return o.value, err
}

// DiffWRT says which children get a gradient: the input where it is needed, the parameters always.
func (o *forwardOp) DiffWRT(inputs int) []bool {
	wanted := []bool{o.needDX, true}
	return wanted[:inputs]
}

// SymDiff adds the backward operation and, where there are two gradients to give, the operation that picks the second.
func (o *forwardOp) SymDiff(children gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	wanted := o.DiffWRT(len(children))
	backward := &backwardOp{o.build.operation(o.operation.name+"'", append(append([]hm.Type{}, o.in...), o.out,
		grad.Type()), vectorType), o}
	node, err := gorgonia.ApplyOp(backward, append(append(gorgonia.Nodes{}, children...), out, grad)...)
	if err != nil {
		return nil, err
	}
	gradients := make(gorgonia.Nodes, len(children))
	for i, w := range wanted {
		switch {
		case !w:
		case i == 0 || !wanted[0]:
			gradients[i] = node
		default:
			pick := &pickOp{o.build.operation(o.operation.name+" parameters'", []hm.Type{vectorType}, vectorType), o}
			if gradients[i], err = gorgonia.ApplyOp(pick, node); err != nil {
				return nil, err
			}
		}
	}
	return gradients, nil
}

// backwardOp computes all gradients of a stage. Its children are those of the forward operation, that operation's
// result and the gradient of it. It returns the gradient of the input, or that of the parameters where the former is
// not needed.
type backwardOp struct {
	operation
	of *forwardOp
}

func (o *backwardOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	err := o.of.run.timed(&o.of.run.times.Backward, o.name, func() {
		o.of.backward(in[0].(*vector).data,
			in[len(in)-1])
	})
	if o.of.needDX {
		return &o.of.dx, err
	}
	return o.of.gradient, err
}

// pickOp hands on the gradient of the parameters, which the backward operation has computed.
type pickOp struct {
	operation
	of *forwardOp
}

func (o *pickOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.of.gradient, nil }

// run is what the operations of a chain share while it runs.
type run struct {
	ctx   context.Context
	times Times
	err   error // the first, unwrapped
}

// timed does one operation's work unless the run is cancelled, adds its duration and turns a panic into an error.
func (r *run) timed(sum *time.Duration, name string, work func()) (err error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return err
	}
	start := time.Now()
	defer mapped.Watch()()
	defer func() {
		*sum += time.Since(start)
		if p := recover(); p != nil {
			err = fmt.Errorf("block %s panicked%s: %v", name, panicPlace(), p)
			if lost := mapped.Cause(p); lost != nil {
				err = lost
			} else if cause, ok := p.(error); ok && !isRuntime(cause) {
				err = fmt.Errorf("block %s: %w", name, cause)
			}
			r.err = err
		}
	}()
	work()
	return nil
}

func isRuntime(err error) bool {
	var r runtime.Error
	return errors.As(err, &r)
}

// panicPlace is " at file.go:12", the place of the panic being recovered; empty where it is not found.
func panicPlace() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicking && !inRuntime {
			return fmt.Sprintf(" at %s:%d", filepath.Base(frame.File), frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}
