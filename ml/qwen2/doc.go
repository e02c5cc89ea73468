// Package qwen2 is the Qwen2 language model (Qwen2, Qwen2.5, and the text half of Qwen2-VL): its config.json, its
// weights, its training replicas and its decoding with a cache. It knows no pictures and no text, only token ids.
//
// # The model on one page
//
// T is the number of tokens of all sequences, which lie end to end without padding, a row each; D the width of the
// residual stream (hidden), H the query heads and K the key heads of d values each, I the width of the MLP, V the
// vocabulary. Weights are [out, in] as on the disk, so a product is x·Wᵀ. On the right stands the block of ml/nn that
// holds the line, forward and backward side by side.
//
//	x = E[ids]                                          [T, D]     nn.Embed
//	     E [V, D]; the rows of pictures take the places of the tokens that stand for them (ml/qwen2vl)
//
//	each layer:                                                    nn.Decoder
//	  n = rmsnorm(x)                                    [T, D]     nn.Norm
//	       rmsnorm(x) = x / √(mean x² + ε) ⊙ w, row by row
//	  q, k, v = n·Wqᵀ + bq, n·Wkᵀ + bk, n·Wvᵀ + bv      [T, H·d], [T, K·d], [T, K·d]
//	  q, k = rope(q), rope(k)                                      nn.Rotary
//	       of each head, for i < d/2, with φ = pos·θ^(−2i/d):
//	       (uᵢ, uᵢ₊d/2) → (uᵢ·cos φ − uᵢ₊d/2·sin φ, uᵢ₊d/2·cos φ + uᵢ·sin φ)
//	       M-RoPE: pos is the t, h or w position, as i lies in the first, second or third section
//	  a[h] = softmax(q[h]·k[g]ᵀ/√d)·v[g], g = ⌊h·K/H⌋   [T, d]     nn.attention
//	       within each sequence; a token sees itself and those before it
//	  y = x + [a[0] … a[H−1]]·Woᵀ                       [T, D]
//	  m = rmsnorm(y)                                    [T, D]
//	  x = y + (silu(m·Wgateᵀ) ⊙ m·Wupᵀ)·Wdownᵀ          [T, I] within, [T, D]
//	       silu(z) = z / (1 + e^−z)
//
//	logits = rmsnorm(x)·Wheadᵀ                          [·, V]     nn.Head
//	       at supervised positions alone; tied: Whead = E
//	loss = Σ weight·(1−p)^γ·(−ln p) / Σ weight                     nn.Head
//	       p = softmax(logits)[target]; γ = 0 is cross entropy; the sums run over the whole optimizer step
//
// LoRA on a product adds to its result: y += scale·(dropout(x)·Aᵀ)·Bᵀ, A [r, in], B [out, r] (nn.Adapter).
//
// # Where to look
//
// config.go says which sizes there are, checkpoint.go where tensors come from, model.go puts the blocks together
// by the names of the tensors, with a [weights.Builder] that fuses q, k and v, and gate and up, into one product
// each. network.go is the model in training (ml/train), session.go in decoding: the same blocks, with keys and
// values kept. export.go gives the tensors back.
//
// A model of another kind is a folder beside this one: a Config, blocks of ml/nn put together, a Network. A formula
// that ml/nn lacks is a block there, with its test by finite differences.
package qwen2
