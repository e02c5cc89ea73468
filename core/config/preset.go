package config

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

var presets = []struct {
	name, about string
	set         func(*Config)
}{
	{"demo", "drawn pictures of slope drains, the whole chain in minutes", demo},
	{"drains", "photographs of slope drains, on Qwen2-VL 7B", drains},
	{"qved", "clips of exercises, on Mobile-VideoGPT", qved},
	{"demo-qved", "drawn clips of exercises, on a small base for them", demoQVED},
}

// demo is the generated slope-drain project on the built-in base: the whole chain in minutes on two cores.
func demo(c *Config) {
	c.Project.Name = "demo"
	c.Project.Runs = "demo/runs"
	c.Dataset.Path = "demo/data"
	c.Dataset.Analysis = "demo/dataset_analysis.json"
	c.Convert.Output = "demo/converted"
	c.Eval.Split, c.Eval.Data = "test", "demo/balanced"
}

// drains is the slope-drain project on photographs, with the training constants of its original.
func drains(c *Config) {
	c.Project.Name = "drains"
	c.Dataset.Path = "data"
	c.Recipe.Context, c.Recipe.CropSquare = "full", false
	c.Model = Model{Base: "Qwen/Qwen2-VL-7B-Instruct", Engine: "native",
		MinPixels: 256 * 784, MaxPixels: 1280 * 784, Frames: 16, Cache: 16384, MaxLength: 2048}
	c.LoRA.Dropout = 0.1
	c.Train.Epochs, c.Train.BatchSize, c.Train.GradAccum = 3, 1, 4
	c.Train.LearningRate, c.Train.WarmupSteps = 2e-4, 50
	c.Train.LogEvery, c.Train.EvalEvery, c.Train.SaveEvery = 10, 100, 100
	c.Eval.Split = "test"
}

// qved is the exercise-clip project with the constants of its original: label files into conversations, at most 100
// clips an exercise, and the third stage of Mobile-VideoGPT's training.
func qved(c *Config) {
	c.Project.Name = "qved"
	c.Dataset.Path, c.Dataset.Format = "data", "qved"
	c.Convert = Convert{Dialect: "mobile-videogpt", Output: "playground/data/MobileGPT", LimitPerClass: 100,
		SystemPrompt:       "You are a concise fitness coach. Analyze the user's exercise and give corrective feedback.",
		UserPromptTemplate: "Analyze this {exercise} video and provide corrective feedback."}
	c.Recipe.Preset, c.Recipe.Sampling = PresetBasic, SampleInstance
	c.Recipe.PositionWords, c.Recipe.PromptFacts = false, FactsNone // a clip lies nowhere
	c.Recipe.Context, c.Recipe.CropSquare = "full", false
	// The original's 2048 are tokens of text; here a sample's length counts what it shows, 2402 tokens of a clip.
	c.Model.Base, c.Model.MaxLength = "Amshaker/Mobile-VideoGPT-0.5B", 4096
	c.LoRA.R, c.LoRA.Alpha, c.LoRA.Dropout = 64, 128, 0.05
	c.LoRA.Targets = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
	c.Train.Epochs, c.Train.BatchSize, c.Train.GradAccum = 8, 8, 2
	c.Train.LearningRate, c.Train.ProjectorLR = 1e-4, 2e-5
	c.Train.Schedule, c.Train.WarmupSteps, c.Train.WarmupRatio, c.Train.WeightDecay = "cosine", 0, 0.03, 0
	c.Eval.Split = "test"
	c.Eval.MaxNewTokens, c.Infer.MaxNewTokens = 128, 128 // feedback is a sentence or some; it ends by itself
}

// demoQVED is the project of the drawn exercise clips: as qved, with the constants of a small base that trains in
// minutes on two cores. Its question does not name the exercise, so that naming it is worth something.
func demoQVED(c *Config) {
	qved(c)
	c.Project.Name, c.Project.Runs = "demo-qved", "demo/runs"
	c.Dataset.Path, c.Dataset.Analysis = "demo/data", "demo/dataset_analysis.json"
	c.Convert.Output = "demo/converted"
	c.Convert.UserPromptTemplate = "Which exercise is this, and what should be corrected?"
	c.Model.Base = "demo/base"
	c.Recipe.Preset, c.Recipe.Sampling = PresetCustom, SampleSquareRoot
	c.LoRA.R, c.LoRA.Alpha = 16, 32
	c.Train.Epochs, c.Train.BatchSize, c.Train.GradAccum = 12, 4, 1
	c.Train.LearningRate, c.Train.ProjectorLR = 4e-3, 1e-3
	c.Train.EvalEvery, c.Train.SaveEvery = 140, 140
	c.Eval.MaxNewTokens = 64
}

// Presets returns the names that Preset knows.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

// AboutPreset says in a few words what a preset starts; nothing for a name that Preset does not know.
func AboutPreset(name string) string {
	for _, p := range presets {
		if p.name == name {
			return p.about
		}
	}
	return ""
}

// Preset returns a complete file, every constant with its comment. Set its Path and Save to start a project.
func Preset(name string) (*File, error) {
	for _, p := range presets {
		if p.name == name {
			c := Default()
			p.set(c)
			return Parse("config.toml", Render(c))
		}
	}
	return nil, fmt.Errorf("no preset is called %q; there are %s%s", name, strings.Join(Presets(), ", "),
		didYouMean(name, Presets()))
}

// Render writes every constant with its comment, in the order of the schema.
func Render(c *Config) []byte {
	var b bytes.Buffer
	b.WriteString("# finetui: every constant of this project. A constant that is left out has its default.\n")
	for _, s := range schema().sections {
		fmt.Fprintf(&b, "\n# %s\n[%s]\n", s.Doc, s.Name)
		for _, f := range schema().fields {
			if f.Section == s.Name {
				fmt.Fprintf(&b, "# %s\n%s = %s\n", comment(f), f.Key, formatValue(valueOf(c, f)))
			}
		}
	}
	for _, change := range Diff(&Config{}, &Config{Keys: c.Keys}) {
		_, action, _ := strings.Cut(change.Key, ".")
		fmt.Fprintf(&b, "%s = %s\n", bareKey(action), change.New)
	}
	return b.Bytes()
}

// comment is the line above a constant: what it does, its unit, its choices or bounds.
func comment(f Field) string {
	var about []string
	if f.Unit != "" {
		about = append(about, f.Unit)
	}
	switch {
	case f.Choices != nil:
		about = append(about, strings.Join(f.Choices, " | "))
	case f.Kind == Switch:
		about = append(about, "true | false")
	case !math.IsInf(f.Min, -1) && !math.IsInf(f.Max, 1):
		about = append(about, number(f.Min)+" to "+number(f.Max))
	case !math.IsInf(f.Min, -1):
		about = append(about, "at least "+number(f.Min))
	}
	if len(about) == 0 {
		return f.Doc
	}
	return f.Doc + " [" + strings.Join(about, "; ") + "]"
}
