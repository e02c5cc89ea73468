// Package config holds the constants that drive finetui: their schema, their file, their checks.
// It never draws and never acts on a value.
//
// A text is parsed into a Snapshot, which never changes: whoever works beside the screen holds the one it was started
// with. A File is a Snapshot that is edited, with the way back, and saved; it belongs to one goroutine. An edit makes
// one new text and parses it once (With); values that are only tried need no text (Changed).
//
// To add a constant:
//
//  1. Write a field into its section's struct below. The tags are all there is to describe it: key, the name in the
//     file; doc, the comment line, which presets write and screens show; unit; min and max; is:"path". The types are
//     string, int, float64, bool and []string, and those of choices.go: a constant, or the entries of a list, of fixed
//     words gets a type of its own there. Its name is SECTION.KEY.
//  2. Give it its value in Default; a preset that needs another one says so in preset.go. The repository's own
//     config.toml is the preset demo written out; go test ./core/config -update writes it. A file without the constant
//     keeps its meaning: it has the default.
//  3. A rule between constants goes into Validate. What one constant may be the tags say, and Load and Set check.
//  4. Read it where it acts, as cfg.Section.Field. A test fails for a constant that nothing reads.
//  5. Is it known when a run goes on whether it may change? finetune's changes.go lists those that may. Does an answer
//     depend on it? session's Differences names what two evaluations differ in. Does a recipe decide it? recipe's
//     presets do.
//
// The Config pane, overrides, "did you mean", completion and the comments follow from the tags alone.
package config

// Config is every constant. The struct tags are the only description of them: key is the name in the file, doc the
// comment line that presets write and screens show, unit, min and max bound the value, is:"path" marks a file or
// folder. What a constant of fixed words may be its type says (choices.go). A list of text is []string.
type Config struct {
	Project Project `section:"PROJECT" doc:"what this folder is about"`
	Dataset Dataset `section:"DATASET" doc:"where the pictures and labels are, and how they are looked at"`
	Convert Convert `section:"CONVERT" doc:"writing the records in a trainer's dialect"`
	Recipe  Recipe  `section:"RECIPE" doc:"what is done about the imbalance"`
	Model   Model   `section:"MODEL" doc:"the base model and what it is shown"`
	Torch   Torch   `section:"TORCH" doc:"training by PyTorch, where MODEL.ENGINE says so"`
	LoRA    LoRA    `section:"LORA" doc:"low-rank adapters"`
	Train   Train   `section:"TRAIN" doc:"the optimizer and its run"`
	Eval    Eval    `section:"EVAL" doc:"scoring"`
	Infer   Infer   `section:"INFER" doc:"asking one question"`
	View    View    `section:"VIEW" doc:"how things are shown"`
	Keys    Keys    `section:"KEYS" doc:"action = \"key\"; see ? in the workbench for the names"`
}

type Project struct {
	Name string `key:"NAME" doc:"name shown in the title line"`
	Seed int    `key:"SEED" doc:"seed of everything random: data order, initial adapters, dropout, sampling" min:"0"`
	Runs string `key:"RUNS" is:"path" doc:"folder of the run directories, relative to this file"`
	// Watch is searched to a bounded depth.
	Watch []string `key:"WATCH" doc:"folders with runs of other trainers, relative to this file: they are known by what their files hold, shown beside ours in Train and runs, and only read"`
}

type Dataset struct {
	Path             string   `key:"PATH" is:"path" doc:"folder or file of the data set, relative to this file"`
	Format           Format   `key:"FORMAT" doc:"how it is written"`
	Analysis         string   `key:"ANALYSIS" is:"path" doc:"file that analyze writes"`
	Media            string   `key:"MEDIA" is:"path" doc:"folder of the pictures or clips where the labels do not say; empty: beside the labels"`
	Conditions       []string `key:"CONDITIONS" doc:"words looked for in class names, the first that matches is the condition"`
	DefaultCondition string   `key:"DEFAULT_CONDITION" doc:"condition of a class that names none"`
	LevelWithin      float64  `key:"LEVEL_WITHIN" doc:"a pair is level when its centres differ in y by no more than this" unit:"of the height" min:"0" max:"1"`
	AlignedWithin    float64  `key:"ALIGNED_WITHIN" doc:"a pair is aligned when its centres differ in x by less than this" unit:"of the width" min:"0" max:"1"`
	TopBelow         float64  `key:"TOP_BELOW" doc:"mean y below this is Top" unit:"of the height" min:"0" max:"1"`
	BottomAbove      float64  `key:"BOTTOM_ABOVE" doc:"mean y above this is Bottom" unit:"of the height" min:"0" max:"1"`
	PositionBins     int      `key:"POSITION_BINS" doc:"bins of the y histograms" min:"2" max:"100"`
	ModerateAbove    float64  `key:"MODERATE_ABOVE" doc:"imbalance ratio above which it is called moderate" unit:"×" min:"1"`
	SevereAbove      float64  `key:"SEVERE_ABOVE" doc:"imbalance ratio above which it is called severe" unit:"×" min:"1"`
	Splits           []string `key:"SPLITS" doc:"splits to use; empty: all that are present"`
	Sets             []string `key:"SETS" doc:"sets of DATASET_DIR that join PATH, NAME or NAME:SHARE of the train split (llava:0.3); empty: all that are present; none: no other"`
	SplitBy          SplitBy  `key:"SPLIT_BY" doc:"who decides which split a clip is in: its record, or its participant, so that no one is in two"`
}

type Convert struct {
	Dialect            Dialect `key:"DIALECT" doc:"shape of the conversations"`
	Output             string  `key:"OUTPUT" is:"path" doc:"folder that convert writes, relative to this file"`
	LimitPerClass      int     `key:"LIMIT_PER_CLASS" doc:"at most so many records of a class; 0: all" min:"0"`
	KeepMissing        bool    `key:"KEEP_MISSING" doc:"write records whose picture is missing, too"`
	SystemPrompt       string  `key:"SYSTEM_PROMPT" doc:"system turn; empty: the model's own"`
	UserPromptTemplate string  `key:"USER_PROMPT_TEMPLATE" doc:"user turn; empty: the recipe's"`
}

type Recipe struct {
	Preset           RecipePreset `key:"PRESET" doc:"named starting point; custom once a constant below differs"`
	ClassWeights     Weighting    `key:"CLASS_WEIGHTS" doc:"weight of a class in the loss"`
	ConditionWeights Weighting    `key:"CONDITION_WEIGHTS" doc:"weight of a condition in the loss, multiplied with the class weight"`
	EffectiveBeta    float64      `key:"EFFECTIVE_BETA" doc:"β of effective_number" min:"0" max:"0.999999"`
	Sampling         Sampling     `key:"SAMPLING" doc:"how training samples are drawn"`
	RepeatThreshold  float64      `key:"REPEAT_THRESHOLD" doc:"t of repeat_factor" unit:"of the images" min:"0" max:"1"`
	Loss             Loss         `key:"LOSS" doc:"loss of one token"`
	FocalGamma       float64      `key:"FOCAL_GAMMA" doc:"γ of focal" min:"0" max:"10"`
	Prompt           Prompt       `key:"PROMPT" doc:"question: short asks for name and state, basic says what to look at, list adds the closed list, enhanced-original repeats the original with its faults"`
	PositionWords    bool         `key:"POSITION_WORDS" doc:"say where the object lies: at the top, in the middle, at the bottom"`
	PromptFacts      Facts        `key:"PROMPT_FACTS" doc:"facts mined from the train split, chosen by the object type: its name, its name and usual place"`
	FactsFrom        FactsFrom    `key:"FACTS_FROM" doc:"splits that facts and weights are mined from; all is the original's leak"`
	Context          Context      `key:"CONTEXT" doc:"what the model sees: the whole image, the whole image with the object outlined, the object cut out, outlined and cut out"`
	CropMargin       float64      `key:"CROP_MARGIN" doc:"added around the box before cutting out" unit:"of the box" min:"0" max:"2"`
	CropSquare       bool         `key:"CROP_SQUARE" doc:"stretch what is cut out to a square: the tiny base has seen nothing else"`
}

type Model struct {
	Base      string `key:"BASE" is:"path" doc:"base model: tiny (built in), a folder in Hugging Face format, or a hub name (OWNER/NAME, or OWNER/NAME@REVISION), fetched once into the cache of HF_HOME"`
	Engine    Engine `key:"ENGINE" doc:"what trains: this program, or PyTorch in a process of its own"`
	MinPixels int    `key:"MIN_PIXELS" doc:"smaller pictures are enlarged to this" unit:"pixels" min:"784"`
	MaxPixels int    `key:"MAX_PIXELS" doc:"larger pictures are shrunk to this" unit:"pixels" min:"784"`
	Frames    int    `key:"FRAMES" doc:"frames taken of a clip; pictures do not ask for it" min:"1" max:"768"`
	Cache     int    `key:"CACHE" doc:"features of the frozen vision tower kept on disk, in .finetui beside this file; 0: none" unit:"MiB" min:"0"`
	MaxLength int    `key:"MAX_LENGTH" doc:"longest sample, picture included" unit:"tokens" min:"16"`
}

type Torch struct {
	Python       string       `key:"PYTHON" is:"path" doc:"the Python that has torch, transformers and peft; empty: that of VIRTUAL_ENV, .venv or CONDA_PREFIX, else python3"`
	Processes    int          `key:"PROCESSES" doc:"processes on each machine, which share the samples of a step: one for each GPU; more than one are started by torchrun" min:"1" max:"64"`
	Hosts        []string     `key:"HOSTS" doc:"machines, NAME or NAME:PORT, that share the folder of the runs; on the first one the processes meet, at PORT or 29500; none: this one"`
	Remote       string       `key:"REMOTE" doc:"how a host is told to start, {command} being one line for a shell: ssh {host} {command}, or srun --nodes=1 --ntasks=1 -w {host} sh -c {command}; empty: by hand, log.txt has the commands"`
	DType        DType        `key:"DTYPE" doc:"what the base computes in; the adapters stay in float32; auto: bfloat16 on a GPU, else float32"`
	Attention    Attention    `key:"ATTENTION" doc:"how attention is computed; flash_attention_2 needs the package flash-attn and bfloat16 on a GPU"`
	Quantization Quantization `key:"QUANTIZATION" doc:"products of the language model in 4 bits, where the package bitsandbytes is there (QLoRA)"`
	DeepSpeed    DeepSpeed    `key:"DEEPSPEED" doc:"what the package deepspeed deals out over the processes: zero2 gradients and the optimizer's state, zero3 a base that does not fit, too"`
}

// Needs are the packages that constants of [TORCH] ask for, by the constant, besides those that every run needs.
func (t Torch) Needs() []Need {
	var list []Need
	if t.Attention == AttentionFlash {
		list = append(list, Need{"TORCH.ATTENTION", "flash-attn"})
	}
	if t.Quantization != QuantizationNone {
		list = append(list, Need{"TORCH.QUANTIZATION", "bitsandbytes"})
	}
	if t.DeepSpeed != DeepSpeedNone {
		list = append(list, Need{"TORCH.DEEPSPEED", "deepspeed"})
	}
	return list
}

// Need is a package that a constant asks for.
type Need struct{ Key, Package string }

type LoRA struct {
	R       int     `key:"R" doc:"rank" min:"1" max:"1024"`
	Alpha   float64 `key:"ALPHA" doc:"scaling is ALPHA/R, or ALPHA/√R with RSLORA" min:"0"`
	Dropout float64 `key:"DROPOUT" doc:"share of an adapter's inputs zeroed in training" min:"0" max:"0.95"`
	Targets Targets `key:"TARGETS" doc:"products that get an adapter, by the end of their name: of the language model, of the vision tower (attn., mlp.fc), of its merger (mlp.0, mlp.2)"`
	RSLoRA  bool    `key:"RSLORA" doc:"scale by ALPHA/√R"`
}

type Train struct {
	Epochs        int      `key:"EPOCHS" doc:"passes over the training samples" min:"1" max:"10000"`
	BatchSize     int      `key:"BATCH_SIZE" doc:"samples at once" min:"1"`
	GradAccum     int      `key:"GRAD_ACCUM" doc:"batches before one optimizer step" min:"1"`
	LearningRate  float64  `key:"LEARNING_RATE" doc:"of the adapters" min:"0" max:"10"`
	ProjectorLR   float64  `key:"PROJECTOR_LEARNING_RATE" doc:"of the projectors, trained as a whole; 0: they stay frozen, as Qwen2-VL's must" min:"0" max:"10"`
	Schedule      Schedule `key:"SCHEDULE" doc:"of the learning rate after warm-up"`
	WarmupSteps   int      `key:"WARMUP_STEPS" doc:"steps in which the learning rate rises" unit:"steps" min:"0"`
	WarmupRatio   float64  `key:"WARMUP_RATIO" doc:"the same as a share of all steps, used when WARMUP_STEPS is 0" min:"0" max:"1"`
	WeightDecay   float64  `key:"WEIGHT_DECAY" doc:"decoupled, a step" min:"0" max:"10"`
	MaxGradNorm   float64  `key:"MAX_GRAD_NORM" doc:"gradients longer than this are shortened to it; 0: never" min:"0"`
	LogEvery      int      `key:"LOG_EVERY" doc:"a row in the metrics" unit:"steps" min:"1"`
	EvalEvery     int      `key:"EVAL_EVERY" doc:"loss and accuracy on valid; 0: only at the end" unit:"steps" min:"0"`
	SaveEvery     int      `key:"SAVE_EVERY" doc:"a checkpoint; 0: only at the end" unit:"steps" min:"0"`
	Keep          int      `key:"KEEP" doc:"checkpoints kept, beside best and latest" min:"1"`
	BestBy        BestBy   `key:"BEST_BY" doc:"which checkpoint is scored and handed on: the last, or the best on valid by a figure"`
	Threads       int      `key:"THREADS" doc:"cores used; 0: all" min:"0" max:"1024"`
	Checkpointing bool     `key:"CHECKPOINTING" doc:"gradient checkpointing: a layer's activations are made again on the way back instead of kept; the same values in much less memory, a third more time"`
	Follow        bool     `key:"FOLLOW" doc:"train shows the run's progress until it ends, also where stdout is no terminal"`
}

type Eval struct {
	Split            string  `key:"SPLIT" doc:"split that is scored; of EVAL.DATA: the name of its folder"`
	Data             string  `key:"DATA" is:"path" doc:"a further data set with the same classes that nothing but scoring sees; empty: none"`
	PriorTau         float64 `key:"PRIOR_TAU" doc:"score the closed list, too, less so many times ln of each class's share of the training draw; 0: no" min:"0" max:"10"`
	MaxNewTokens     int     `key:"MAX_NEW_TOKENS" doc:"longest answer" unit:"tokens" min:"1"`
	SuccessOverall   float64 `key:"SUCCESS_OVERALL" doc:"accuracy that counts as success" min:"0" max:"1"`
	SuccessCondition float64 `key:"SUCCESS_CONDITION" doc:"accuracy in each condition that counts as success" min:"0" max:"1"`
	Detections       string  `key:"DETECTIONS" is:"path" doc:"folder of stage-1 predictions; empty: ground truth"`
}

type Infer struct {
	Prompt       string  `key:"PROMPT" doc:"question asked when none is given; empty: the recipe's"`
	MaxNewTokens int     `key:"MAX_NEW_TOKENS" doc:"longest answer" unit:"tokens" min:"1"`
	Temperature  float64 `key:"TEMPERATURE" doc:"0: always the likeliest token" min:"0" max:"10"`
	TopP         float64 `key:"TOP_P" doc:"draw from the likeliest tokens that together have this probability; 1: from all" min:"0.01" max:"1"`
	Repetition   float64 `key:"REPETITION_PENALTY" doc:"above 1: tokens that were there already become less likely" min:"0.1" max:"10"`
}

type View struct {
	Theme   Theme  `key:"THEME" doc:"colours"`
	Colors  Colors `key:"COLORS" doc:"how many colours the terminal is given; auto asks it"`
	Images  Images `key:"IMAGES" doc:"how pictures are drawn"`
	Format  Output `key:"FORMAT" doc:"what verbs print"`
	Bell    Bell   `key:"BELL" doc:"when the terminal's bell rings for a run that goes on while the workbench is open"`
	Redraws int    `key:"REDRAWS" doc:"most redraws while data streams" unit:"a second" min:"1" max:"30"`
}

// Keys maps an action's name to the key that runs it instead of the built-in one.
type Keys map[string]string
