package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"finetui/core/dataset"
	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// Schema is the version of dataset_analysis.json.
const Schema = 1

// WriteJSON writes the analysis as dataset_analysis.json: the same analysis gives the same bytes, and a reader never
// finds half a file.
func (a *Analysis) WriteJSON(path string) error {
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := disk.OwnJSON(path, "schema", "class_counts"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("the folder of %s cannot be made: %w", path, err)
	}
	return wholefile.Write(path, append(text, '\n'))
}

// MarshalJSON gives the analysis the keys of dataset_analysis.json.
func (a *Analysis) MarshalJSON() ([]byte, error) {
	classes := make([]classJSON, len(a.Classes))
	for i, class := range a.Classes {
		classes[i] = classJSON{class.Name, class.Object, class.Condition}
	}
	splitCounts, splits := object{}, object{}
	for _, part := range a.Splits {
		splitCounts = append(splitCounts, member{part.Split, byClass(a.Classes, part.ClassCounts)})
		splits = append(splits, member{part.Split, a.part(part)})
	}
	findings := a.Causes
	if findings == nil {
		findings = []dataset.Cause{}
	}
	whole := append(object{
		{"schema", Schema},
		{"classes", classes},
		{"split_counts", splitCounts},
		{"label_rows", object{{"all", a.Rows}, {"lost", a.Lost}, {"note", a.Incomplete()}}},
	}, a.part(a.Whole)...)
	if len(a.Sets) > 0 {
		whole = append(whole, member{"sets", a.Sets})
	}
	return json.Marshal(append(whole, member{"splits", splits}, member{"findings", findings}))
}

// part is what is written of the whole and of each split.
func (a *Analysis) part(p Part) object {
	positions := object{}
	for i, class := range a.Classes {
		positions = append(positions, member{class.Name, positionOf(p.Positions[i])})
	}
	all := object{
		{"images", p.Images},
		{"images_with_objects", p.ImagesWithObjects},
		{"total_instances", p.Objects},
		{"class_counts", byClass(a.Classes, p.ClassCounts)},
		{"images_with_class", byClass(a.Classes, p.ImagesWithClass)},
		{"condition_distribution", byName(p.Conditions)},
		{"object_type_distribution", byName(p.ObjectTypes)},
		{"imbalance", a.imbalance(p.Imbalance)},
		{"instances_per_image", summaryOf(p.PerImageWithObjects, "images with objects")},
		{"instances_per_image_all", summaryOf(p.PerImage, "all images")},
		{"image_resolution", resolutionOf(p.Resolution)},
		{"positions", positions},
		{"spatial_relationships_count", p.Pairs},
		{"relation_totals", directionsOf(p.RelationTotals)},
		{"relations", a.relations(p.Relations)},
		{"cooccurrence", a.cooccurrence(p.Cooccurrence)},
	}
	if p.Clips != nil {
		all = append(all, member{"clips", p.Clips.object(a.Classes)})
	}
	return all
}

func (a *Analysis) imbalance(b Imbalance) object {
	most, least, overAll := any(nil), any(nil), any(nil)
	if b.Most >= 0 {
		most, least = a.Classes[b.Most].Name, a.Classes[b.Least].Name
	}
	if ratio, defined := b.OverAll(); defined {
		overAll = finite(ratio)
	}
	absent := make([]string, len(b.Absent))
	for i, class := range b.Absent {
		absent[i] = a.Classes[class].Name
	}
	ratio := any(nil)
	if b.Most >= 0 {
		ratio = finite(b.Ratio)
	}
	return object{
		{"ratio", ratio}, {"most", most}, {"least", least}, {"level", b.Level},
		{"over", "classes with objects"}, {"ratio_over_all_classes", overAll}, {"classes_without_objects", absent},
	}
}

func (a *Analysis) relations(all []Relation) []object {
	rows := make([]object, len(all))
	for i, r := range all {
		rows[i] = append(object{{"A", a.Classes[r.A].Name}, {"B", a.Classes[r.B].Name}}, directionsOf(r.Directions)...)
	}
	return rows
}

func (a *Analysis) cooccurrence(all []Cooccurrence) []object {
	rows := make([]object, len(all))
	for i, c := range all {
		lift := any(nil)
		if c.Lifted {
			lift = finite(c.Lift)
		}
		rows[i] = object{
			{"a", a.Classes[c.A].Name}, {"b", a.Classes[c.B].Name},
			{"pairs", c.Pairs}, {"images", c.Images}, {"share_of_images", finite(c.Share)}, {"lift", lift},
		}
	}
	return rows
}

func directionsOf(d Directions) object {
	return object{
		{"above", d.Above}, {"below", d.Below}, {"level", d.Level},
		{"left", d.Left}, {"right", d.Right}, {"aligned", d.Aligned},
	}
}

func summaryOf(s Summary, over string) object {
	if s.N == 0 {
		return object{{"n", 0}, {"mean", nil}, {"std", nil}, {"min", nil}, {"max", nil}, {"over", over}}
	}
	return object{{"n", s.N}, {"mean", finite(s.Mean)}, {"std", finite(s.SD)}, {"min", s.Min}, {"max", s.Max},
		{"over", over}}
}

func resolutionOf(r Resolution) object {
	distinct := make([]object, len(r.Distinct))
	for i, size := range r.Distinct {
		distinct[i] = object{{"width", size.Width}, {"height", size.Height}, {"n", size.N}}
	}
	if r.N == 0 {
		return object{{"n", 0}, {"mean_width", nil}, {"mean_height", nil}, {"distinct", distinct}}
	}
	return object{{"n", r.N}, {"mean_width", finite(r.MeanWidth)}, {"mean_height", finite(r.MeanHeight)},
		{"distinct", distinct}}
}

// positionOf is null for a class without an object.
func positionOf(p Position) any {
	if p.N == 0 {
		return nil
	}
	return object{
		{"n", p.N}, {"mean", finite(p.Mean)}, {"std", finite(p.SD)}, {"min", finite(p.Min)},
		{"q25", finite(p.Q25)}, {"q50", finite(p.Q50)}, {"q75", finite(p.Q75)}, {"max", finite(p.Max)},
		{"histogram", p.Histogram}, {"band", p.Band},
	}
}

func byClass(classes []dataset.Class, counts []int) object {
	all := make(object, len(classes))
	for i, class := range classes {
		all[i] = member{class.Name, counts[i]}
	}
	return all
}

func byName(counts []Count) object {
	all := make(object, len(counts))
	for i, count := range counts {
		all[i] = member{count.Name, count.N}
	}
	return all
}

type classJSON struct {
	Name      string `json:"name"`
	Object    string `json:"object"`
	Condition string `json:"condition"`
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			text.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
		text.Write(key)
		text.WriteByte(':')
		text.Write(value)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// finite is a number, or null for one that JSON cannot write.
func finite(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}
