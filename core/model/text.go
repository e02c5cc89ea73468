package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/chat"
)

// parseConfig reads a config.json of Qwen2-VL, or of a Qwen2 or Qwen2.5 that knows text only: then there is no tower.
func parseConfig(data []byte) (qwen2vl.Config, error) {
	var f struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return qwen2vl.Config{}, fmt.Errorf("config.json: %w", err)
	}
	switch f.ModelType {
	case "qwen2_vl":
		return qwen2vl.ParseConfig(data)
	case "qwen2":
		text, err := qwen2.ParseConfig(data)
		return qwen2vl.Config{Text: text, ImageToken: -1, VideoToken: -1, VisionStart: -1, VisionEnd: -1}, err
	}
	return qwen2vl.Config{}, fmt.Errorf("config.json: model_type is %q; supported are qwen2_vl (Qwen2-VL) and, for "+
		"questions without a picture, qwen2 (Qwen2, Qwen2.5)", f.ModelType)
}

// Sees says whether the base has a vision tower.
func (b *Base) Sees() bool { return b.Config.Vision.Depth > 0 }

// ErrBlind is the error of whatever shows a picture to a base without a vision tower.
var ErrBlind = errors.New("it is a language model without a vision tower (model_type qwen2): it can be asked " +
	"without a picture (finetui infer base - PROMPT), but data sets of pictures need a qwen2_vl")

// checkSight is ErrBlind for a base that cannot take so many pictures.
func (b *Base) checkSight(pictures int) error {
	if pictures > 0 && !b.Sees() {
		return fmt.Errorf("MODEL.BASE = %q: %w", b.Name, ErrBlind)
	}
	return nil
}

// readSystem is the system text of a language model's own template: Qwen2.5 has another one than Qwen2.
func readSystem(dir string) (string, error) {
	for _, name := range []string{"tokenizer_config.json", "chat_template.jinja"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if strings.Contains(string(data), chat.SystemQwen25) {
			return chat.SystemQwen25, nil
		}
	}
	return "", nil
}
