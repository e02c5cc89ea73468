package dataset

import (
	"errors"
	"testing"

	"finetui/ml/picture"
)

func TestWhatDecodingNotesIsSaid(t *testing.T) {
	grey, dark := picture.Note{Code: picture.NoteDeepGrey, Text: "has 16 bits"}, picture.Note{Code: picture.NoteDark,
		Text: "has values from 3 to 9"}
	for name, test := range map[string]struct {
		notes []picture.Note
		err   error
		code  string
	}{
		"nothing":        {nil, nil, ""},
		"turned":         {[]picture.Note{{Code: picture.NoteOrientation, Text: "was turned"}}, nil, ""},
		"16 bits, black": {[]picture.Note{grey, dark}, nil, DarkPicture},
		"16 bits":        {[]picture.Note{grey}, nil, DeepPicture},
		"damaged":        {nil, errors.New("cut off"), UnreadableImage},
	} {
		found := PictureFindings("a.png", test.notes, test.err)
		if test.code == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || found[0].Code != test.code || found[0].File != "a.png" || found[0].Do == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
