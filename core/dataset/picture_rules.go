package dataset

import (
	"finetui/ml/picture"
)

// PictureFindings is what decoding a picture told of it: err where it failed, else its notes. file is as findings name
// it. What is as good as any other picture, as one that was turned upright, is no finding.
func PictureFindings(file string, notes []picture.Note, err error) (found []Finding) {
	if err != nil {
		return []Finding{newFinding(UnreadableImage, file, 0, "%v", bare(err))}
	}
	dark := false
	for _, note := range notes {
		dark = dark || note.Code == picture.NoteDark
	}
	for _, note := range notes {
		switch {
		case note.Code == picture.NoteDark:
			found = append(found, newFinding(DarkPicture, file, 0, "the picture %s", note.Text))
		case note.Code == picture.NoteDeepGrey && !dark:
			found = append(found, newFinding(DeepPicture, file, 0, "the picture %s", note.Text))
		}
	}
	return found
}

// TooLongFinding says that the model refuses what it would be shown for its shape, and why; what names the picture or
// the object that is cut out.
func TooLongFinding(file string, line int, what string, w, h int, why string) Finding {
	return newFinding(PictureTooLong, file, line, "%s has %d×%d pixels, %s", what, w, h, why)
}
