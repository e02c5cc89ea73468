package pixels

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"finetui/ml/wholefile"
)

// configJSON is the part of a preprocessor_config.json that decides about the rows. The limits stand at the top in the
// published files, in size in those that newer versions write; null means that the class's own value holds.
type configJSON struct {
	Patch     *int `json:"patch_size"`
	Merge     *int `json:"merge_size"`
	Temporal  *int `json:"temporal_patch_size"`
	MinPixels *int `json:"min_pixels"`
	MaxPixels *int `json:"max_pixels"`
	Size      *struct {
		ShortestEdge *int `json:"shortest_edge"`
		LongestEdge  *int `json:"longest_edge"`
		MinPixels    *int `json:"min_pixels"`
		MaxPixels    *int `json:"max_pixels"`
	} `json:"size"`
	Mean          []float32 `json:"image_mean"`
	Std           []float32 `json:"image_std"`
	Resample      *int      `json:"resample"`
	RescaleFactor *float64  `json:"rescale_factor"`
	DoResize      *bool     `json:"do_resize"`
	DoRescale     *bool     `json:"do_rescale"`
	DoNormalize   *bool     `json:"do_normalize"`
}

// LoadProcessor reads preprocessor_config.json of a model's folder, or image_processor in processor_config.json where
// only that is there. Fields that are absent keep the values of DefaultProcessor, and so does a folder with neither
// file. A rule that this package does not have is an error that names the field.
func LoadProcessor(dir string) (Processor, error) {
	path, text, err := processorFile(dir)
	var p Processor
	if err == nil {
		p, err = parseProcessor(text)
	}
	if err != nil {
		return Processor{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Limits are the least and most pixels of a picture that the file of LoadProcessor tells, whatever else it says; false
// where none is there, or it does not tell both.
func Limits(dir string) (least, most int, told bool) {
	_, text, err := processorFile(dir)
	var c configJSON
	if err != nil || json.Unmarshal(text, &c) != nil {
		return 0, 0, false
	}
	var p Processor
	c.limits(&p)
	return p.MinPixels, p.MaxPixels, p.MinPixels > 0 && p.MaxPixels > 0
}

// processorFile is what a folder's file says of pictures: an empty object where there is none.
func processorFile(dir string) (path string, text []byte, err error) {
	path = filepath.Join(dir, "preprocessor_config.json")
	if text, err = wholefile.Read(path, wholefile.Text); !errors.Is(err, fs.ErrNotExist) {
		return path, text, err
	}
	path = filepath.Join(dir, "processor_config.json")
	if text, err = wholefile.Read(path, wholefile.Text); err == nil {
		text, err = imageProcessor(text)
	} else if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("{}"), nil
	}
	return path, text, err
}

// parseProcessor reads the object that preprocessor_config.json is.
func parseProcessor(text []byte) (Processor, error) {
	p := DefaultProcessor()
	var c configJSON
	if err := json.Unmarshal(text, &c); err != nil {
		return Processor{}, err
	}
	return p, c.apply(&p)
}

// imageProcessor is the part of a processor_config.json that is about pictures; an empty object where there is none.
func imageProcessor(text []byte) ([]byte, error) {
	var whole struct {
		Image json.RawMessage `json:"image_processor"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	if whole.Image == nil {
		return []byte("{}"), nil
	}
	return whole.Image, nil
}

// put sets target to the last of the values that is there.
func put(target *int, values ...*int) {
	for _, v := range values {
		if v != nil {
			*target = *v
		}
	}
}

// limits puts the limits that the file tells over those of p.
func (c *configJSON) limits(p *Processor) {
	if s := c.Size; s != nil {
		put(&p.MinPixels, s.ShortestEdge, s.MinPixels)
		put(&p.MaxPixels, s.LongestEdge, s.MaxPixels)
	}
	put(&p.MinPixels, c.MinPixels)
	put(&p.MaxPixels, c.MaxPixels)
}

// apply puts what the file says over the values of p, and checks it.
func (c *configJSON) apply(p *Processor) error {
	put(&p.Patch, c.Patch)
	put(&p.Merge, c.Merge)
	put(&p.Temporal, c.Temporal)
	c.limits(p)
	for _, list := range []struct {
		name   string
		values []float32
		target *[3]float32
	}{{"image_mean", c.Mean, &p.Mean}, {"image_std", c.Std, &p.Std}} {
		if list.values == nil {
			continue
		}
		if len(list.values) != 3 {
			return fmt.Errorf("%s holds %d numbers, not one each for red, green and blue", list.name, len(list.values))
		}
		copy(list.target[:], list.values)
	}
	if err := c.checkRules(); err != nil {
		return err
	}
	return p.check()
}

// checkRules refuses what Rows does not do.
func (c *configJSON) checkRules() error {
	const bicubic = 3 // as Pillow numbers its filters
	if c.Resample != nil && *c.Resample != bicubic {
		return fmt.Errorf("resample is %d, only %d (bicubic) is known", *c.Resample, bicubic)
	}
	if c.RescaleFactor != nil && math.Abs(*c.RescaleFactor*255-1) > 1e-6 {
		return fmt.Errorf("rescale_factor is %g, only 1/255 is known", *c.RescaleFactor)
	}
	for _, flag := range []struct {
		name  string
		value *bool
	}{{"do_resize", c.DoResize}, {"do_rescale", c.DoRescale}, {"do_normalize", c.DoNormalize}} {
		if flag.value != nil && !*flag.value {
			return fmt.Errorf("%s is false, only true is known", flag.name)
		}
	}
	return nil
}

// The largest values that are taken. They are far above what models have, and keep the memory for one picture, which no
// other file bounds, within what a machine has.
const (
	mostSide   = 1024    // of patch_size, merge_size and temporal_patch_size
	mostUnit   = 4096    // pixels a side of what becomes one token
	mostRow    = 1 << 20 // values of a patch
	mostPixels = 1 << 24 // to which a smaller picture is brought
)

// check refuses values with which no rows could be made.
func (p Processor) check() error {
	for _, side := range []struct {
		name  string
		value int
	}{{"patch_size", p.Patch}, {"merge_size", p.Merge}, {"temporal_patch_size", p.Temporal}} {
		if side.value < 1 || side.value > mostSide {
			return fmt.Errorf("%s is %d, it must be from 1 to %d", side.name, side.value, mostSide)
		}
	}
	if unit := p.Patch * p.Merge; unit > mostUnit {
		return fmt.Errorf("patch_size %d and merge_size %d make %d pixels a side for one token, it must be %d at most",
			p.Patch, p.Merge, unit, mostUnit)
	}
	if p.RowSize() > mostRow {
		return fmt.Errorf("patch_size %d and temporal_patch_size %d make %d values a patch, it must be %d at most",
			p.Patch, p.Temporal, p.RowSize(), mostRow)
	}
	if p.MinPixels < 1 || p.MaxPixels < p.MinPixels {
		return fmt.Errorf("min_pixels %d and max_pixels %d are no range", p.MinPixels, p.MaxPixels)
	}
	if p.MinPixels > mostPixels {
		return fmt.Errorf("min_pixels is %d, it must be %d at most", p.MinPixels, mostPixels)
	}
	return p.checkLevels()
}

// checkLevels refuses a mean and deviation that make no number of a pixel.
func (p Processor) checkLevels() error {
	for _, sd := range p.Std {
		if !(sd > 0) {
			return fmt.Errorf("image_std holds %g, it must be above 0", sd)
		}
	}
	for channel, levels := range p.levels() {
		for _, v := range []float32{levels[0], levels[255]} { // the others lie between them
			if math.IsInf(float64(v), 0) {
				return fmt.Errorf("image_mean holds %g and image_std %g: pixels over them are no numbers",
					p.Mean[channel], p.Std[channel])
			}
		}
	}
	return nil
}
