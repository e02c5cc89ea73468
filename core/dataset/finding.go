package dataset

import (
	"cmp"
	"fmt"
	"slices"

	"finetui/core/level"
)

// Codes of findings.
const (
	TooFewFields    = "too_few_fields"
	OddPolygon      = "odd_polygon"
	ClassOutOfRange = "class_out_of_range"
	ClassNotInteger = "class_not_an_integer"
	NotANumber      = "not_a_number"
	NotFinite       = "not_finite"
	ValueOutOfRange = "value_out_of_range"
	ZeroSize        = "zero_size"
	BoxPastEdge     = "box_past_edge"
	OutlinePastEdge = "outline_past_edge"
	PoseLength      = "pose_length"
	PointPastEdge   = "point_past_edge"
	DuplicateRow    = "duplicate_row"
	MixedRows       = "mixed_rows"
	NotUTF8         = "not_utf8"
	UTF16           = "utf_16"
	NonASCIISpace   = "non_ascii_space"
	ByteOrderMark   = "byte_order_mark"
	CarriageReturn  = "carriage_return_only"
	MoreFaults      = "more_faults"

	EmptyLabelFile  = "empty_label_file"
	UnreadableLabel = "unreadable_label"
	LabelIsAFolder  = "label_is_a_folder"
	MissingLabel    = "missing_label"
	SharedLabel     = "shared_label"
	MissingImage    = "missing_image"
	UnreadableImage = "unreadable_image"
	DarkPicture     = "nearly_black_16_bits"
	DeepPicture     = "grey_of_16_bits"
	PictureTooLong  = "picture_too_long"
	SameImage       = "same_image_in_two_splits"
	SameSource      = "same_source_in_two_splits"

	SameImageOtherLabels = "same_image_with_other_labels"

	NameNotUTF8     = "name_not_utf8"
	LabelEnding     = "label_has_picture_ending"
	LabelCase       = "label_spelt_otherwise"
	LabelsBeside    = "labels_beside_pictures"
	RepeatedPicture = "picture_listed_twice"

	UnreadableFolder = "unreadable_folder"
	TextLink         = "text_in_place_of_link"
	MovedList        = "list_of_another_machine"
	MissingFolder    = "missing_folder"
	MovedFolder      = "moved_folder"
	UnlistedFolder   = "unlisted_folder"
	SameFolder       = "same_folder_in_two_splits"
	NoSplits         = "no_splits"

	BrokenJSON       = "broken_json"
	UnreadableClip   = "unreadable_clip"
	NoGroup          = "participant_unknown"
	NoLabelFile      = "no_label_file"
	NoPath           = "record_without_path"
	NoLabel          = "record_without_label"
	BadTimes         = "feedback_without_times"
	LabelNoPrefix    = "label_without_exercise"
	RepeatedClip     = "clip_listed_twice"
	MissingClip      = "missing_clip"
	GroupParted      = "participant_in_two_splits"
	BrokenXML        = "broken_xml"
	OtherPicture     = "other_picture_named"
	UnknownImage     = "unknown_image"
	UnknownSize      = "unknown_size"
	SizeDiffers      = "size_differs"
	TurnedLabels     = "labels_of_unturned_picture"
	NoBox            = "no_box"
	BadMask          = "bad_mask"
	CrowdRegion      = "crowd_region"
	DuplicateID      = "duplicate_id"
	OtherAnnotations = "other_annotations"
	SuperClass       = "supercategory_as_class"

	SetJoined   = "set_joined"
	SetAbsent   = "set_passed_over"
	SetRepeated = "set_repeats"
	BadRegistry = "sets_json"

	BadRecord      = "record_not_usable"
	SeveralFiles   = "record_of_several_files"
	NoFile         = "record_of_words_alone"
	NoMark         = "record_without_mark"
	NotHere        = "record_of_no_file_here"
	NothingLearned = "record_without_lesson"
	SeveralTurns   = "record_of_several_questions"
	SystemTurn     = "system_turn_passed_over"
	ScaledAnswer   = "answer_weights_passed_over"
	RepeatedPair   = "question_and_answer_repeated"

	NamesMissing      = "names_missing"
	ClassCountDiffers = "class_count_differs"
	DuplicateName     = "duplicate_name"
	ClassIDGap        = "class_id_gap"
	BadClassID        = "bad_class_id"
	NameNotText       = "name_not_text"
	NamesSwapped      = "names_swapped"
	NamesOneText      = "names_are_one_text"
	NamesAstray       = "names_astray"
	NameNeedsQuotes   = "name_needs_quotes"
	BadKeypoints      = "bad_kpt_shape"
)

// rulings holds, for each code, what the fault costs and what to do about it. Error: something labelled cannot be
// used. Warn: it is used, and doubtful. Info: it is as good as any, and merely said.
var rulings = map[string]struct {
	level level.Level
	do    string
}{
	TooFewFields: {level.Error,
		"write the row as: class x y width height, or class and at least three corner points; this row does not count"},
	OddPolygon: {level.Error,
		"write an outline as pairs x y after the class, and leave confidences out of labels; this row does not count"},
	ClassOutOfRange: {level.Error, "use an id of the list of names, or add the name; this row does not count"},
	ClassNotInteger: {level.Error, "write the class id as a whole number; this row does not count"},
	NotANumber: {level.Error,
		"write plain decimal numbers with a point, separated by spaces; this row does not count"},
	NotFinite: {level.Error, "write the coordinate again; this row does not count"},
	ValueOutOfRange: {level.Error,
		"divide pixel values by the picture's width and height, so that all lie from 0 to 1; this row does not count"},
	ZeroSize:        {level.Error, "draw the object again or delete the row; this row does not count"},
	BoxPastEdge:     {level.Warn, "clip the box to the picture; it counts as it stands"},
	OutlinePastEdge: {level.Warn, "clip the outline to the picture; it counts, clipped"},
	PoseLength: {level.Error,
		"write the row as: class x y width height and the points, or correct kpt_shape in data.yaml; this row does " +
			"not count"},
	PointPastEdge: {level.Warn, "move the point into the picture; the box counts"},
	DuplicateRow:  {level.Warn, "delete one of the two; the object counts once"},
	MixedRows: {level.Info,
		"nothing for this program; write all rows one way where Ultralytics (drops the image) or Datumaro (drops " +
			"the set) reads it too"},
	NotUTF8: {level.Error,
		"save the file as UTF-8 text (in PowerShell: -Encoding utf8); what cannot be read does not count"},
	UTF16:          {level.Info, "nothing; save the file as UTF-8 text for other programs"},
	NonASCIISpace:  {level.Error, "replace the special space by an ordinary one; this row does not count"},
	ByteOrderMark:  {level.Info, "nothing; save without a byte-order mark if another program stumbles over it"},
	CarriageReturn: {level.Info, "nothing; save with newline line ends if another program stumbles over it"},
	MoreFaults:     {level.Error, "look at the file as a whole: it hardly is a label file of this set"},

	EmptyLabelFile:  {level.Info, "nothing if the picture shows none of the classes; else label it"},
	UnreadableLabel: {level.Error, "make the file readable; its picture counts as unlabelled"},
	LabelIsAFolder:  {level.Error, "put the label file in place of the folder; its picture counts as unlabelled"},
	MissingLabel: {level.Warn,
		"add an empty label file if it shows none of the classes, or label it; it is taken for a background picture"},
	SharedLabel:  {level.Warn, "rename one of the pictures; both have these labels now"},
	MissingImage: {level.Error, "add the picture or delete the label file; its rows do not count"},
	UnreadableImage: {level.Error,
		"replace the picture by one that opens; its labels count, but nothing can be trained on it"},
	DarkPicture: {level.Warn,
		"save it with 8 bits, its own darkest value black and its brightest white; a model sees next to nothing " +
			"as it is"},
	DeepPicture: {level.Warn, "save it with 8 bits, so that all programs see the same"},
	PictureTooLong: {level.Error,
		"cut it into pieces, or show crops (RECIPE.CONTEXT); it is left out of training, and other trainers " +
			"stop at it"},
	SameImage: {level.Warn, "keep it in one split only: a score on a picture that was trained on says nothing"},
	SameSource: {level.Warn,
		"keep all variants of a photograph in one split: a score on a variant of a training picture says little"},

	SameImageOtherLabels: {level.Warn, "keep the one whose labels are right: a model cannot learn both"},

	NameNotUTF8: {level.Warn,
		"rename it: JSON files of other programs cannot name it, and its bytes are shown as \\xA4"},
	LabelEnding: {level.Info, "nothing here; name label files without it, as a.txt for a.png, for other programs"},
	LabelCase:   {level.Info, "nothing here; name label files as their pictures, with .txt, for other programs"},
	LabelsBeside: {level.Info,
		"nothing here; put them into a folder labels beside images for programs that look there only"},
	RepeatedPicture: {level.Warn, "name each picture once; it counts once"},

	UnreadableFolder: {level.Error, "make it readable; what lies in it does not count"},
	TextLink: {level.Info,
		"nothing here: it was followed; make it a link again for other programs (git config core.symlinks true, and " +
			"check out again)"},
	MovedList: {level.Info,
		"nothing if these are the pictures that are meant; write paths from the set's folder with / for other " +
			"programs"},
	MissingFolder:  {level.Warn, "add the folder, or take the key out of data.yaml"},
	MovedFolder:    {level.Info, "nothing if this is the folder that is meant; else correct the path in data.yaml"},
	UnlistedFolder: {level.Info, "nothing if it belongs to the set; else name the splits to use in DATASET.SPLITS"},
	SameFolder: {level.Warn,
		"give each split pictures of its own: a score on pictures that were trained on says nothing"},
	NoSplits: {level.Warn, "sort the pictures into train, valid and test folders; all are taken for train"},

	BrokenJSON: {level.Error, "correct the file or write it again; what stands before that place counts"},
	UnreadableClip: {level.Error,
		"replace the clip by one that plays; its labels count, but nothing can be trained on it"},
	NoGroup: {level.Warn,
		"add fine_grained_labels_with_worker_ids.json; each of these clips is dealt to a split on its own"},
	NoLabelFile: {level.Info,
		"nothing if these are the classes; else write fine_grained_labels.json or manifest.json"},
	NoPath: {level.Error, "write its video_path; it does not count"},
	BadTimes: {level.Warn, "give each feedback its time in seconds from the beginning of the clip; they count without " +
		"times"},
	NoLabel: {level.Warn, "label it, or take it out; its exercise is the folder's name, or unknown"},
	LabelNoPrefix: {level.Warn,
		"write labels as exercise - variation, or add an exercise; the folder's name is taken, or unknown"},
	RepeatedClip: {level.Warn, "name each clip once; the first record counts"},
	MissingClip: {level.Error,
		"add the clips, or name their folder in DATASET.MEDIA; their labels count, but nothing can be trained on them"},
	GroupParted: {level.Warn,
		"keep all clips of a participant in one split: a score on somebody who was trained on says little"},
	BrokenXML: {level.Error, "correct the file or write it again; what stands before that place counts"},
	OtherPicture: {level.Warn,
		"correct filename in the XML file if it is the right picture; the one of the file's own name counts"},
	UnknownImage: {level.Error,
		"list the picture under images, or delete the annotation; it does not count"},
	UnknownSize: {level.Error, "write width and height of the picture, or add it; its objects do not count"},
	SizeDiffers: {level.Warn,
		"write the picture's own width and height; the objects were placed by those that the labels give"},
	TurnedLabels: {level.Info, "nothing: they were turned with the picture; other programs may not do so"},
	NoBox:        {level.Warn, "draw a box where the place matters; the whole picture is the object"},
	BadMask:      {level.Warn, "write the mask again; the box counts"},
	CrowdRegion: {level.Warn,
		"draw the objects one by one where they matter; a region of many does not count as an object"},
	DuplicateID: {level.Warn, "give each annotation an id of its own; they count all the same"},
	OtherAnnotations: {level.Info,
		"nothing if these are not wanted; else name the file in DATASET.PATH"},
	SuperClass: {level.Info, "nothing: Roboflow writes it so"},

	SetJoined: {level.Info, "nothing; DATASET.SETS names the sets that are meant, and none for no other"},
	SetAbsent: {level.Info,
		"nothing if it is not wanted; else put it there, or set DATASET_DIR to the folder where it is"},
	SetRepeated: {level.Info, "nothing; what is there twice counts once"},
	BadRegistry: {level.Warn,
		"correct it: {\"NAME\": {\"annotation_path\": …, \"data_path\": …}}; its other sets count"},

	BadRecord: {level.Error, "correct the record; its questions from that place on do not count"},
	SeveralFiles: {level.Warn,
		"show one picture or clip in a record; it does not count: a sample here shows one"},
	NoFile:  {level.Info, "nothing; a sample here shows a picture or a clip, and these records do not count"},
	NotHere: {level.Warn, "load the pictures and clips into a folder, and name their files; these records do not count"},
	NoMark: {level.Info,
		"nothing here: the file is shown before the question; write <image> or <video> for trainers that count them"},
	NothingLearned: {level.Info, "nothing; there is no answer in them to be learned"},
	SeveralTurns: {level.Info,
		"nothing if the questions stand for themselves: each is asked alone, without what was said before it"},
	SystemTurn: {level.Info,
		"nothing; the model's own system turn is used, and that of CONVERT.SYSTEM_PROMPT in what convert writes"},
	ScaledAnswer: {level.Info, "nothing; samples are weighed by RECIPE"},
	RepeatedPair: {level.Warn, "leave one of them, and let RECIPE.SAMPLING repeat what is rare; it counts once"},

	NamesMissing:      {level.Error, "list the class names under names: in data.yaml; classes are numbered until then"},
	ClassCountDiffers: {level.Warn, "correct nc or names in data.yaml; the list of names is what counts"},
	DuplicateName:     {level.Warn, "give each class its own name in data.yaml; the later one is shown with a number"},
	ClassIDGap:        {level.Warn, "name every id from 0 on in data.yaml; the ids without one are shown as numbers"},
	BadClassID: {level.Error,
		"write the ids under names: as whole numbers from 0 on; this entry does not count"},
	NamesSwapped: {level.Warn, "write the id first, as 0: crack, for programs that do not turn it round"},
	NamesOneText: {level.Warn, "write names: [first, second]; it was read so here"},
	NamesAstray: {level.Warn,
		"indent them below names:, for programs that look there; they were read all the same"},
	NameNeedsQuotes: {level.Error, "put the name in quotes in data.yaml; the class is numbered until then"},
	BadKeypoints: {level.Error,
		"write kpt_shape: [points, 2] or [points, 3]; the rows are read as boxes and outlines until then"},
	NameNotText: {level.Info, "put the name in quotes in data.yaml; it is taken as it is written"},
}

// Rules says whether a code is one of a data set's own findings, and not of a recipe's.
func Rules(code string) bool {
	_, is := rulings[code]
	return is
}

// newFinding makes a finding of that code; the rest of the arguments say what is wrong.
func newFinding(code, file string, line int, text string, args ...any) Finding {
	ruling := rulings[code]
	return Finding{Code: code, Level: ruling.level, File: file, Line: line, Text: fmt.Sprintf(text, args...),
		Do: ruling.do}
}

// as returns the finding with another level and another thing to do.
func (f Finding) as(l level.Level, do string) Finding {
	f.Level, f.Do = l, do
	return f
}

// sortFindings puts the worst first, then by code, file and line.
func sortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Level.Severity(), b.Level.Severity()),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
		)
	})
}

// Counted is a number with the name of what there are so many of: "1 class", "9 classes".
func Counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
