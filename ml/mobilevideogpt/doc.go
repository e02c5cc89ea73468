// Package mobilevideogpt is Mobile-VideoGPT (Shaker et al. 2025, arXiv 2503.21782): a Qwen2 that answers about a clip
// which two frozen encoders have looked at. It knows no projects and decodes no clips: it takes frames.
//
// # The model on one page
//
// A clip is 16 frames in 2 chunks of 8; those that are missing are zero. D is the width of the language model, Ci and
// Cv those of the image and the video encoder. On the right stands what holds the line, and gradients begin at the
// projectors.
//
//	f = image encoder(frames)                           [16, 14·14, Ci]    ml/clip
//	a = softmax(X·Xᵀ/√Ci), X the 8·196 rows of a chunk of f                nn.AttentionReceived
//	     a frame's score is the sum of its columns: the attention that it receives
//	k = of each chunk the 4 frames of the highest score, in time order     Choose
//	     with topk off those of the lowest
//	v = video encoder(the 8 frames k)                   [8, 14·14, Cv]     ml/videomamba
//	p = v averaged from 14×14 to 7×7 places             [8, 7·7, Cv]       nn.PoolGrid
//	g = p cut in 2, its 4·49 rows read as a map of 14×14                   the frames mix in it: the weights expect that
//
//	image tokens = image_mm_projector(f)                [16·144, D]        nn.ETProj, to 12×12 places
//	video tokens = mm_projector(g)                      [2·49, D]          nn.ETProj, to 7×7 places
//
// The 2304 image tokens in the order of the frames and the 98 video tokens behind them take the place of the clip in
// the question; a picture is its 144 image tokens alone. The language model is ml/qwen2 with positions that count on by
// one.
//
// # Where to look
//
// config.go and towers.go say which sizes there are and where the encoders' files lie, eye.go looks at clips,
// projectors.go and model.go are what is trained, network.go is the model in training, session.go in decoding. text.go
// writes conversations, files.go what a run leaves. The original's file names and keys are kept, so that each reads the
// other's.
package mobilevideogpt
