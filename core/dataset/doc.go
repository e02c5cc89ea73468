// Package dataset reads image and clip data sets into one record model and says what is wrong with them.
// It never changes a data set and never drops a row in silence: what does not count is a Finding.
//
// # How to add a reader
//
// A reader is one file with a type that implements format, and an entry in formats (format.go); the choices of
// DATASET.FORMAT in core/config and config.toml name it, too. TestAReaderIsOneFile adds one in fifty lines.
//
// detect looks at a folder or file and says where a set of this format begins; it looks at names and at most at the
// first bytes of a file, since every reader is asked about every folder. Of several readers that would take a folder
// the first in formats wins, and DATASET.FORMAT decides otherwise.
//
// list returns a listing: the splits (of which request.splits says which are wanted), the items, the findings and the
// names of the classes. An Item has an ID of its own within the set ("split/name"), the path of its picture or clip,
// "" where it is missing, and its label file. There are two ways to labels:
//
//   - each item has a label file of its own (YOLO): listing.labels reads it, item after item, on all cores. What it
//     depends on beside that file stands in listing.rules.
//   - one file labels all (COCO, QVED, conversations), or the names of the classes stand in the label files (VOC): list
//     reads them (of a long one never the whole at once, see json.go) and fills in Objects. Where these need the size of
//     the picture, as boxes in pixels do, listing.labels finishes them (placing.go).
//
// All else is done behind the door, for every format alike (listing.finish): the headers of the pictures are read in
// parallel, so that Width and Height are those of the decoder, what is damaged is noted, equal pictures in two splits
// are found, clips are looked into where a probe is handed in (Probing), and what was read is kept for the next look.
// Helpers: walk and pictures (walk.go, paths.go) for folders and for paths of other machines, placing for boxes in
// pixels, readTextAnyhow (encoding.go) for texts in any encoding, uniqueNames and tally.
//
// What is wrong is said by newFinding with a code, which has its level and its remedy in rulings (finding.go); a code
// of which many places have one cause has its words in counted (cause.go). A fault costs as little as can be: a bad row
// the row, a bad file its item, and nothing that stands in a file makes the program stop or wait.
package dataset
