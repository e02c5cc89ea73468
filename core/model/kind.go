package model

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/ml/generate"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// How to add a model:
//
// A model is a Kind, and a Kind is a file beside this one: qwen2vl.go is the one to learn from, and the only one that
// names its package of ml. It reads config.json (and, where the base is on this machine, what lies beside it), says
// what the model is made of, turns pictures and words into what its network reads, and builds the network of a
// checkpoint's tensors. kinds has its name by config.json's model_type. Nothing else in core knows which kinds there
// are: recipe, run, evaluation, inference and export go through the interfaces below, with no special case.
//
// In ml the model is a package as ml/qwen2vl is one: a Config, blocks of ml/nn put together of ml/weights, a
// train.Network with its own train.Visual, a session that decodes. core/finetune/kind_test.go has the smallest Kind,
// and takes it through training, evaluation, questions and export.

// A Kind that keeps files open is an io.Closer; one whose runs leave more than an adapter has a method Over, which puts
// that over a base's tensors (see mobilevideogpt.go).

// Kind is what core needs of a model, whatever it is made of: what its config.json and the files beside it say. Nothing
// of it needs the weights.
type Kind interface {
	// Sizes are the facts that a person, a plan and other programs ask for.
	Sizes() Sizes
	// Files are further files in the base's folder that change what the model computes, by name.
	Files() []string
	// Processing spells all that turns media into what the network reads, for the key of what is kept of them.
	Processing() string

	// Pick says which of a clip's n frames, fps of them a second, the model
	// is shown: indices in time order, of MODEL.FRAMES at most.
	Pick(n int, fps float64, most int) []int
	// Measure says how media are cut, from their sizes alone. A *Refusal says that the model would not look at one.
	Measure(v View, media []Size) ([]Shape, error)
	// Prepare cuts media into what a network reads that sees for itself.
	Prepare(v View, media []Shown) (train.Visual, []Shape, error)
	// Encode puts a conversation about media of these shapes into tokens.
	Encode(t *tokenizer.Tokenizer, shapes []Shape, turns []Turn) (Tokens, error)
	// Keep lays out what an Eye saw as plain values, and Kept takes them apart again: false where they do not fit.
	Keep(seen train.Visual, shapes []Shape) []float32
	Kept(values []float32) (seen train.Visual, shapes []Shape, ok bool)

	// Products are those that LoRA can adapt.
	Products() []weights.Product
	// Footprint is what the model takes at work.
	Footprint(w Work) Footprint
	// Build puts the network together of a checkpoint's tensors.
	Build(src weights.Source, t Tuning) (Network, error)
	// Companions are files that trainers read beside the weights.
	Companions() Companions
}

// Portable is a Kind whose media other programs can read: the torch engine trains such models.
type Portable interface {
	// Foreseen says that what sees is never trained: then other programs are given what an Eye saw.
	Foreseen() bool
	// Plain takes apart what Prepare returned, or an Eye: rows of vision, and of each of the media how it is cut (see
	// torch.Sample).
	Plain(shown train.Visual) (rows []float32, grids [][3]int)
}

// Projected is a Kind with projectors between what sees and the language model.
type Projected interface {
	// Beginnings says of each where its first values come from: an adapter's folder, or where that is empty the base.
	Beginnings(adapter string) []string
}

// Alone is a Kind that no trainer knows which is built on transformers' models: its own is the only one beside finetui.
type Alone interface {
	// OwnDialect is the CONVERT.DIALECT that its own trainer reads.
	OwnDialect() config.Dialect
}

// Choosing is a Kind whose models look more closely at some frames of a clip than at others.
type Choosing interface {
	// Attention says so of what an Eye saw: one for each thing shown, without frames for a picture.
	Attention(seen train.Visual) []Attention
}

// Attention is how closely a model looks at the frames of a clip that it is shown.
type Attention struct {
	Share  []float64 // of each frame: its part of the attention among the frames that it is chosen from; these sum to 1
	Chosen []int     // the frames that it looks at more closely, in time order
}

// Network is a model in working order: it trains, sees and answers.
type Network interface {
	train.Network
	// Trained are the trained tensors by their names, in a fixed order.
	Trained() []weights.Parameter
	// Frozen says that nothing is trained of what sees, so that it makes the same of a picture every time. Else its
	// samples bring what Prepare returns.
	Frozen() bool
	// NewEye returns a worker that sees, NewSession one that answers; both work on e.
	NewEye(e *nn.Exec) Eye
	NewSession(e *nn.Exec) Session
}

// Projecting is a Network with projectors that can be trained as a whole, under a rate of their own.
type Projecting interface {
	// Groups are the groups of parameters with their rates and decay, and to which of them a tensor belongs.
	Groups(rate, projectors, decay float64) (groups []train.Group, groupOf func(block, tensor string) int)
	// WriteProjectors writes them into an adapter's folder, and ReadProjectors reads them back.
	WriteProjectors(dir string, rate float64) error
	ReadProjectors(dir string) error
}

// Eye turns what Prepare returns into what the language model reads. It is one worker's.
type Eye interface {
	See(ctx context.Context, prepared train.Visual) (train.Visual, error)
}

// Session answers several questions together. It is one worker's.
type Session interface {
	generate.Session
	// Prompt begins anew with questions, whose Visual is what an Eye saw, and returns the logits [questions, vocab]
	// after each. ctx ends it, and each step after it, between two layers.
	Prompt(ctx context.Context, questions []train.Sample) ([]float32, error)
}

// Sizes are facts about a model.
type Sizes struct {
	Parameters            int64 // all weights
	Layers, Hidden, Vocab int   // of the language model
	VisionRow             int   // values of a row that vision works on; 0: the model sees nothing
	Unit                  int   // side of what one token shows, in pixels; 0: none does
	Projectors            int   // values of the parts that can be trained as a whole; 0: there are none
	Tied                  bool  // the output product is the embeddings
	Ends                  []int32
}

// Sees says whether the model takes pictures.
func (s Sizes) Sees() bool { return s.VisionRow > 0 }

// Small says whether a model is so small that its products are not worth splitting: then each core gets sequences of
// its own.
func (s Sizes) Small() bool { return s.Hidden <= 512 }

// View bounds the pictures that a model is shown, in pixels (MODEL.MIN_PIXELS, MODEL.MAX_PIXELS).
type View struct{ MinPixels, MaxPixels int }

// Shown is one thing that a model is shown: a picture, or the frames of a clip.
type Shown struct {
	Frames []*picture.RGB
	Clip   bool
}

// Pictures are pictures to be shown.
func Pictures(list ...*picture.RGB) (out []Shown) {
	for _, p := range list {
		out = append(out, Shown{Frames: []*picture.RGB{p}})
	}
	return out
}

// Size is that of something shown, in pixels. Frames is 0 for a picture.
type Size struct{ W, H, Frames int }

// Shape is how a model cuts one thing that it is shown.
type Shape struct {
	Tokens  int // places that it takes among the words
	Rows    int // rows that vision works on
	T, H, W int // patches: groups of frames, rows, columns
	Clip    bool
}

// Refusal says that a model does not take something for its shape.
type Refusal struct {
	Size Size
	Why  string // "its sides differ by 1 to 250, and Qwen2-VL takes up to 1 to 200"
}

func (r *Refusal) Error() string {
	what := "picture"
	if r.Size.Frames > 0 {
		what = "clip"
	}
	return fmt.Sprintf("a %s of %d×%d pixels is refused: %s", what, r.Size.W, r.Size.H, r.Why)
}

// Turn is one turn of a conversation: a question, with so many of the media that are next in line before its words, or
// an answer to be learned. A conversation that ends with a question is to be answered.
type Turn struct {
	Answer bool
	Text   string
	Shown  int
}

// Tokens is a conversation in tokens.
type Tokens struct {
	IDs    []int32
	Pos    [3][]int32 // rotary positions
	Labels []int32    // the token itself where it is learned, else −100
	Places []int32    // tokens in whose place rows of media stand
}

// Tuning says what of a model is trained.
type Tuning struct {
	Adapt  func(module string) (weights.Adapter, bool) // LoRA on the products that it says yes to; nil: none
	Gamma  float64                                     // focal loss; 0: cross entropy
	Untied bool                                        // the output product is its own, though config.json ties it
	// the projectors are trained as a whole, where the model has some
	Projectors bool
	// layers make what their pass back needs a second time instead of keeping it
	Recompute bool
}

// Work is what a model's memory depends on beside its sizes.
type Work struct {
	Rank    func(module string) int // of the adapter on a product; 0: none
	Dropout bool                    // adapters drop inputs
	Weight  int                     // bytes of a frozen weight as it is laid out
	// the projectors are trained
	Projectors bool
	// layers make what their pass back needs a second time instead of keeping it
	Recompute bool
}

// Footprint is what a model takes at work: bytes, unless it says otherwise. Rows are those that
// the caller has rounded up as ml/nn lets its buffers grow.
type Footprint interface {
	TrainsVision() bool          // vision runs in every step
	Adapters() (all, vision int) // trained values
	Panels() int64               // frozen weights laid out for the kernels, outside Go's heap
	Joined() int64               // the largest product that is put together on the heap while it is laid out
	Keys() int64                 // of one token in all layers, as decoding keeps it
	// TextWorker is what a worker that learns holds of so many tokens forward, and backward, in the language model, and
	// VisionWorker of so many rows in vision, where that is trained.
	TextWorker(tokens, back, supervised, longest int) int64
	VisionWorker(rows, back int) int64
	// SessionWorker is what one that answers holds beside its keys and values for questions of so many tokens together,
	// and EyeWorker one that looks at so many rows.
	SessionWorker(tokens, questions, longest int) int64
	EyeWorker(rows int) int64
	// TextEffort is that of a sequence through the language model, with back also of the way back, and VisionEffort
	// that of one sample's rows through vision; pairs are those of its rows that see each other.
	TextEffort(tokens, supervised int, back bool) weights.Effort
	VisionEffort(rows, pairs int, back bool) weights.Effort
}

// Companions are what trainers read beside a checkpoint's weights. Where a base brings its own, that is taken.
type Companions struct {
	Template     string         // of the conversation, in Jinja
	Processor    string         // the class that tokenizer_config.json names; empty: none
	Preprocessor map[string]any // preprocessor_config.json; nil: none
}

// kinds are the models that can be opened, by config.json's model_type. dir is the base's folder; where it is empty,
// the base is not on this machine, and config.json is all that is known.
var kinds = map[string]func(config []byte, dir string) (Kind, error){
	"qwen2_vl":               openQwen2VL,
	"qwen2":                  openQwen2,
	mobilevideogpt.ModelType: openMobileVideoGPT,
}

// Register adds a kind under its model_type. It is for the start of a program.
func Register(modelType string, open func(config []byte, dir string) (Kind, error)) {
	kinds[modelType] = open
}

// openKind reads a config.json.
func openKind(config []byte, dir string) (Kind, error) {
	var f struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(config, &f); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	open, ok := kinds[f.ModelType]
	if !ok {
		return nil, fmt.Errorf("config.json: model_type is %q; supported are %s", f.ModelType,
			strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	return open(config, dir)
}

// Inspect is the kind of the base in a folder.
func Inspect(dir string) (Kind, error) {
	config, err := weights.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	k, err := openKind(config, dir)
	if err != nil && !strings.HasPrefix(err.Error(), dir) { // a file beside config.json says itself where it is
		err = fmt.Errorf("%s: %w", dir, err)
	}
	return k, err
}
