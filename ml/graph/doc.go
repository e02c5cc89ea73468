// Package graph strings the blocks of ml/nn together as gorgonia operations, so that one forward and backward pass is
// one run of a gorgonia machine. It computes nothing itself and knows no model.
//
// # What gorgonia does here, and why only that
//
// Built from gorgonia's own primitives, a decoder layer of 896 dimensions takes 3.7 s for 256 tokens; with a fast
// product plugged in 0.47 s; as one fused operation 0.11 s. So the division of labour is:
//
//   - the blocks (ml/nn) hold the mathematics: a forward and a backward pass over []float32, proven by finite
//     differences;
//   - gorgonia holds the expression graph, the symbolic differentiation that turns it into a backward graph, the
//     TapeMachine that runs both, and the Solver interface through which parameters are updated (ml/train.AdamW).
//
// A chain of two blocks, of which the second has parameters, and a loss becomes
//
//	x ── b0 ── b1 ── loss            b0, b1, loss   one forwardOp each
//	           │       │
//	           p1      │             p1             one flat vector for all parameters of a block
//	           │       │
//	   p1' ── b1' ── loss' ── 1      b1', loss'     one backwardOp each: all gradients of the block in one call
//
// and where a block has two gradients to give, of its input and of its parameters, backwardOp returns the first and a
// pickOp hands on the second, since a gorgonia operation has one result. Blocks below the first one with parameters get
// no backward operation, and that one computes no gradient of its input.
//
// Activations travel as *vector, a gorgonia Value of our own. It is a slice that may have another length in each run,
// which tensor.Dense cannot without being made anew, so that one graph serves every batch and a run makes no garbage of
// ours. The input node is bound to such a vector, too, and filled by the [Source] at the start of each run. What rows
// and columns a vector has is known to the blocks alone. Parameters keep their length and are tensor.Dense, as any
// gorgonia Solver expects.
//
// A [Chain] that only measures the loss runs a second graph of the same blocks, without parameters and gradients.
//
// # Parameters
//
// The block reads its parameter values and adds to its gradients itself, in the slices of its nn.Params; the nodes are
// views of the same memory. Values may be shared between chains that run at once (replicas), gradients may not.
// Params with an empty Value have no node. That is how a loss adds to gradients that another block owns, such as a head
// tied to the embedding: it keeps the other's Grad slice for itself and returns empty Params.
//
// # Pitfalls met in gorgonia v0.9.18
//
//   - It needs go4.org/unsafe/assume-no-moving-gc in the version that go.mod pins, else it panics at start.
//   - Two nodes of equal hash are merged, and only 32 bits of hash are compared: each operation writes a number of its
//     own into WriteHash, and [NewChain] checks that the hashes of all nodes differ.
//   - A machine that has run does nothing until Reset. Gradients are never zeroed: the solver does it.
//   - Grad wants its variables to be input nodes, which is one more reason for x to be one.
//   - An operation that cannot be differentiated still needs DiffWRT to return as many false as it has inputs, or Grad
//     says that part of the graph is unreachable.
//   - A node's shape and type are checked when the graph is built, never when it runs: the shapes here are nominal.
//   - A panic in Do happens on the machine's goroutine and ends the program: operations recover and return an error.
//   - Errors come back wrapped in a dump of the instruction: the chain keeps its own first error and returns that, so
//     that errors.Is(err, context.Canceled) holds.
//   - One *tensor.Dense in two graphs is a race (each machine sets its engine), even over the same slice each chain
//     makes its own.
//   - The constant 1 that Grad starts from is one node for the whole program, and its hash is computed on first use:
//     graphs are built under a lock.
package graph
