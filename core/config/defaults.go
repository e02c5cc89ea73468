package config

// Default returns the value of every constant that a file leaves out: a small recipe on the built-in base.
func Default() *Config {
	return &Config{
		Project: Project{Name: "project", Seed: 1337, Runs: "runs", Watch: []string{}},
		Dataset: Dataset{
			Path: "data", Format: "auto", Analysis: "dataset_analysis.json",
			Conditions: []string{"blocked", "damaged"}, DefaultCondition: "normal",
			LevelWithin: 0.05, AlignedWithin: 0.1, TopBelow: 0.4, BottomAbove: 0.6, PositionBins: 20,
			ModerateAbove: 2, SevereAbove: 3, Splits: []string{}, Sets: []string{}, SplitBy: SplitByRecord,
		},
		Convert: Convert{Dialect: "llava", Output: "converted"},
		Recipe: Recipe{
			Preset: "enhanced", ClassWeights: "none", ConditionWeights: "none", EffectiveBeta: 0.999,
			Sampling: SampleSquareRoot, RepeatThreshold: 0.1, Loss: LossCrossEntropy, FocalGamma: 2,
			Prompt: "short", PositionWords: true, PromptFacts: "place", FactsFrom: "train",
			Context: "crop", CropMargin: 0.1, CropSquare: true,
		},
		Model: Model{Base: "tiny", Engine: "native", MinPixels: 12544, MaxPixels: 12544, Frames: 16, Cache: 4096,
			MaxLength: 256},
		Torch: Torch{Processes: 1, Hosts: []string{}, DType: DTypeAuto, Attention: AttentionSDPA,
			Quantization: QuantizationNone, DeepSpeed: DeepSpeedNone},
		LoRA: LoRA{R: 16, Alpha: 32, Dropout: 0.05, Targets: []string{"q_proj", "k_proj", "v_proj", "o_proj"}},
		Train: Train{
			Epochs: 6, BatchSize: 16, GradAccum: 1, LearningRate: 4e-3, Schedule: "linear", WarmupSteps: 20,
			MaxGradNorm: 1, LogEvery: 5, EvalEvery: 50, SaveEvery: 50, Keep: 3, BestBy: BestByLast,
		},
		Eval:  Eval{Split: "valid", MaxNewTokens: 24, SuccessOverall: 0.90, SuccessCondition: 0.85},
		Infer: Infer{MaxNewTokens: 64, TopP: 1, Repetition: 1},
		View: View{Theme: "auto", Colors: "auto", Images: "auto", Format: "text", Bell: BellEnded,
			Redraws: 4},
		Keys: Keys{},
	}
}
