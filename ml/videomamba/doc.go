// Package videomamba is the video encoder VideoMamba (Li et al. 2024, arXiv 2403.06977): a selective state space that
// reads the patches of a few frames in order, forwards and backwards. Its memory and its time grow with the number of
// patches, not with their square. It knows no text and opens no pictures.
//
// # The model on one page
//
// T is the number of frames of a clip, N of patches each (side/patch squared), C the width, E the channels that are
// scanned (2·C), S the states of each, R the rank of the step sizes. Weights are [out, in] as on the disk. On the right
// stands the block of ml/nn that holds the line.
//
//	x = pixels·Wᵀ + b                                   [T·N, C]       nn.PatchEmbed
//	     pixels [T·N, 3·patch²]: a convolution over one frame whose kernel is its stride
//	x = class token, once a clip, and x, + position, + time of the frame     [1+T·N, C]   nn.Place
//
//	each layer:                                                        nn.Mamba
//	  u, z = rmsnorm(x)·Winᵀ                            [1+T·N, E] each
//	  in both directions, with weights of its own each:
//	    v = silu(conv(u))                               a channel's own kernel over a token and the three before it
//	    δ, B, C = v·Wxᵀ                                 [·, R], [·, S], [·, S]
//	    Δ = softplus(δ·Wdtᵀ + b)                        [·, E]
//	    h ← e^(Δ·A)·h + Δ·v·B,  y = C·h + D·v           blas.Scan; A = −e^A_log [E, S]
//	  x = x + (y→ + y←) ⊙ silu(z)·Woutᵀ
//
//	features = rmsnorm(x) without the class token       [T·N, C]       nn.NormBlock
//
// The original hands a residual and the last block's own part from block to block; their sum is x here.
package videomamba
