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
)

func (Format) Choices() []string {
	return words(FormatAuto, FormatYOLO, FormatCOCO, FormatVOC, FormatQVED)
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

// Schedule is the course of the learning rate behind its warm-up (TRAIN.SCHEDULE).
type Schedule string

const (
	ScheduleLinear   Schedule = "linear"
	ScheduleCosine   Schedule = "cosine"
	ScheduleConstant Schedule = "constant"
)

func (Schedule) Choices() []string { return words(ScheduleLinear, ScheduleCosine, ScheduleConstant) }

// BestBy is what makes a checkpoint the best on valid (TRAIN.BEST_BY).
type BestBy string

const (
	BestByLoss     BestBy = "loss"
	BestByAccuracy BestBy = "accuracy"
	BestByMacroF1  BestBy = "macro_f1"
)

func (BestBy) Choices() []string { return words(BestByLoss, BestByAccuracy, BestByMacroF1) }

func words[T ~string](list ...T) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}
