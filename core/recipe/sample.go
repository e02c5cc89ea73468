package recipe

import (
	"iter"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
)

// Sample is one question about one object, and its answer.
type Sample struct {
	ID        string        // "split/name#object", the object counted from 0
	Item      *dataset.Item // the picture and everything labelled in it
	Object    int           // index into Item.Objects
	Class     int           // index into the closed list
	Condition string
	Context   config.Context // what the model is shown: full, marked, crop, full+crop
	Prompt    string         // the user turn, without the picture
	Answer    string         // the class name exactly as the data set spells it, or the object's own text
	// in the training loss, mean 1 over an epoch; outside train 1: scores and validation losses are never weighted
	Weight float64
	told   bool // Told
	phrase int  // the number of the prompt in an Each; 0 where it is of none
}

// Box is where the object lies in its picture.
func (s Sample) Box() dataset.Box { return s.Item.Objects[s.Object].Box }

// Told says that the answer is the data set's own words, and no name of its closed list.
func (s Sample) Told() bool { return s.told }

// Line is the object's line in the label file; 0 where the format has none.
func (s Sample) Line() int { return s.Item.Objects[s.Object].Line }

// Samples returns one sample for each object of a split ("" means every split), in the order of the data set.
func (r *Recipe) Samples(split string) []Sample {
	var out []Sample
	for i := range r.data.Items {
		it := &r.data.Items[i]
		if split != "" && it.Split != split {
			continue
		}
		for o := range it.Objects {
			out = append(out, r.sample(i, o))
		}
	}
	return out
}

// Each goes through the samples of a split ("" means every split) as Samples returns them, and keeps none: they have no
// ID, and equal prompts are one text.
func (r *Recipe) Each(split string) iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		known := newPhrases()
		for i := range r.data.Items {
			it := &r.data.Items[i]
			if split != "" && it.Split != split {
				continue
			}
			for o := range it.Objects {
				if !yield(r.unnamed(i, o, known)) {
					return
				}
			}
		}
	}
}

// Sample returns the sample of one object; false where the data set has no such object.
func (r *Recipe) Sample(ref dataset.Ref) (Sample, bool) {
	if ref.Item < 0 || ref.Item >= len(r.data.Items) || ref.Object < 0 ||
		ref.Object >= len(r.data.Items[ref.Item].Objects) {
		return Sample{}, false
	}
	return r.sample(ref.Item, ref.Object), true
}

func (r *Recipe) sample(item, object int) Sample {
	s := r.unnamed(item, object, nil)
	s.ID = s.id()
	return s
}

// id is the sample's ID, which those of Each do not carry: there are very many.
func (s Sample) id() string { return dataset.ObjectID(s.Item.ID, s.Object) }

// exercise stands in CONVERT.USER_PROMPT_TEMPLATE for the class.
const exercise = "{exercise}"

// unknown stands in the question about a file for the exercise that nobody has told.
const unknown = "exercise"

// fileQuestion is that of the first sample which is asked for words of its own, without its class; usual where there is
// none.
func (r *Recipe) fileQuestion(usual string) string {
	for i := range r.data.Items {
		for _, o := range r.data.Items[i].Objects {
			if o.Text == nil || o.Text.Question != "" {
				continue
			}
			if !dataset.SameExercise(o.Text.Answer, r.Classes[o.Class].Name) {
				return r.asked(&dataset.Text{}, unknown, usual)
			}
		}
	}
	return usual
}

// asked is the question about an object that has an answer of its own: its own, or else that of
// CONVERT.USER_PROMPT_TEMPLATE, so that training here and in other programs ask alike. An exercise that is all there is
// to answer is not told.
func (r *Recipe) asked(text *dataset.Text, class, usual string) string {
	template := r.cfg.Convert.UserPromptTemplate
	question := strings.ReplaceAll(template, exercise, class)
	switch {
	case text.Question != "":
		return text.Question
	case template == "" || strings.ContainsAny(strings.ReplaceAll(template, exercise, ""), "{}"):
		return usual // what takes more than the class is the converter's
	case dataset.SameExercise(text.Answer, class):
		return usual
	}
	return question
}

// unnamed is a sample without its ID. Its prompt is one of known, where that is not nil.
func (r *Recipe) unnamed(item, object int, known *phrases) Sample {
	it := &r.data.Items[item]
	class := it.Objects[object].Class
	s := Sample{
		Item:      it,
		Object:    object,
		Class:     class,
		Condition: r.Classes[class].Condition,
		Context:   r.cfg.Recipe.Context,
		Answer:    r.Classes[class].Name,
	}
	var asks phrase
	if known != nil {
		asks = known.of(r, it, object)
	} else {
		asks.text = string(r.appendPrompt(nil, it, object))
	}
	if text := it.Objects[object].Text; text != nil {
		s.Answer, s.told = text.Answer, text.Answer != s.Answer
		if own := r.asked(text, r.Classes[class].Name, asks.text); own != asks.text {
			if asks = (phrase{text: own}); known != nil {
				asks = known.saying(own)
			}
		}
	}
	s.Prompt, s.phrase = asks.text, asks.number
	s.Weight = r.lossWeight(it.Split, class)
	return s
}

// LossWeight is the weight of one object's sample.
func (r *Recipe) LossWeight(ref dataset.Ref) float64 {
	it := &r.data.Items[ref.Item]
	return r.lossWeight(it.Split, it.Objects[ref.Object].Class)
}

func (r *Recipe) lossWeight(split string, class int) float64 {
	if split == trainSplit && r.lossWeights[class].Defined() {
		return float64(r.lossWeights[class])
	}
	return 1
}
