package convert

import "strings"

// What transformers' Trainer calls by the same names in all trainers that are built on it.
func (s *setup) trainer() {
	t := s.w.p.Config.Train
	s.optimizing("num_train_epochs", "lr_scheduler_type", "optim", "per_device_train_batch_size",
		"per_device_eval_batch_size")
	s.set("max_grad_norm", t.MaxGradNorm)
	s.running()
	s.set("save_total_limit", s.checkpoints)
}

// optimizing is where a trainer writes, and its course of steps; the names are those that trainers do not share.
func (s *setup) optimizing(epochs, scheduler, optimizer string, batches ...string) {
	t := s.w.p.Config.Train
	s.set("output_dir", "runs")
	s.set("seed", s.w.p.Config.Project.Seed)
	s.explain(epochs, s.epochs, s.epochsText())
	for _, name := range batches {
		s.set(name, t.BatchSize)
	}
	s.explain("gradient_accumulation_steps", t.GradAccum, "on one GPU; on several divide it by their number")
	s.set("learning_rate", t.LearningRate)
	s.set(scheduler, s.schedule)
	s.set("warmup_steps", s.warmup)
	s.set(optimizer, "adamw_torch")
	s.set("adam_beta1", 0.9)
	s.set("adam_beta2", 0.999)
	s.set("adam_epsilon", 0.00000001)
	s.set("weight_decay", t.WeightDecay)
}

// running is how a step is computed, and how often is reported and saved.
func (s *setup) running() {
	t := s.w.p.Config.Train
	s.set("gradient_checkpointing", t.Checkpointing)
	s.explain("bf16", true, "false on a GPU without bfloat16, and on a CPU")
	s.set("logging_steps", t.LogEvery)
	s.saves()
}

// epochsText says why the epochs are not those of TRAIN.EPOCHS.
func (s *setup) epochsText() string {
	if s.epochs == float64(s.w.p.Config.Train.Epochs) {
		return ""
	}
	return "so many steps as TRAIN.EPOCHS means: the file of train holds copies"
}

// saves are when checkpoints are written.
func (s *setup) saves() {
	if n := s.w.p.Config.Train.SaveEvery; n > 0 {
		s.set("save_strategy", "steps")
		s.set("save_steps", n)
	} else {
		s.set("save_strategy", "epoch")
	}
}

// evals are when the loss on valid is measured.
func (s *setup) evals() {
	switch n := s.w.p.Config.Train.EvalEvery; {
	case s.valid == "":
		s.set("eval_strategy", "no")
	case n > 0:
		s.set("eval_strategy", "steps")
		s.set("eval_steps", n)
	default:
		s.set("eval_strategy", "epoch")
	}
}

// pixels says that the trainer takes the sizes of pictures from the base.
func (s *setup) pixels() {
	m := s.w.p.Config.Model
	s.lose("MODEL.MIN_PIXELS = %d and MAX_PIXELS = %d: %s takes those of preprocessor_config.json in the base's "+
		"folder; write them there", m.MinPixels, m.MaxPixels, s.w.d.trainer)
}

func llamaFactorySettings(s *setup) {
	c := s.w.p.Config
	s.set("model_name_or_path", s.base)
	if s.revision != "" {
		s.set("model_revision", s.revision)
	}
	s.set("image_min_pixels", c.Model.MinPixels)
	s.set("image_max_pixels", c.Model.MaxPixels)
	if s.w.shows(true) {
		s.set("video_maxlen", c.Model.Frames)
	}
	s.set("stage", "sft")
	s.set("do_train", true)
	s.set("finetuning_type", "lora")
	s.set("lora_rank", c.LoRA.R)
	s.set("lora_alpha", s.whole("LORA.ALPHA", c.LoRA.Alpha))
	s.set("lora_dropout", c.LoRA.Dropout)
	s.set("lora_target", strings.Join(c.LoRA.Targets, ","))
	s.set("use_rslora", c.LoRA.RSLoRA)
	s.set("freeze_vision_tower", !s.towers)
	s.set("freeze_multi_modal_projector", !s.towers)
	s.set("dataset_dir", "./")
	s.set("dataset", entryName(c.Project.Name, "train"))
	if s.valid != "" {
		s.set("eval_dataset", entryName(c.Project.Name, "valid"))
	}
	s.set("template", "qwen2_vl")
	s.set("cutoff_len", c.Model.MaxLength)
	s.set("overwrite_cache", true)
	s.trainer()
	s.evals()
	s.set("report_to", "none")
	s.call("llamafactory-cli train " + settingsFile)
}

func msSwiftSettings(s *setup) {
	c := s.w.p.Config
	s.set("model", s.base)
	if s.revision != "" {
		s.set("model_revision", s.revision)
	}
	s.explain("model_type", "qwen2_vl", "pip install qwen-vl-utils; unnamed it is guessed from the folder's name, in vain")
	s.set("template", "qwen2_vl")
	s.explain("use_hf", true, "a name is one of Hugging Face's hub, not ModelScope's")
	s.explain("tuner_type", "lora", "train_type before ms-swift 4")
	s.set("lora_rank", c.LoRA.R)
	s.set("lora_alpha", c.LoRA.Alpha)
	s.set("lora_dropout", c.LoRA.Dropout)
	s.set("target_modules", []string(c.LoRA.Targets))
	s.set("use_rslora", c.LoRA.RSLoRA)
	s.set("freeze_vit", !s.towers)
	s.set("freeze_aligner", !s.towers)
	s.set("dataset", []string{s.train})
	if s.valid != "" {
		s.set("val_dataset", []string{s.valid})
	}
	s.set("split_dataset_ratio", 0.0)
	s.explain("strict", true, "else broken rows are replaced by random ones")
	s.set("max_length", c.Model.MaxLength)
	s.set("truncation_strategy", "delete")
	if s.weighted {
		s.explain("is_binary_loss_scale", false, "else the weights of the rows are ignored")
	}
	s.explain("enable_channel_loss", true, "the loss of each class")
	s.set("torch_dtype", "bfloat16")
	s.trainer()
	s.evals()
	s.set("report_to", "none")
	s.group("ENV")
	s.set("  ROOT_IMAGE_DIR", "./")
	s.set("  MIN_PIXELS", c.Model.MinPixels)
	s.set("  MAX_PIXELS", c.Model.MaxPixels)
	if s.w.shows(true) {
		s.set("  FPS_MAX_FRAMES", c.Model.Frames)
	}
	s.call("swift sft " + settingsFile)
}

func trlSettings(s *setup) {
	c := s.w.p.Config
	s.set("model_name_or_path", s.base)
	if s.revision != "" {
		s.set("model_revision", s.revision)
	}
	s.set("dtype", "bfloat16")
	s.group("datasets")
	s.set("  - path", "json")
	s.set("    data_files", s.train)
	s.set("    split", "train")
	s.set("use_peft", true)
	s.set("lora_r", c.LoRA.R)
	s.set("lora_alpha", s.whole("LORA.ALPHA", c.LoRA.Alpha))
	s.set("lora_dropout", c.LoRA.Dropout)
	s.set("lora_target_modules", []string(c.LoRA.Targets))
	s.set("use_rslora", c.LoRA.RSLoRA)
	s.explain("max_length", nil, "a limit would cut the pads of pictures off")
	s.set("completion_only_loss", true)
	s.trainer()
	s.set("eval_strategy", "no")
	s.set("report_to", "none")
	s.pixels()
	s.lose("MODEL.MAX_LENGTH = %d: TRL would cut pictures off; longer samples take more memory", c.Model.MaxLength)
	if s.valid != "" {
		s.lose("%s: trl sft takes no file to validate on beside that of train; score its checkpoints with finetui eval "+
			"FOLDER", s.valid)
	}
	s.call("trl sft --config " + settingsFile)
}

func axolotlSettings(s *setup) {
	c := s.w.p.Config
	s.set("base_model", s.base)
	if s.revision != "" {
		s.set("revision_of_model", s.revision)
	}
	s.set("processor_type", "AutoProcessor")
	s.group("processor_kwargs")
	s.set("  min_pixels", c.Model.MinPixels)
	s.set("  max_pixels", c.Model.MaxPixels)
	s.set("chat_template", "qwen2_vl")
	data := func(key, file string) {
		s.group(key)
		s.set("  - path", file)
		s.set("    ds_type", "json")
		s.set("    split", "train")
		s.set("    type", "chat_template")
		s.set("    field_messages", "messages")
	}
	data("datasets", s.train)
	if s.valid != "" {
		data("test_datasets", s.valid)
	}
	s.set("skip_prepare_dataset", true)
	s.set("remove_unused_columns", false)
	s.set("sample_packing", false)
	s.set("sequence_len", c.Model.MaxLength)
	s.set("adapter", "lora")
	s.set("lora_r", c.LoRA.R)
	s.set("lora_alpha", s.whole("LORA.ALPHA", c.LoRA.Alpha))
	s.set("lora_dropout", c.LoRA.Dropout)
	s.set("lora_target_modules", []string(c.LoRA.Targets))
	s.set("peft_use_rslora", c.LoRA.RSLoRA)
	s.explain("lora_mlp_kernel", false,
		"axolotl turns its kernels on unasked, and has no attention of Qwen2-VL's for them")
	s.set("lora_qkv_kernel", false)
	s.set("lora_o_kernel", false)
	s.optimizing("num_epochs", "lr_scheduler", "optimizer", "micro_batch_size")
	if n := c.Train.MaxGradNorm; n > 0 {
		s.set("max_grad_norm", n)
	}
	s.running()
	if s.valid != "" {
		s.evals()
	}
	s.set("save_total_limit", s.checkpoints)
	s.call("axolotl train " + settingsFile)
}
