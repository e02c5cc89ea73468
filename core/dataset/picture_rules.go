package dataset

import (
	"finetui/ml/picture"
	"finetui/ml/qwen2vl/pixels"
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

// TooLongFinding says that the model refuses a picture of w×h pixels for its shape;
// what names the picture or the object that is cut out.
func TooLongFinding(file string, line int, what string, w, h int) (f Finding, tooLong bool) {
	aspect, tooLong := pixels.TooLong(w, h)
	if !tooLong {
		return f, false
	}
	return newFinding(PictureTooLong, file, line, "%s has %d×%d pixels, %.0f to 1, and Qwen2-VL takes up to 200 to 1",
		what, w, h, aspect), true
}
