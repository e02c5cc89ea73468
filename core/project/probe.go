package project

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/filehash"
	"finetui/core/gpu"
	"finetui/ml/blas"
	"finetui/ml/torch"
	"finetui/ml/wholefile"
)

// Probe is what a few steps of a run took of this machine: measured, where Cost is worked out. It counts for every run
// that depends on the same (Fingerprint).
type Probe struct {
	Schema      int     `json:"schema"`
	Fingerprint string  `json:"fingerprint"`
	Time        float64 `json:"time"`         // when, in Unix seconds
	Steps       int     `json:"steps"`        // that were taken
	FirstStep   float64 `json:"first_step_s"` // seconds of a step whose pictures or clips are seen for the first time
	Step        float64 `json:"step_s"`       // of one whose are known
	FirstCheck  float64 `json:"first_check_s"`
	Check       float64 `json:"check_s"` // of one sample of valid: its loss and its answer
	TokensPerS  float64 `json:"tokens_per_s"`
	Held        []Held  `json:"held"`  // of the run's own process
	Ranks       []Held  `json:"ranks"` // of each process of PyTorch
}

// Held is the most memory that a process held.
type Held struct {
	What string `json:"what"` // "process", "rank 0"
	torch.Held
}

// ProbeSchema is that of a probe's file.
const ProbeSchema = 1

const (
	probePrefix = "probe-"
	mostProbes  = 64 // that are kept
)

// free are constants that the figures of a step do not depend on.
var free = []string{"TRAIN.EPOCHS", "TRAIN.LEARNING_RATE", "TRAIN.SCHEDULE", "TRAIN.WARMUP_STEPS", "TRAIN.WARMUP_RATIO",
	"TRAIN.LOG_EVERY", "TRAIN.EVAL_EVERY", "TRAIN.SAVE_EVERY", "TRAIN.KEEP", "TRAIN.BEST_BY", "TRAIN.FOLLOW"}

// probeSections are those whose constants a step may depend on: CONVERT has the words of questions.
var probeSections = []string{"DATASET", "CONVERT", "RECIPE", "MODEL", "LORA", "TORCH", "TRAIN"}

// ProbeFingerprint names all that a probe depends on: the constants but those that change no step, data and base by
// what they hold, this build of the program, and the machine with what it computes by. The base is open.
func (p *Project) ProbeFingerprint(ctx context.Context) (string, error) {
	return p.probeFingerprint(ctx, p.Data.Fingerprint)
}

func (p *Project) probeFingerprint(ctx context.Context, data func() string) (string, error) {
	base, err := p.Base.Fingerprint(ctx, nil)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	host, _ := os.Hostname()
	program, known := filehash.Program()
	if !known {
		return "", errors.New("which build of the program this is cannot be told")
	}
	fmt.Fprintln(hash, ProbeSchema, program, base, data(), host, runtime.GOARCH, blas.Kernels(), runtime.NumCPU(),
		blas.NewTeam(p.Config.Train.Threads).Size())
	for _, f := range config.Fields() {
		name := f.Name()
		if slices.Contains(probeSections, f.Section) && !slices.Contains(free, name) || name == "PROJECT.SEED" ||
			name == "EVAL.MAX_NEW_TOKENS" {
			fmt.Fprintf(hash, "%s=%q\n", name, config.Get(p.Config, name))
		}
	}
	if p.Config.Model.Engine == config.EngineTorch {
		python, err := Python(ctx, p.File)
		if err != nil {
			return "", err
		}
		devices, _ := gpu.Snapshot()
		for _, d := range devices {
			fmt.Fprintln(hash, d.Index, d.Name, d.UUID)
		}
		fmt.Fprintln(hash, python.Path, python.Versions, gpu.Visible())
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

// probeFolder is where probes are kept: beside what is kept of the runs.
func (p *Project) probeFolder() string {
	return filepath.Join(p.File.Abs(p.Config.Project.Runs), ".finetui")
}

// KeepProbe writes a probe down for those that estimate.
func (p *Project) KeepProbe(probe *Probe) error {
	text, err := disk.Seal(probe, " ")
	if err != nil {
		return err
	}
	dir := p.probeFolder()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := wholefile.Write(filepath.Join(dir, probePrefix+probe.Fingerprint+".json"), text); err != nil {
		return err
	}
	kept := p.probes()
	for _, path := range kept[min(len(kept), mostProbes):] {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// probes are the files of those that are kept, the newest first.
func (p *Project) probes() []string {
	paths := wholefile.Glob(p.probeFolder(), probePrefix+"*.json")
	at := map[string]int64{}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			at[path] = info.ModTime().UnixNano()
		}
	}
	slices.SortStableFunc(paths, func(a, b string) int { return cmp.Compare(at[b], at[a]) })
	return paths
}

// probed is the probe that was made of what the project is now; nil: none was.
func (p *Project) probed(ctx context.Context, data func() string) *Probe {
	if p.Base == nil || len(p.probes()) == 0 {
		return nil
	}
	fingerprint, err := p.probeFingerprint(ctx, data)
	if err != nil {
		return nil
	}
	text, err := wholefile.Read(filepath.Join(p.probeFolder(), probePrefix+fingerprint+".json"), wholefile.Text)
	if err != nil {
		return nil
	}
	object, sealed, err := disk.Unseal(text)
	var probe Probe
	if err != nil || !sealed || json.Unmarshal(object, &probe) != nil || probe.Schema != ProbeSchema ||
		probe.Fingerprint != fingerprint {
		return nil
	}
	return &probe
}

// When says when it was made.
func (b *Probe) When() string {
	return time.UnixMilli(int64(b.Time * 1000)).Format("2006-01-02 15:04")
}

// take puts the figures of a probe in the place of those that were worked out.
func (c *Cost) take(b *Probe, p *Project, d *demand) {
	seconds := func(s float64) time.Duration {
		const most = math.MaxInt64 / 4
		return time.Duration(min(max(s, 0)*float64(time.Second), most))
	}
	steps, first, valid := d.AllSteps, d.FirstEpoch, d.Valid // of first the samples are new
	checks := 1
	if every := p.Config.Train.EvalEvery; every > 0 {
		checks += (steps - 1) / every
	}
	c.Steps = seconds(b.Step * float64(steps))
	c.Looks = seconds((b.FirstStep-b.Step)*float64(first) + (b.FirstCheck-b.Check)*float64(valid))
	c.Checks = seconds(b.Check * float64(valid*checks))
	c.Time = c.Looks + c.Steps + c.Checks
	// a run holds more than a few steps: it looks at all pictures, and checks all of valid
	c.Memory = max(c.Memory, b.host())
	for i := range c.GPUs {
		if i < len(b.Ranks) && b.Ranks[i].GPU > 0 {
			c.GPUs[i].Need = b.Ranks[i].GPU + contextHeld
		}
	}
	c.Probe = b
}

// host is the memory of this machine that all its processes held.
func (b *Probe) host() (bytes int64) {
	for _, h := range slices.Concat(b.Held, b.Ranks) {
		bytes += h.Host
	}
	return bytes
}

// LongestStep is the step of the first epoch that has the sample with most tokens. The base is open.
func (p *Project) LongestStep(ctx context.Context, batches Batches) (step int) {
	weights, most := p.weigh(ctx, "train", nil, newRuler(p).weight), -1
	if ctx.Err() != nil {
		return 0
	}
	for at, i := range batches.Epoch(0) {
		if n := weights[i].tokens; n > most {
			step, most = at/batches.Batch, n
		}
	}
	return step
}
