package config

// The constants that are one of a few words have types of their own: the words stand here, and nowhere else in the
// program. A file, a screen and an override are held against Choices.

// Format is how a data set is written (DATASET.FORMAT).
type Format string

const (
	FormatAuto Format = "auto"
	FormatYOLO Format = "yolo"
	FormatCOCO Format = "coco"
	FormatVOC  Format = "voc"
	FormatQVED Format = "qved"

	FormatConversations Format = "conversations"
)

func (Format) Choices() []string {
	return words(FormatAuto, FormatYOLO, FormatCOCO, FormatVOC, FormatQVED, FormatConversations)
}

// SplitBy is who decides which split a clip is in (DATASET.SPLIT_BY).
type SplitBy string

const (
	SplitByRecord      SplitBy = "record"
	SplitByParticipant SplitBy = "participant" // no one is in two splits
)

func (SplitBy) Choices() []string { return words(SplitByRecord, SplitByParticipant) }

// Dialect is the shape that convert writes conversations in (CONVERT.DIALECT).
type Dialect string

const (
	DialectLLaVA         Dialect = "llava"
	DialectLlamaFactory  Dialect = "llama-factory"
	DialectMSSwift       Dialect = "ms-swift"
	DialectTRL           Dialect = "trl"
	DialectAxolotl       Dialect = "axolotl"
	DialectVideoGPT      Dialect = "mobile-videogpt"
	DialectVideoGPTRoles Dialect = "mobile-videogpt-roles"
)

func (Dialect) Choices() []string {
	return words(DialectLLaVA, DialectLlamaFactory, DialectMSSwift, DialectTRL, DialectAxolotl, DialectVideoGPT,
		DialectVideoGPTRoles)
}

// RecipePreset is a named set of the constants of RECIPE (RECIPE.PRESET).
type RecipePreset string

const (
	PresetBasic            RecipePreset = "basic"
	PresetEnhanced         RecipePreset = "enhanced"
	PresetEnhancedOriginal RecipePreset = "enhanced-original"
	PresetCustom           RecipePreset = "custom" // what the constants are called that are those of no preset
)

func (RecipePreset) Choices() []string {
	return words(PresetBasic, PresetEnhanced, PresetEnhancedOriginal, PresetCustom)
}

// Weighting is a rule by which rare classes or conditions get more weight in the loss (RECIPE.CLASS_WEIGHTS,
// CONDITION_WEIGHTS).
type Weighting string

const (
	WeightNone            Weighting = "none"
	WeightMaxRatio        Weighting = "max_ratio"
	WeightBalanced        Weighting = "balanced"
	WeightEffectiveNumber Weighting = "effective_number"
	WeightInverseSqrt     Weighting = "inverse_sqrt"
)

func (Weighting) Choices() []string {
	return words(WeightNone, WeightMaxRatio, WeightBalanced, WeightEffectiveNumber, WeightInverseSqrt)
}

// Sampling is how training samples are drawn (RECIPE.SAMPLING).
type Sampling string

const (
	SampleInstance      Sampling = "instance"
	SampleIntWeight     Sampling = "int_weight"
	SampleRepeatFactor  Sampling = "repeat_factor"
	SampleClassBalanced Sampling = "class_balanced"
	SampleSquareRoot    Sampling = "square_root"
	SampleProgressive   Sampling = "progressive"
)

func (Sampling) Choices() []string {
	return words(SampleInstance, SampleIntWeight, SampleRepeatFactor, SampleClassBalanced, SampleSquareRoot,
		SampleProgressive)
}

// Loss is the loss of one token (RECIPE.LOSS).
type Loss string

const (
	LossCrossEntropy Loss = "cross_entropy"
	LossFocal        Loss = "focal"
)

func (Loss) Choices() []string { return words(LossCrossEntropy, LossFocal) }

// Prompt is the question that a recipe asks (RECIPE.PROMPT).
type Prompt string

const (
	PromptShort            Prompt = "short"
	PromptBasic            Prompt = "basic"
	PromptList             Prompt = "list"
	PromptEnhancedOriginal Prompt = "enhanced-original"
)

func (Prompt) Choices() []string {
	return words(PromptShort, PromptBasic, PromptList, PromptEnhancedOriginal)
}

// Facts are what a prompt tells of an object type (RECIPE.PROMPT_FACTS).
type Facts string

const (
	FactsNone   Facts = "none"
	FactsObject Facts = "object"
	FactsPlace  Facts = "place"
)

func (Facts) Choices() []string { return words(FactsNone, FactsObject, FactsPlace) }

// FactsFrom is which splits facts and weights are mined from (RECIPE.FACTS_FROM).
type FactsFrom string

const (
	FactsFromTrain FactsFrom = "train"
	FactsFromAll   FactsFrom = "all" // what is scored is among it
)

func (FactsFrom) Choices() []string { return words(FactsFromTrain, FactsFromAll) }

// Context is what the model is shown of an object (RECIPE.CONTEXT).
type Context string

const (
	ContextFull     Context = "full"      // the whole picture
	ContextMarked   Context = "marked"    // the whole picture with the object outlined
	ContextCrop     Context = "crop"      // the object cut out
	ContextFullCrop Context = "full+crop" // the object outlined, and then cut out
)

func (Context) Choices() []string {
	return words(ContextFull, ContextMarked, ContextCrop, ContextFullCrop)
}

// Engine is what trains (MODEL.ENGINE).
type Engine string

const (
	EngineNative Engine = "native"
	EngineTorch  Engine = "torch"
)

func (Engine) Choices() []string { return words(EngineNative, EngineTorch) }

// DType is what a base computes in under PyTorch (TORCH.DTYPE).
type DType string

const (
	DTypeAuto     DType = "auto" // bfloat16 on a GPU, else float32
	DTypeFloat32  DType = "float32"
	DTypeBFloat16 DType = "bfloat16"
)

func (DType) Choices() []string { return words(DTypeAuto, DTypeFloat32, DTypeBFloat16) }

// Attention is how PyTorch computes attention (TORCH.ATTENTION).
type Attention string

const (
	AttentionSDPA  Attention = "sdpa"
	AttentionFlash Attention = "flash_attention_2"
	AttentionEager Attention = "eager"
)

func (Attention) Choices() []string { return words(AttentionSDPA, AttentionFlash, AttentionEager) }

// Quantization is how the base's products are stored under PyTorch (TORCH.QUANTIZATION).
type Quantization string

const (
	QuantizationNone Quantization = "none"
	QuantizationNF4  Quantization = "nf4"
)

func (Quantization) Choices() []string { return words(QuantizationNone, QuantizationNF4) }

// DeepSpeed is what DeepSpeed deals out over the processes (TORCH.DEEPSPEED).
type DeepSpeed string

const (
	DeepSpeedNone  DeepSpeed = "none"
	DeepSpeedZeRO2 DeepSpeed = "zero2" // gradients and the optimizer's state
	DeepSpeedZeRO3 DeepSpeed = "zero3" // the base, too
)

func (DeepSpeed) Choices() []string { return words(DeepSpeedNone, DeepSpeedZeRO2, DeepSpeedZeRO3) }

// Schedule is the course of the learning rate behind its warm-up (TRAIN.SCHEDULE).
type Schedule string

const (
	ScheduleLinear   Schedule = "linear"
	ScheduleCosine   Schedule = "cosine"
	ScheduleConstant Schedule = "constant"
)

func (Schedule) Choices() []string { return words(ScheduleLinear, ScheduleCosine, ScheduleConstant) }

// BestBy says which checkpoint of a run is asked, scored and handed on: the last, or the best on valid (TRAIN.BEST_BY).
type BestBy string

const (
	BestByLast     BestBy = "last"
	BestByLoss     BestBy = "loss"
	BestByAccuracy BestBy = "accuracy"
	BestByMacroF1  BestBy = "macro_f1"
)

func (BestBy) Choices() []string { return words(BestByLast, BestByLoss, BestByAccuracy, BestByMacroF1) }

// Targets are the products that get an adapter, by the end of their name (LORA.TARGETS).
type Targets []string

func (Targets) Choices() []string {
	return []string{
		"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", // the language model's
		"attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2", // the vision tower's
		"mlp.0", "mlp.2", // its merger's
	}
}

// Theme is how dark the colours are (VIEW.THEME).
type Theme string

const (
	ThemeAuto  Theme = "auto" // as the terminal's background is
	ThemeDark  Theme = "dark"
	ThemeLight Theme = "light"
)

func (Theme) Choices() []string { return words(ThemeAuto, ThemeDark, ThemeLight) }

// Colors is how many colours the terminal is given (VIEW.COLORS).
type Colors string

const (
	ColorsAuto Colors = "auto" // as many as the terminal says it has
	ColorsTrue Colors = "truecolor"
	Colors256  Colors = "256"
	Colors16   Colors = "16"
	ColorsNone Colors = "none"
)

func (Colors) Choices() []string {
	return words(ColorsAuto, ColorsTrue, Colors256, Colors16, ColorsNone)
}

// Bell is when the terminal's bell is rung for a run that was watched (VIEW.BELL).
type Bell string

const (
	BellEnded  Bell = "ended"  // it is done, or has failed
	BellFailed Bell = "failed" // it has failed, or was killed
	BellOff    Bell = "off"
)

func (Bell) Choices() []string { return words(BellEnded, BellFailed, BellOff) }

// Images is how pictures are drawn (VIEW.IMAGES).
type Images string

const (
	ImagesAuto   Images = "auto"
	ImagesBlocks Images = "blocks"
	ImagesASCII  Images = "ascii"
	ImagesWords  Images = "words"
)

func (Images) Choices() []string { return words(ImagesAuto, ImagesBlocks, ImagesASCII, ImagesWords) }

// Output is what verbs print (VIEW.FORMAT).
type Output string

const (
	OutputText Output = "text"
	OutputJSON Output = "json"
)

func (Output) Choices() []string { return words(OutputText, OutputJSON) }

func words[T ~string](list ...T) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}
