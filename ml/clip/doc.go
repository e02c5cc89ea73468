// Package clip is the image tower of CLIP (Radford et al. 2021, arXiv 2103.00020) as video models take it: frozen, up
// to a layer before the last. It knows no text and opens no pictures.
//
// # The model on one page
//
// F is the number of pictures, N of patches each (side/patch squared), C the width. Weights are [out, in] as on the
// disk. On the right stands the block of ml/nn that holds the line.
//
//	x = pixels·Wᵀ                                       [F·N, C]       nn.PatchEmbed
//	     pixels [F·N, 3·patch²]: a convolution without bias whose kernel is its stride
//	x = class token and x, + position                   [F·(1+N), C]   nn.Place
//	x = layernorm(x)                                                   nn.NormBlock ("pre_layrnorm", as it is spelled)
//
//	each layer:                                                        nn.VisionBlock
//	  y = x + attention(layernorm(x))                   heads of C/heads; a token sees all of its picture
//	  x = y + quick_gelu(layernorm(y)·Wfc1ᵀ + b)·Wfc2ᵀ + b
//
// Layer −1 is the last one's result, −2 that of the one before it, which video models take; the norm behind the last
// layer is for the class token's match with a text and is not part of it. The features are x without the class tokens.
package clip
