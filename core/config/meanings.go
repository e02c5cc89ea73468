package config

// Means says in a few words what a choice of a constant stands for; nothing where its name says it. Every place that
// offers choices says the same.
func Means(name, choice string) string { return meanings[name][choice] }

var meanings = map[string]map[string]string{
	"DATASET.SPLIT_BY": {"record": "the split that the record names", "participant": "nobody is in two splits"},
	"CONVERT.DIALECT": {
		"llava": "one array of turns, the pictures named", "llama-factory": "ShareGPT form, with its dataset_info",
		"ms-swift": "messages, one record a line, with weights", "trl": "messages of typed parts, for SFTTrainer",
		"axolotl": "messages of typed parts, for Axolotl", "mobile-videogpt": "a video and its turns in one array",
		"mobile-videogpt-roles": "the same by roles, with the split of each",
	},
	"RECIPE.PRESET": {
		"basic":             "each object once an epoch, a plain prompt",
		"enhanced":          "√n sampling, position words, facts from train",
		"enhanced-original": "copies and weights at once, and leaking prompts",
		"custom":            "whatever the constants below say",
	},
	"RECIPE.CLASS_WEIGHTS":     weightMeanings,
	"RECIPE.CONDITION_WEIGHTS": weightMeanings,
	"RECIPE.SAMPLING": {
		"instance":       "every object once",
		"int_weight":     "as many copies as the weight has wholes",
		"repeat_factor":  "pictures with rare classes again",
		"class_balanced": "all classes alike",
		"square_root":    "a class by √n: half the way",
		"progressive":    "from instance to class_balanced",
	},
	"RECIPE.LOSS": {"cross_entropy": "the usual one", "focal": "what is answered well counts less"},
	"RECIPE.PROMPT": {
		"short": "asks for name and state", "basic": "says what to look at", "list": "gives the closed list of answers",
		"enhanced-original": "as the original, with its faults",
	},
	"RECIPE.POSITION_WORDS": {"true": "says top, middle or bottom", "false": "does not say where it lies"},
	"RECIPE.PROMPT_FACTS": {"none": "tells nothing", "object": "tells the kind of object",
		"place": "tells kind and usual place"},
	"RECIPE.FACTS_FROM": {"train": "only what may be learned from", "all": "the original's leak: test data too"},
	"RECIPE.CONTEXT": {
		"full": "the whole picture", "marked": "the whole picture, the object outlined", "crop": "the object cut out",
		"full+crop": "outlined, and cut out",
	},
	"RECIPE.CROP_SQUARE": {"true": "what is cut out is stretched to a square", "false": "it keeps its shape"},
	"VIEW.THEME": {"auto": "as the terminal's background is", "dark": "for a dark one",
		"light": "for a light one"},
	"VIEW.COLORS": {"auto": "as many as the terminal says it has", "truecolor": "24 bits", "256": "a table of 256",
		"16": "the terminal's own", "none": "none, as NO_COLOR asks"},
	"VIEW.BELL": {"ended": "it is done, or has failed", "failed": "it has failed, or was killed", "off": "never"},
	"VIEW.IMAGES": {"auto": "as finely as the terminal can", "blocks": "coloured blocks", "ascii": "characters",
		"words": "what they hold, in words"},
	"VIEW.FORMAT": {"text": "for people", "json": "for programs"},
	"TRAIN.SCHEDULE": {"linear": "falls in a straight line to 0", "cosine": "falls slowly, fast, slowly",
		"constant": "stays"},
	"TRAIN.BEST_BY": {"last": "the last, the same step in every run", "loss": "the lowest on valid",
		"accuracy": "the highest on valid",
		"macro_f1": "the highest on valid, all classes alike"},
}

var weightMeanings = map[string]string{
	"none":             "every object counts alike",
	"max_ratio":        "largest n ÷ n: full compensation",
	"balanced":         "all ÷ (classes × n): the same, mean 1",
	"effective_number": "(1−β) ÷ (1−βⁿ): milder for large n",
	"inverse_sqrt":     "1 ÷ √n: half the way",
}
