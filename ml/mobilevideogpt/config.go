package mobilevideogpt

import (
	"bytes"
	"encoding/json"
	"fmt"

	"finetui/ml/clip"
	"finetui/ml/qwen2"
	"finetui/ml/videomamba"
)

// ModelType is what config.json calls the model.
const ModelType = "MobileVideoGPT_qwen"

// How a clip is cut. The published weights know no other way.
const (
	Frames    = 16 // of a clip
	Chunk     = 8  // frames among which some are chosen
	imageGrid = 12 // places a side that the image projector gives a frame
	videoGrid = 7  // and the video projector a chunk
)

// Config says what the model is made of.
type Config struct {
	Text  qwen2.Config
	Image clip.Config
	Video videomamba.Config

	TopK   bool // the frames that receive the most attention are chosen, else those that receive the least
	Select int  // of each chunk

	ImageTower, VideoTower string // what config.json calls the encoders: folders, files, or names on the hub
}

// fields are the keys of config.json beside the language model's.
type fields struct {
	ModelType   string          `json:"model_type"`
	ImageTower  string          `json:"image_mm_vision_tower"`
	VideoTower  string          `json:"mm_vision_tower"`
	Layer       *int            `json:"mm_vision_select_layer"`
	Feature     string          `json:"mm_vision_select_feature"`
	Projector   string          `json:"mm_projector_type"`
	ImageProj   string          `json:"image_mm_projector_type"`
	TopK        json.RawMessage `json:"topk"`
	Select      *int            `json:"num_select_k_frames_in_chunk"`
	UseStartEnd bool            `json:"mm_use_im_start_end"`
}

// ParseConfig reads a config.json. The encoders are those that were published, until WithTowers reads their own sizes.
// What the original does not save (topk) is as it trains: on, 4 of a chunk. Widths that config.json says of the
// encoders are passed over: the original leaves one at the other's.
func ParseConfig(data []byte) (Config, error) {
	var f fields
	if err := json.Unmarshal(data, &f); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	if f.ModelType != ModelType {
		return Config{}, fmt.Errorf("config.json: model_type is %q; this is the code of %s", f.ModelType, ModelType)
	}
	text, err := qwen2.ParseConfig(data)
	if err != nil {
		return Config{}, err
	}
	c := Config{Text: text, Image: clip.Published(), Video: videomamba.Published(), TopK: true, Select: 4,
		ImageTower: f.ImageTower, VideoTower: f.VideoTower}
	if f.Layer != nil {
		c.Image.Layer = *f.Layer
	}
	if f.Select != nil {
		c.Select = *f.Select
	}
	if c.TopK, err = isOn(f.TopK); err != nil {
		return Config{}, err
	}
	for _, choice := range []struct{ key, value, want string }{{"mm_vision_select_feature", f.Feature, "patch"},
		{"mm_projector_type", f.Projector, "etp"}, {"image_mm_projector_type", f.ImageProj, "etp"}} {
		if choice.value != "" && choice.value != choice.want {
			return Config{}, fmt.Errorf("config.json: %s is %q; this architecture has %q", choice.key, choice.value,
				choice.want)
		}
	}
	if f.UseStartEnd {
		return Config{}, fmt.Errorf("config.json: mm_use_im_start_end is true; clips stand alone here, which is " +
			"another model")
	}
	return c, c.Check()
}

// isOn reads a switch that may be absent, which is on, or a text, as arguments of Python programs are.
func isOn(raw json.RawMessage) (bool, error) {
	switch string(bytes.ToLower(bytes.Trim(raw, `"`))) {
	case "", "null", "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("config.json: topk is %s: it is true or false", raw)
}

// Check refuses parts that do not fit together.
func (c Config) Check() error {
	if err := c.Image.Check(); err != nil {
		return fmt.Errorf("the image encoder: %w", err)
	}
	if err := c.Video.Check(); err != nil {
		return err
	}
	side := c.Image.Side / c.Image.Patch
	switch {
	case c.Select < 1 || c.Select > Chunk:
		return fmt.Errorf("config.json: num_select_k_frames_in_chunk is %d: it is from 1 to %d", c.Select, Chunk)
	case c.Select*(Frames/Chunk) != c.Video.Frames:
		return fmt.Errorf("config.json: num_select_k_frames_in_chunk is %d, but the video encoder reads clips of %d "+
			"frames: it is %d", c.Select, c.Video.Frames, c.Video.Frames*Chunk/Frames)
	case side < imageGrid:
		return fmt.Errorf("the image encoder gives %d×%d places, of which none become %d×%d", side, side, imageGrid,
			imageGrid)
	case c.videoSide()*c.videoSide() != c.Select*videoGrid*videoGrid:
		return fmt.Errorf("num_select_k_frames_in_chunk is %d: %d places of %d frames are no square", c.Select,
			videoGrid*videoGrid, c.Select)
	}
	return nil
}

// videoSide is the side of the map that the video projector reads: of the chosen frames of a chunk, 7×7 places each.
func (c Config) videoSide() int {
	side := 1
	for side*side < c.Select*videoGrid*videoGrid {
		side++
	}
	return side
}

// Tokens is the number of places that a clip takes in the language model, or a picture: 2402 and 144.
func (c Config) Tokens(clip bool) int {
	if !clip {
		return imageGrid * imageGrid
	}
	return Frames*imageGrid*imageGrid + Frames/Chunk*videoGrid*videoGrid
}

// Rows is the number of rows that the encoders work on for a clip, or for a picture.
func (c Config) Rows(clip bool) int {
	if !clip {
		return 1 + c.Image.Patches()
	}
	return Frames*(1+c.Image.Patches()) + 1 + c.Video.Frames*c.Video.Patches()
}

// WriteConfig is config.json of a run: the base's, with what the original does not save, and the projectors' rate.
func (c Config) WriteConfig(base []byte, projectorRate float64) ([]byte, error) {
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(base))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	all["topk"], all["num_select_k_frames_in_chunk"] = c.TopK, c.Select
	if projectorRate > 0 {
		all["mm_projector_lr"] = projectorRate
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(all) // sorts the keys
	return out.Bytes(), err
}
