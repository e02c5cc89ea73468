package finetune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/torch"
	"finetui/ml/train"
)

// torchEngine trains in a Python process with PyTorch. Everything before the network is this program's: order, words,
// pictures, tokens and the learning rate come over a pipe, so that a recipe means the same on either engine.
type torchEngine struct {
	p       *project.Project
	encoder sample.Encoder
	media   model.Portable
	eye     model.Eye // what sees for the process, where it is never trained; nil: the process sees for itself
	// reads and writes projectors that are trained; nil: none are
	projecting model.Projecting
	adapter    *lora.Config
	trainer    *torch.Trainer
	schedule   train.Schedule
	weight     float64 // Task.SampleWeight
	seed       uint64
	step       int
	about      About
}

// openTorch finds a Python, and lets it load the base with a fresh adapter: the one that the native engine would begin
// with.
func openTorch(ctx context.Context, task Task) (Engine, error) {
	p, c := task.Project, task.Project.Config
	media, ok := p.Base.Kind.(model.Portable)
	if !ok {
		return nil, fmt.Errorf("MODEL.ENGINE = torch cannot train MODEL.BASE = %q yet; native can", p.Base.Name)
	}
	if media.Foreseen() && c.Torch.Quantization != config.QuantizationNone {
		return nil, &config.Unusable{Key: "TORCH.QUANTIZATION", Text: fmt.Sprintf("%s: a base like %s, whose encoders "+
			"see for it, is not put into 4 bits; set it to none", c.Torch.Quantization, p.Base.Name)}
	}
	python, err := project.Python(ctx, p.File)
	if err != nil {
		return nil, err
	}
	e := &torchEngine{p: p, encoder: p.Encoder(), media: media, adapter: adapterOf(p), seed: uint64(c.Project.Seed),
		schedule: scheduleOf(c.Train, task.Steps), weight: task.SampleWeight}
	if fault := p.CheckProjectors(); fault != nil {
		return nil, fault
	}
	if media.Foreseen() {
		if err := e.foresee(); err != nil {
			return nil, err
		}
	}
	if err := e.begin(ctx, python, task.Dir); err != nil {
		return nil, err
	}
	waiting := context.AfterFunc(ctx, e.trainer.Interrupt)
	defer waiting()
	if err := e.open(python, filepath.Dir(task.Dir), task.Say); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// begin starts the processes.
func (e *torchEngine) begin(ctx context.Context, python torch.Python, dir string) (err error) {
	c := e.p.Config.Torch
	e.trainer, err = torch.Start(ctx, torch.Launch{Python: python, Processes: c.Processes, Hosts: c.Hosts,
		Remote: c.Remote, Dir: filepath.Join(dir, "torch"), Log: os.Stderr}) // the run's log.txt
	return err
}

// foresee builds the native network for what the process is spared: encoders, and the projectors' files.
func (e *torchEngine) foresee() error {
	c := e.p.Config.Train
	network, err := e.p.Base.New(model.Tuning{Projectors: c.ProjectorLR > 0})
	if err != nil {
		return err
	}
	e.eye = network.NewEye(nn.NewExec(blas.NewTeam(c.Threads).Size()))
	if c.ProjectorLR > 0 {
		e.projecting, _ = network.(model.Projecting)
	}
	return nil
}

// open loads base and adapter; what the processes read of the fresh one lies in folder meanwhile.
func (e *torchEngine) open(python torch.Python, folder string, say project.Progress) error {
	c := e.p.Config
	var fresh []lora.Adapter
	for _, x := range e.p.Base.Kind.Products() {
		if e.adapter.Matches(x.Module) {
			fresh = append(fresh, lora.New(x.Module, x.In, x.Out, e.adapter, e.seed))
		}
	}
	if len(fresh) == 0 {
		return fmt.Errorf("LORA.TARGETS = %v matches no product of the base", c.LoRA.Targets)
	}
	// beside the run, where other machines find it, too
	dir, err := os.MkdirTemp(folder, ".adapter-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := lora.Write(dir, e.adapter, fresh); err != nil {
		return err
	}
	h := e.trainer.Hello
	s := torch.Settings{Base: e.p.Base.Dir, Adapter: dir, Device: h.Device, DType: string(c.Torch.DType),
		Zero:      map[config.DeepSpeed]int{config.DeepSpeedZeRO2: 2, config.DeepSpeedZeRO3: 3}[c.Torch.DeepSpeed],
		Attention: string(c.Torch.Attention), Quantized: c.Torch.Quantization == config.QuantizationNF4,
		Threads: max(1, blas.NewTeam(c.Train.Threads).Size()/c.Torch.Processes), WeightDecay: c.Train.WeightDecay,
		MaxGradNorm: c.Train.MaxGradNorm, Seed: e.seed, Checkpoints: c.Train.Checkpointing,
		Projectors: e.projecting != nil}
	if c.Torch.DType == config.DTypeAuto {
		if s.DType = "float32"; h.Device == "cuda" {
			s.DType = "bfloat16"
		}
	}
	if c.Recipe.Loss == config.LossFocal {
		s.Gamma = c.Recipe.FocalGamma
	}
	compiles, err := e.trainer.Compiles(s)
	if err != nil {
		return err
	}
	if compiles && say != nil {
		say(0, 0, "DeepSpeed compiles its operations for this processor: once, some minutes")
	}
	if err := e.trainer.Open(s); err != nil {
		return err
	}
	e.about.Trainable = e.trainer.Trainable
	e.about.Text = fmt.Sprintf("torch %s, transformers %s, peft %s of %s (%s), %s on %s", h.Torch,
		h.Transformers, h.Peft,
		python.Path, python.Why, s.DType, h.Device)
	if h.Name != "" {
		e.about.Text += " " + h.Name
	}
	if n := e.trainer.Processes(); n > 1 {
		e.about.Text += fmt.Sprintf(", %d processes", n)
	}
	return nil
}

func (e *torchEngine) About() About { return e.about }

func (e *torchEngine) Held() ([]torch.Held, error) { return e.trainer.Held() }

func (e *torchEngine) Close() error { return e.trainer.Close() }

// samples makes samples ready to be sent. Pictures are opened only where the process does not know them yet.
func (e *torchEngine) samples(ctx context.Context, wanted []recipe.Sample, first int, ask bool) ([]torch.Sample,
	error) {
	out := make([]torch.Sample, len(wanted))
	for i, w := range wanted {
		var err error
		out[i].ID = w.ID
		known := e.trainer.Knows(i, w.ID)
		switch {
		case ask:
			out[i].Sample, err = e.encoder.Asked(ctx, e.eye, e.eye != nil, w)
		case known:
			out[i].Sample, _, err = e.encoder.Tokens(w)
		case e.eye != nil:
			out[i].Sample, err = e.encoder.Seen(ctx, e.eye, true, w)
		default:
			out[i].Sample, err = e.encoder.Cut(ctx, w)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if !known {
			out[i].Pixels, out[i].Grids = e.media.Plain(out[i].Visual)
		}
		out[i].Key = uint64(first + i)
	}
	return out, nil
}

func (e *torchEngine) Step(ctx context.Context, wanted []recipe.Sample, first int) (*Result, error) {
	start := time.Now()
	batch, err := e.samples(ctx, wanted, first, false)
	if err != nil {
		return nil, err
	}
	making := time.Since(start)
	factor := e.schedule.Factor(e.step)
	res, err := e.trainer.Step(batch, factor*e.p.Config.Train.LearningRate, factor*e.p.Config.Train.ProjectorLR,
		e.weight)
	if err != nil {
		return nil, err
	}
	e.step++
	return &Result{Result: res.Result, Making: making, Ranks: res.Ranks, Told: e.trainer.Told}, nil
}

func (e *torchEngine) Check(ctx context.Context, wanted []recipe.Sample) (*Result, []model.Reply, error) {
	start := time.Now()
	batch, err := e.samples(ctx, wanted, 0, false)
	if err != nil {
		return nil, nil, err
	}
	making := time.Since(start)
	res, err := e.trainer.Check(batch)
	if err != nil {
		return nil, nil, err
	}
	replies := make([]model.Reply, 0, len(wanted))
	const together = 32
	for at := 0; at < len(wanted); at += together {
		asked, err := e.samples(ctx, wanted[at:min(at+together, len(wanted))], 0, true)
		if err != nil {
			return nil, nil, err
		}
		said, err := e.trainer.Answer(asked, e.p.Config.Eval.MaxNewTokens, e.p.Base.Stop)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range said {
			replies = append(replies, model.Reply{Text: e.p.Base.Tokenizer.Decode(r.Tokens, true),
				Tokens: len(r.Tokens), Seconds: r.Seconds})
		}
	}
	return &Result{Result: res.Result, Making: making}, replies, nil
}

// Save lets the process write adapter and optimizer, and gives the adapter this program's own form.
func (e *torchEngine) Save(dir string, counters map[string]uint64) error {
	if err := e.trainer.Save(dir); err != nil {
		return err
	}
	if err := lora.WriteConfig(dir, e.adapter); err != nil {
		return err
	}
	cfg, adapters, err := lora.Read(dir)
	if err != nil {
		return err
	}
	if err := lora.Write(dir, cfg, adapters); err != nil {
		return err
	}
	if e.projecting != nil {
		if err := e.projecting.ReadProjectors(dir); err != nil {
			return err
		}
		if err := e.projecting.WriteProjectors(dir, e.p.Config.Train.ProjectorLR); err != nil {
			return err
		}
	}
	return train.State{Step: e.step, Seed: e.seed, Schedule: e.schedule, Counters: counters}.Write(dir)
}

func (e *torchEngine) Restore(dir string) (s State, err error) {
	cfg, err := lora.ReadConfig(dir)
	if err != nil {
		return s, err
	}
	if cfg.R != e.adapter.R || cfg.Alpha != e.adapter.Alpha || cfg.RSLoRA != e.adapter.RSLoRA {
		return s, fmt.Errorf("%s has other LoRA constants than the run's config.toml: %w", dir, train.ErrOther)
	}
	state, err := train.ReadState(dir)
	if err != nil {
		return s, err
	}
	schedule, err := state.GoOn(e.seed, e.schedule)
	if err != nil {
		return s, fmt.Errorf("%s: %w", dir, err)
	}
	steps, err := e.trainer.Restore(dir)
	if err != nil {
		return s, err
	}
	if steps != state.Step {
		return s, fmt.Errorf("%s is of step %d, but the optimizer beside it of step %d: the checkpoint is "+
			"torn, use an "+
			"earlier one", filepath.Join(dir, train.StateFile), state.Step, steps)
	}
	e.schedule, e.step = schedule, steps
	rate := schedule.Factor(steps) * e.p.Config.Train.LearningRate
	return State{steps, state.Schedule.Total(), rate, state.Counters}, nil
}
