package recipe

import (
	"fmt"
	"regexp"
	"strconv"
	"unicode"

	"finetui/core/dataset"
	"finetui/core/level"
)

// control are texts that are no words to a model or a trainer: the tokens that Qwen2-VL's chat is made of, all spelled
// <|so|>, and the marks that trainers put in the place of a file.
var control = regexp.MustCompile(`<\|[^<>|\n]*\|>|<(?:image|video|audio)>`)

// ControlToken is the first such text in what a sample says, empty where there is none. In a class name or a prompt it
// would end a turn, or stand for a picture that is not there.
func ControlToken(text string) string { return control.FindString(text) }

// lintNames finds class names that are not one line of plain text.
func (r *Recipe) lintNames() (found []dataset.Finding) {
	for _, class := range r.Classes {
		for _, sign := range class.Name {
			if !unicode.IsControl(sign) && !unicode.Is(unicode.Cf, sign) {
				continue
			}
			found = append(found, r.atClass(class.Name, dataset.Finding{Code: "name_not_plain",
				Level: level.Warn,
				Text: fmt.Sprintf("class name %s holds the sign U+%04X, which is not seen: the model would learn "+
					"to answer with it", strconv.QuoteToASCII(class.Name), sign),
				Do: "write the name as one line of plain text in the data set's list of classes"}))
			break
		}
	}
	return found
}
