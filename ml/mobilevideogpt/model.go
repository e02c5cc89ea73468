package mobilevideogpt

import (
	"finetui/ml/clip"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// Tuning says what is trained.
type Tuning struct {
	Text       weights.Tuning // adapters of the language model
	Projectors bool           // both projectors in full
	Recompute  bool           // see graph.Options
}

// Model is the weights of a Mobile-VideoGPT, shared by all replicas.
type Model struct {
	Config Config
	Text   *qwen2.Model
	Image  *clip.Model       // nil: built without encoders
	Video  *videomamba.Model // nil: built without encoders

	projectors *projectorWeights
	params     []weights.Parameter
	recompute  bool
}

// New builds the model: the language model and the projectors from the tensors of base, the encoders from those of
// towers. Without towers it trains and answers on features that were made before.
func New(c Config, base weights.Source, towers weights.Source, tune Tuning) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	text, err := qwen2.New(c.Text, base, tune.Text)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Text: text, recompute: tune.Recompute}
	if m.projectors, m.params, err = newProjectors(c, base, tune.Projectors); err != nil {
		return nil, err
	}
	if towers == nil {
		return m, nil
	}
	if m.Image, err = clip.New(c.Image, towers, imagePrefix); err != nil {
		return nil, err
	}
	m.Video, err = videomamba.New(c.Video, towers, videoPrefix)
	return m, err
}

// Trained are the trained tensors by their names, in the order of the chain.
func (m *Model) Trained() []weights.Parameter {
	return append(append([]weights.Parameter(nil), m.params...), m.Text.Parameters()...)
}

// Tensors are the weights of the language model and of the projectors as a checkpoint holds them, in a fixed order.
func (m *Model) Tensors() []weights.Tensor {
	return append(m.Text.Tensors(), m.projectors.tensors()...)
}

// Parameters are the trained flat vectors in the order of the chain: the projectors' first, if they are trained.
func (m *Model) Parameters() []train.Parameters {
	var out []train.Parameters
	if len(m.projectors.Value) > 0 {
		out = append(out, train.Parameters{Name: Projectors, Value: m.projectors.Value, Layout: m.projectors.Layout})
	}
	return append(out, qwen2.Network{Model: m.Text}.Parameters()...)
}

// Rates are the learning rate and weight decay of the language model's adapters and those of the projectors.
type Rates struct {
	LearningRate, ProjectorRate float64
	WeightDecay                 float64
}

// Groups are the groups of parameters that the original trains, and to which of them a tensor belongs: adapters, the
// projectors' weights, and their biases, which do not decay.
func (r Rates) Groups() (groups []train.Group, groupOf func(block, tensor string) int) {
	groups = []train.Group{{LearningRate: r.LearningRate, WeightDecay: r.WeightDecay},
		{LearningRate: r.ProjectorRate, WeightDecay: r.WeightDecay}, {LearningRate: r.ProjectorRate}}
	return groups, func(block, tensor string) int {
		switch {
		case block != Projectors:
			return 0
		case Decays(tensor):
			return 1
		}
		return 2
	}
}

// NewReplica returns a worker on e.
func (m *Model) NewReplica(e *nn.Exec) (train.Replica, error) { return newWorker(m, e) }
