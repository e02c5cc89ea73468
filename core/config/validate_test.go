package config

import (
	"strings"
	"testing"

	"finetui/core/level"
)

func TestRulesBetweenConstants(t *testing.T) {
	cases := []struct {
		set   []string
		key   string
		level level.Level
		want  string
	}{
		{[]string{"DATASET.TOP_BELOW=0.6"}, "DATASET.TOP_BELOW", level.Error, "less than BOTTOM_ABOVE"},
		{[]string{"DATASET.LEVEL_WITHIN=0.7"}, "DATASET.LEVEL_WITHIN", level.Info, "hardly any pair"},
		{[]string{"DATASET.ALIGNED_WITHIN=0.7"}, "DATASET.ALIGNED_WITHIN", level.Info, "hardly any pair"},
		{[]string{"DATASET.MODERATE_ABOVE=4"}, "DATASET.MODERATE_ABOVE", level.Error, "SEVERE_ABOVE, 3"},
		{[]string{"DATASET.SPLITS=train,train,valid"}, "DATASET.SPLITS", level.Error, "twice"},
		{[]string{"DATASET.SPLITS=train,test"}, "EVAL.SPLIT", level.Error, "reads only train, test"},
		{[]string{`DATASET.CONDITIONS=damaged,badly damaged`}, "DATASET.CONDITIONS", level.Info, "never matches"},
		{[]string{`DATASET.CONDITIONS=[""]`}, "DATASET.CONDITIONS", level.Error, "empty entry"},
		{[]string{"DATASET.DEFAULT_CONDITION="}, "DATASET.DEFAULT_CONDITION", level.Error, "is empty"},
		{[]string{"DATASET.PATH= "}, "DATASET.PATH", level.Error, "is empty"},
		{[]string{"MODEL.MIN_PIXELS=20000"}, "MODEL.MIN_PIXELS", level.Error, "MAX_PIXELS, 12544"},
		{[]string{"MODEL.MIN_PIXELS=400000", "MODEL.MAX_PIXELS=400000"}, "MODEL.MAX_LENGTH", level.Error,
			"at least 510 tokens"},
		{[]string{"MODEL.MAX_PIXELS=400000"}, "MODEL.MAX_LENGTH", level.Info, "510 tokens"},
		{[]string{"MODEL.MAX_PIXELS=9000000000000000000", "MODEL.MIN_PIXELS=9000000000000000000"}, "MODEL.MAX_PIXELS",
			level.Error, "at most"},
		{[]string{"MODEL.MAX_LENGTH=9000000000000000000"}, "MODEL.MAX_LENGTH", level.Error, "at most"},
		{[]string{"TRAIN.BATCH_SIZE=9223372036854775807"}, "TRAIN.BATCH_SIZE", level.Error, "samples a step"},
		{[]string{"TRAIN.BATCH_SIZE=1000000", "TRAIN.GRAD_ACCUM=2"}, "TRAIN.BATCH_SIZE", level.Error, "samples a step"},
		{[]string{"LORA.TARGETS="}, "LORA.TARGETS", level.Error, "nothing to train"},
		{[]string{"LORA.TARGETS=q_proj,q_proj"}, "LORA.TARGETS", level.Error, "twice"},
		{[]string{"LORA.ALPHA=0"}, "LORA.ALPHA", level.Error, "no effect"},
		{[]string{"TRAIN.LEARNING_RATE=0"}, "TRAIN.LEARNING_RATE", level.Info, "nothing will be learned"},
		{[]string{"TRAIN.WARMUP_RATIO=0.1"}, "TRAIN.WARMUP_RATIO", level.Info, "not used"},
		{[]string{"KEYS.a=x", "KEYS.b=x", "KEYS.c="}, "KEYS.b", level.Error, "already runs a"},
	}
	for _, c := range cases {
		f := load(t, "")
		if err := f.Override(c.set); err != nil {
			t.Fatal(err)
		}
		got := Validate(f.Config)
		if len(got) != 1 || got[0].Key != c.key || got[0].Level != c.level || !strings.Contains(got[0].Text, c.want) {
			t.Errorf("%v: %+v, want %s %s %q", c.set, got, c.key, c.level, c.want)
		}
	}
}

func TestWhatIsWellHasNoProblem(t *testing.T) {
	for _, set := range [][]string{
		{"DATASET.CONDITIONS=block,blocked"}, // whole words: neither hides the other
		{"DATASET.SPLITS=train,val"},         // EVAL.SPLIT is valid, by its other name
	} {
		f := load(t, "")
		if err := f.Override(set); err != nil {
			t.Fatal(err)
		}
		if got := Validate(f.Config); len(got) != 0 {
			t.Errorf("%v: %+v", set, got)
		}
	}
}

func TestFurtherDataSetMayBeTheSplit(t *testing.T) {
	f := load(t, "[DATASET]\nSPLITS = [\"train\", \"valid\"]\n[EVAL]\nSPLIT = \"balanced\"\nDATA = \"demo/balanced\"\n")
	if got := Validate(f.Config); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestErrorsComeBeforeNotes(t *testing.T) {
	f := load(t, "[DATASET]\nLEVEL_WITHIN = 0.9\n[LORA]\nALPHA = 0\n")
	got := Validate(f.Config)
	if len(got) != 2 || got[0].Level != level.Error || got[1].Level != level.Info {
		t.Errorf("%+v", got)
	}
}

func TestStepsAreCountedAsTransformersDoes(t *testing.T) {
	for _, c := range []struct {
		samples, epochs, batch, accum, warmup int
		ratio                                 float64
		want                                  Plan
	}{
		{1129, 6, 16, 1, 20, 0, Plan{16, 71, 426, 20}},
		{3881, 3, 1, 4, 50, 0, Plan{4, 971, 2913, 50}},
		{10, 2, 4, 2, 0, 0.1, Plan{8, 2, 4, 1}},
		{1, 1, 16, 8, 0, 0, Plan{128, 1, 1, 0}},
	} {
		tr := Train{Epochs: c.epochs, BatchSize: c.batch, GradAccum: c.accum, WarmupSteps: c.warmup,
			WarmupRatio: c.ratio}
		if got := PlanSteps(tr, c.samples); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c, got, c.want)
		}
	}
	tr := Default().Train
	if got := ValidateSteps(tr, 8); len(got) != 2 || got[0].Key != "TRAIN.WARMUP_STEPS" ||
		got[1].Key != "TRAIN.BATCH_SIZE" {
		t.Errorf("%+v", got)
	}
	if got := ValidateSteps(tr, 1129); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
