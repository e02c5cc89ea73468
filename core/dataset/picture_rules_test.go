package dataset

import (
	"errors"
	"strings"
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

func TestPicturesAreTooLongPast200To1(t *testing.T) {
	for _, test := range []struct {
		w, h    int
		tooLong bool
	}{{200, 1, false}, {201, 1, true}, {1, 227, true}, {2300, 10, true}, {2000, 10, false}, {0, 0, false}} {
		f, tooLong := TooLongFinding("a.png", 0, "the picture", test.w, test.h)
		if tooLong != test.tooLong || tooLong && (f.Level != LevelError || !strings.Contains(f.Text, "200 to 1")) {
			t.Errorf("%d×%d: %v, %+v", test.w, test.h, tooLong, f)
		}
	}
}
