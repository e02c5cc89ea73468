// Package integrate joins two stages: what a detector found in each picture, and what condition the model sees it in.
// It detects nothing itself.
package integrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/wholefile"
)

// Schema is the version of integration_results.json.
const Schema = 1

// Results is integration_results.json.
type Results struct {
	Schema     int     `json:"schema"`
	Subject    string  `json:"subject"`
	Split      string  `json:"split"`
	Detections string  `json:"detections"` // folder of the predictions, or "ground truth"
	Images     []Image `json:"images"`
}

// Image is one picture with what both stages say of it.
type Image struct {
	Image           string           `json:"image"`
	Detections      []Detection      `json:"detections"`
	Classifications []Classification `json:"classifications"`
	Error           string           `json:"error,omitempty"` // why nothing could be classified
}

// Detection is one object as stage 1 reports it. The box is x0, y0, x1, y1 in shares of the picture's width and height.
type Detection struct {
	Class      string     `json:"class"`
	Confidence float64    `json:"confidence"`
	Box        [4]float64 `json:"bbox"`
}

// Classification is what stage 2 makes of a detection. An answer that names no class is an error.
type Classification struct {
	Stage1Class      string     `json:"stage1_class"`
	Stage1Confidence float64    `json:"stage1_confidence"`
	Stage2Class      string     `json:"stage2_class"`
	Box              [4]float64 `json:"bbox"`
	Error            string     `json:"error,omitempty"`
}

// groundTruth stands for the folder of predictions where the labels are taken in their place.
const groundTruth = "ground truth"

// Run classifies every detection in a split. Detections come from EVAL.DETECTIONS, a folder with one file of YOLO
// predictions for each picture, or, where that is empty, from the labels. Of a detection's class the model is told the
// object type at most, never the condition. Findings are rows of predictions that do not count.
func Run(ctx context.Context, p *project.Project, subject *model.Subject, name string,
	report project.Progress) (*Results, []dataset.Finding, error) {
	split, folder := p.Config.Eval.Split, p.Config.Eval.Detections
	out := &Results{Schema: Schema, Subject: name, Split: split, Detections: groundTruth, Images: []Image{}}
	data := *p.Data
	data.Items = append([]dataset.Item(nil), p.Data.Items...)
	var findings []dataset.Finding
	if folder != "" {
		out.Detections = folder
		var err error
		if findings, err = detect(&data, split, p.File.Abs(folder)); err != nil {
			return nil, nil, err
		}
	}
	seen := *p
	seen.Data, seen.Recipe = &data, p.Recipe.On(&data) // what a prompt tells is still what the labels of train say
	samples, places := lay(out, &data, seen.Recipe, split)
	if len(out.Images) == 0 {
		return nil, findings, p.NoSplit(split)
	}
	replies, err := seen.Ask(ctx, subject, samples, report)
	if err != nil {
		return nil, findings, err
	}
	parser := eval.NewParser(p.Recipe.Classes)
	for i, r := range replies {
		at := places[i]
		c := &out.Images[at[0]].Classifications[at[1]]
		if class := parser.Parse(r.Text); class != eval.Unparsed {
			c.Stage2Class = p.Recipe.Classes[class].Name
		} else {
			c.Error = fmt.Sprintf("the answer %q names no class", r.Text)
		}
	}
	return out, findings, nil
}

// detect puts predictions in the place of a split's labels. A picture without a file of predictions has no detections;
// a folder without one for any picture is another split's, or no detector's.
func detect(data *dataset.Dataset, split, folder string) (findings []dataset.Finding, err error) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, &config.Unusable{Key: "EVAL.DETECTIONS", Text: "there is no folder " + folder}
	}
	pictures, missing, example := 0, 0, ""
	for i := range data.Items {
		item := &data.Items[i]
		if item.Split != split {
			continue
		}
		pictures++
		path := filepath.Join(folder, strings.TrimSuffix(filepath.Base(item.Media), filepath.Ext(item.Media))+".txt")
		objects, found, err := dataset.ReadPredictions(path, data.Classes)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing++
			example = path
		case err != nil:
			return nil, err
		}
		item.Objects, item.Labels = objects, path
		findings = append(findings, found...)
	}
	if pictures > 0 && missing == pictures {
		return nil, &config.Unusable{Key: "EVAL.DETECTIONS",
			Text: fmt.Sprintf("%s has predictions for none of the %d pictures of %s; they are looked for as %s", folder,
				pictures, split, filepath.Base(example))}
	}
	return findings, nil
}

// lay lists the pictures of a split with their detections, the samples that can be asked about, and where each one's
// answer belongs.
func lay(out *Results, data *dataset.Dataset, r *recipe.Recipe, split string) (samples []recipe.Sample,
	places [][2]int) {
	for i := range data.Items {
		item := &data.Items[i]
		if item.Split != split {
			continue
		}
		image := Image{Image: item.Media, Detections: []Detection{}, Classifications: []Classification{}}
		if image.Image == "" {
			image.Image, image.Error = item.ID, "its picture is missing"
		} else if item.Broken {
			image.Error = "its picture cannot be decoded"
		}
		for k, o := range item.Objects {
			d := Detection{data.Classes[o.Class].Name, o.Confidence, [4]float64{o.Box.X0, o.Box.Y0, o.Box.X1, o.Box.Y1}}
			image.Detections = append(image.Detections, d)
			c := Classification{Stage1Class: d.Class, Stage1Confidence: d.Confidence, Box: d.Box, Error: image.Error}
			if s, ok := r.Sample(dataset.Ref{Item: i, Object: k}); ok && image.Error == "" {
				samples, places = append(samples, s),
					append(places, [2]int{len(out.Images), len(image.Classifications)})
			}
			image.Classifications = append(image.Classifications, c)
		}
		out.Images = append(out.Images, image)
	}
	return samples, places
}

// Write stores the results.
func (r *Results) Write(path string) error {
	if err := disk.OwnJSON(path, "schema", "detections"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(path, append(data, '\n'))
}
