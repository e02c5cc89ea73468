package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode"

	"finetui/core/level"
)

// Problem is a rule between constants that does not hold: an error stops a verb, an information
// is only said. Key is the constant to look at first.
type Problem struct {
	Key   string
	Level level.Level
	Text  string
}

// Validate checks the rules between constants; what one constant may be, Load and Set check. Errors come first.
func Validate(c *Config) []Problem {
	var p problems
	p.paths(c)
	p.dataset(c.Dataset)
	p.model(c)
	p.torch(c)
	p.train(c.Train)
	p.evaluation(c)
	p.keys(c.Keys)
	sort.SliceStable(p, func(i, j int) bool { return p[i].Level == level.Error && p[j].Level != level.Error })
	return p
}

type problems []Problem

func (p *problems) err(key, format string, args ...any) {
	*p = append(*p, Problem{key, level.Error, fmt.Sprintf(format, args...)})
}

func (p *problems) note(key, format string, args ...any) {
	*p = append(*p, Problem{key, level.Info, fmt.Sprintf(format, args...)})
}

func (p *problems) paths(c *Config) {
	for _, f := range []struct{ key, value string }{
		{"PROJECT.RUNS", c.Project.Runs}, {"DATASET.PATH", c.Dataset.Path}, {"DATASET.ANALYSIS", c.Dataset.Analysis},
		{"CONVERT.OUTPUT", c.Convert.Output}, {"MODEL.BASE", c.Model.Base}, {"EVAL.SPLIT", c.Eval.Split},
	} {
		if strings.TrimSpace(f.value) == "" {
			p.err(f.key, "is empty")
		}
	}
}

func (p *problems) dataset(d Dataset) {
	if d.TopBelow >= d.BottomAbove {
		p.err("DATASET.TOP_BELOW", "is %s and must be less than BOTTOM_ABOVE, %s: between them lies Middle",
			number(d.TopBelow), number(d.BottomAbove))
	}
	if d.LevelWithin > 0.5 {
		p.note("DATASET.LEVEL_WITHIN", "is %s of the height: hardly any pair will be above or below",
			number(d.LevelWithin))
	}
	if d.AlignedWithin > 0.5 {
		p.note("DATASET.ALIGNED_WITHIN", "is %s of the width: hardly any pair will be left or right",
			number(d.AlignedWithin))
	}
	if d.ModerateAbove > d.SevereAbove {
		p.err("DATASET.MODERATE_ABOVE", "is %s and must not exceed SEVERE_ABOVE, %s", number(d.ModerateAbove),
			number(d.SevereAbove))
	}
	if strings.TrimSpace(d.DefaultCondition) == "" {
		p.err("DATASET.DEFAULT_CONDITION", "is empty: a class without a condition word needs a name for its state")
	}
	p.distinct("DATASET.SPLITS", d.Splits)
	p.sets(d.Sets)
	p.distinct("DATASET.CONDITIONS", d.Conditions)
	for i, word := range d.Conditions {
		for _, earlier := range d.Conditions[:i] {
			if whole := apart(earlier); word != earlier && strings.TrimSpace(whole) != "" &&
				strings.Contains(apart(word), whole) {
				p.note("DATASET.CONDITIONS", "%s never matches: %s stands before it and is part of it", quote(word),
					quote(earlier))
			}
		}
	}
}

// apart is a text's words in lower case with a space around each: the words of a condition are looked for whole.
func apart(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) &&
			!unicode.IsDigit(r)
	})
	return " " + strings.Join(words, "  ") + " "
}

// distinct reports empty and repeated entries of a list.
func (p *problems) distinct(key string, list []string) {
	for i, s := range list {
		if strings.TrimSpace(s) == "" {
			p.err(key, "has an empty entry")
		} else if slices.Contains(list[:i], s) {
			p.err(key, "names %s twice", quote(s))
		}
	}
}

// Most a constant may be where a slip of a digit would ask for more than any machine has.
const (
	mostPixels = 1 << 27 // of a picture
	mostTokens = 1 << 24 // of a sample
	mostAtOnce = 1 << 20 // samples of an optimizer step
)

// pixelsPerToken is one merged visual token of Qwen2-VL: 2×2 patches of 14×14.
const pixelsPerToken = 28 * 28

func (p *problems) model(c *Config) {
	m := c.Model
	if m.MinPixels > m.MaxPixels {
		p.err("MODEL.MIN_PIXELS", "is %d and must not exceed MAX_PIXELS, %d", m.MinPixels, m.MaxPixels)
	}
	if m.MaxPixels > mostPixels {
		p.err("MODEL.MAX_PIXELS", "is %d: at most %d", m.MaxPixels, mostPixels)
		return // what follows multiplies it
	}
	if m.MaxLength > mostTokens {
		p.err("MODEL.MAX_LENGTH", "is %d: at most %d", m.MaxLength, mostTokens)
	}
	pictures := 1
	if c.Recipe.Context == "full+crop" {
		pictures = 2
	}
	if tokens := pictures * m.MinPixels / pixelsPerToken; tokens >= m.MaxLength {
		p.err("MODEL.MAX_LENGTH",
			"is %d, and a sample's picture alone takes at least %d tokens: raise it or lower MIN_PIXELS",
			m.MaxLength, tokens)
	} else if tokens := pictures * m.MaxPixels / pixelsPerToken; tokens >= m.MaxLength {
		p.note("MODEL.MAX_LENGTH", "is %d, and a large picture alone may take %d tokens: such samples will not fit",
			m.MaxLength, tokens)
	}
	if len(c.LoRA.Targets) == 0 {
		p.err("LORA.TARGETS", "is empty: there would be nothing to train")
	}
	p.distinct("LORA.TARGETS", c.LoRA.Targets)
	if c.LoRA.Alpha == 0 {
		p.err("LORA.ALPHA", "is 0: the adapters would have no effect")
	}
}

// torch checks what PyTorch is told, where it trains.
func (p *problems) torch(c *Config) {
	t := c.Torch
	if c.Model.Engine != EngineTorch {
		return
	}
	p.distinct("TORCH.HOSTS", t.Hosts)
	if n, batch := t.Processes*max(1, len(t.Hosts)), c.Train.BatchSize*c.Train.GradAccum; n > batch {
		p.err("TORCH.PROCESSES", "makes %d processes, and a step has %d samples for them (TRAIN.BATCH_SIZE × "+
			"GRAD_ACCUM)", n, batch)
	}
	if t.Remote != "" && !strings.Contains(t.Remote, "{command}") {
		p.err("TORCH.REMOTE", "has no {command}: ssh {host} {command}")
	}
	if t.Attention == AttentionFlash && t.DType == DTypeFloat32 {
		p.err("TORCH.ATTENTION", "is %s, which computes in bfloat16, and DTYPE is %s", t.Attention, t.DType)
	}
	if t.DeepSpeed != DeepSpeedNone && t.Quantization != QuantizationNone {
		p.err("TORCH.DEEPSPEED", "is %s, and a base in 4 bits (QUANTIZATION = %s) cannot be dealt out", t.DeepSpeed,
			t.Quantization)
	}
}

func (p *problems) train(t Train) {
	if t.BatchSize > mostAtOnce/t.GradAccum {
		p.err("TRAIN.BATCH_SIZE", "times GRAD_ACCUM, %d × %d, is more than %d samples a step", t.BatchSize, t.GradAccum,
			mostAtOnce)
	}
	if t.LearningRate == 0 {
		p.note("TRAIN.LEARNING_RATE", "is 0: nothing will be learned")
	}
	if t.WarmupSteps > 0 && t.WarmupRatio > 0 {
		p.note("TRAIN.WARMUP_RATIO", "is not used, as WARMUP_STEPS is %d", t.WarmupSteps)
	}
}

func (p *problems) evaluation(c *Config) {
	further := c.Eval.Data != "" && c.Eval.Split == filepath.Base(c.Eval.Data)
	read := func(split string) bool { return SplitName(split) == SplitName(c.Eval.Split) }
	if splits := c.Dataset.Splits; len(splits) > 0 && !further && !slices.ContainsFunc(splits, read) {
		p.err("EVAL.SPLIT", "is %s, and DATASET.SPLITS reads only %s", quote(c.Eval.Split), strings.Join(splits, ", "))
	}
}

// SplitName is the one name of a split, whichever of its usual names is written.
func SplitName(name string) string {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "val", "valid", "validation":
		return "valid"
	case "train", "training":
		return "train"
	case "test", "testing":
		return "test"
	}
	return name
}

func (p *problems) keys(k Keys) {
	actions := make([]string, 0, len(k))
	for action := range k {
		actions = append(actions, action)
	}
	sort.Strings(actions)
	taken := map[string]string{}
	for _, action := range actions {
		key := k[action]
		if key == "" {
			continue
		}
		if other, ok := taken[key]; ok {
			p.err(keysSection+"."+action, "is %s, which already runs %s", quote(key), other)
			continue
		}
		taken[key] = action
	}
}
