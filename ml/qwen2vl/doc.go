// Package qwen2vl is Qwen2-VL: the vision tower, the places that pictures take in a prompt (M-RoPE), and the whole
// model in training and decoding. It knows no projects and opens no pictures; package pixels makes the rows it takes.
//
// # The model on one page
//
// P is the number of patches of all pictures, a row each: picture after picture, of each its temporal slices, of each
// its blocks of m×m patches (m: merge) in reading order, of each its patches in reading order. C is the width of the
// tower, D that of the language model. Weights are [out, in] as on the disk. On the right stands the block of ml/nn
// that holds the line, forward and backward side by side.
//
//	x = pixels·Wᵀ                                       [P, C]     nn.PatchEmbed
//	     pixels [P, channels·temporal·patch²]: a convolution whose kernel is its stride
//
//	each block:                                                    nn.VisionBlock
//	  n = layernorm(x)                                  [P, C]     nn.Norm
//	       layernorm(x) = (x − mean x) / √(var x + 1e-6) ⊙ w + b, row by row
//	  q, k, v = n·Wᵀ + b, cut in three                  [P, C] each, heads of d = C/heads
//	  q, k = rope(q), rope(k)                                      nn.Rotary
//	       as in ml/qwen2, with φ = row·10000^(−4i/d) for i < d/4 and φ = column·10000^(−4(i−d/4)/d) for the others
//	  a = softmax(q·kᵀ/√d)·v, head by head              [P, C]     nn.attention
//	       a patch sees all patches of its temporal slice and no others
//	  y = x + a·Wprojᵀ + b                              [P, C]
//	  x = y + quick_gelu(layernorm(y)·Wfc1ᵀ + b)·Wfc2ᵀ + b   [P, ratio·C] within, [P, C]
//	       quick_gelu(z) = z / (1 + e^(−1.702 z))
//
//	f = gelu(merged(layernorm(x))·W₀ᵀ + b)·W₂ᵀ + b      [P/m², D]  nn.Merger
//	     merged lays the m² rows of a block side by side: [P/m², m²·C]; W₀ and W₂ are mlp.0 and mlp.2; gelu(z) = z/2·(1 + erf(z/√2))
//
// The rows of f take the places of the picture tokens in the language model, which is ml/qwen2 with the positions that
// [Config.Positions] gives: text counts on by one in all three rows; a picture that starts at s has t = s + slice,
// h = s + row and w = s + column of its block, and the text behind it goes on at the largest of these plus one.
//
// # Where to look
//
// config.go says which sizes there are, model.go puts the tower together, positions.go gives the places,
// network.go is the whole model in training. Package chat writes prompts with the tokens that stand for
// pictures, package pixels makes the rows of a picture file.
package qwen2vl
