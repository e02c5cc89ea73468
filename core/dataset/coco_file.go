package dataset

import (
	"errors"
	"io"
	"math"
	"slices"

	"finetui/core/level"
)

// cocoFile is one annotation file of COCO, as far as it could be read.
type cocoFile struct {
	path, short string
	images      []cocoImage
	imageOf     cocoKeys
	categories  []cocoCategory
	order       []int32 // of categories, as they are listed
	categoryOf  cocoKeys
	// of each annotation: its object, with coordinates in pixels, its place in categories as the class, and its id (or
	// its negative number where that is none) as the line; and its place in images
	objects  []Object
	owners   []int32
	crowds   int
	findings []Finding
}

type cocoImage struct {
	name          string
	width, height int  // as the file says; 0 where it does not
	listed        bool // else an annotation alone names it
}

type cocoCategory struct {
	name, super string
	listed      bool
}

// cocoKeys numbers ids in the order in which they come up. Some programs write texts for them.
type cocoKeys struct {
	numbers map[int64]int32
	texts   map[string]int32
}

// read reads an id; at is -1 where there is none.
func (k *cocoKeys) read(r *jsonReader) (at int32, number int64, err error) {
	if k.numbers == nil {
		k.numbers, k.texts = map[int64]int32{}, map[string]int32{}
	}
	next := int32(len(k.numbers) + len(k.texts))
	if r.peek() == '"' {
		text, err := r.text()
		if err != nil {
			return -1, -1, err
		}
		at, known := k.texts[string(text)]
		if !known {
			at = next
			k.texts[string(text)] = at
		}
		return at, -1, nil
	}
	v, err := r.number()
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1<<53 {
		return -1, -1, err
	}
	number = int64(v)
	at, known := k.numbers[number]
	if !known {
		at = next
		k.numbers[number] = at
	}
	return at, number, nil
}

// slot is the entry of a list at a number, which the list grows to hold.
func slot[T any](list *[]T, at int32) *T {
	for int(at) >= len(*list) {
		var none T
		*list = append(*list, none)
	}
	return &(*list)[at]
}

// readCOCO streams an annotation file. An error means that it cannot be opened; where it is broken, what stands before
// that place counts.
func readCOCO(path, short string) (*cocoFile, error) {
	file, err := openJSON(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f := &cocoFile{path: path, short: short}
	f.read(file)
	return f, nil
}

func (f *cocoFile) read(in io.Reader) {
	r := newJSONReader(in)
	err := r.object(func(key []byte) error {
		if r.peek() != '[' {
			return r.skip()
		}
		entry := map[string]func(*jsonReader) error{"images": f.image, "annotations": f.annotation,
			"categories": f.category}[string(key)]
		if entry == nil {
			return r.skip()
		}
		return r.array(func() error {
			if r.peek() != '{' {
				return r.skip()
			}
			return entry(r)
		})
	})
	if err != nil {
		f.findings = append(f.findings, brokenJSON(f.path, f.short, err))
	}
	f.sayTwice()
}

// brokenJSON says where a file is no JSON any more.
func brokenJSON(path, short string, err error) Finding {
	var fault *jsonFault
	if errors.As(err, &fault) {
		return newFinding(BrokenJSON, short, lineOf(path, fault.at), "is no JSON from here on: %s", fault.why)
	}
	return newFinding(BrokenJSON, short, 0, "cannot be read to its end: %v", bare(err))
}

// plainText reads a text, or passes over what is none.
func (r *jsonReader) plainText() (string, error) {
	if r.peek() != '"' {
		return "", r.skip()
	}
	text, err := r.text()
	return string(text), err
}

// size reads a number of pixels; 0 where it is none.
func (r *jsonReader) size() (int, error) {
	v, err := r.number()
	if !(v >= 1 && v <= 1<<30) {
		v = 0
	}
	return int(v), err
}

func (f *cocoFile) image(r *jsonReader) error {
	var image cocoImage
	at := int32(-1)
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			at, _, err = f.imageOf.read(r)
		case "file_name":
			image.name, err = r.plainText()
		case "width":
			image.width, err = r.size()
		case "height":
			image.height, err = r.size()
		default:
			err = r.skip()
		}
		return err
	})
	if at < 0 || image.name == "" {
		if err == nil {
			f.findings = append(f.findings, newFinding(UnknownImage, f.short, 0,
				"an image without an id or a file_name: %s", quote(readable(image.name))).
				as(level.Error, "give it both; it does not count"))
		}
		return err
	}
	image.listed = true
	if known := slot(&f.images, at); !known.listed {
		*known = image
	} else {
		f.findings = append(f.findings, newFinding(DuplicateID, f.short, 0, "%s has the id of %s",
			quote(readable(image.name)), quote(readable(known.name))).
			as(level.Error, "give each picture an id of its own; the later one does not count"))
	}
	return err
}

func (f *cocoFile) category(r *jsonReader) error {
	var category cocoCategory
	at := int32(-1)
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			at, _, err = f.categoryOf.read(r)
		case "name":
			category.name, err = r.plainText()
		case "supercategory":
			category.super, err = r.plainText()
		default:
			err = r.skip()
		}
		return err
	})
	if at >= 0 && category.name != "" {
		category.listed = true
		if known := slot(&f.categories, at); !known.listed {
			*known = category
			f.order = append(f.order, at)
		} else {
			f.findings = append(f.findings, newFinding(DuplicateID, f.short, 0, "category %s has the id of %s",
				quote(readable(category.name)), quote(readable(known.name))).
				as(level.Error, "give each category an id of its own; the later one does not count"))
		}
	}
	return err
}

func (f *cocoFile) annotation(r *jsonReader) error {
	image, category, crowd := int32(-1), int32(-1), false
	o := Object{Line: -1 - len(f.objects), Confidence: 1, Box: noBox}
	var mask *Mask
	var rings [][]Point
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "id":
			id, e := r.number()
			if err = e; id >= 0 && id < 1<<53 {
				o.Line = int(id)
			}
		case "image_id":
			image, _, err = f.imageOf.read(r)
		case "category_id":
			category, _, err = f.categoryOf.read(r)
		case "bbox":
			o.Box, err = readCOCOBox(r)
		case "segmentation":
			rings, mask, err = readSegmentation(r)
		case "iscrowd":
			word, e := r.number()
			crowd, err = word == 1, e
		default:
			err = r.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	if rings != nil || mask != nil {
		o.Shape = &Shape{Rings: rings, Mask: mask}
	}
	o.Class = int(category)
	if image >= 0 {
		slot(&f.images, image)
	}
	if category >= 0 {
		slot(&f.categories, category)
	}
	if crowd {
		if f.crowds++; f.crowds == 1 {
			f.findings = append(f.findings, newFinding(CrowdRegion, f.short, 0, "%s", annotationName(o.Line)))
		}
		return nil
	}
	f.objects, f.owners = append(f.objects, o), append(f.owners, image)
	return nil
}

// sayTwice notes ids that several annotations have, and how many regions of many objects there are.
func (f *cocoFile) sayTwice() {
	if f.crowds > 1 {
		for i := range f.findings {
			if f.findings[i].Code == CrowdRegion {
				f.findings[i].Count = f.crowds
				f.findings[i].Text = Counted(f.crowds, "region", "regions") +
					" of many objects (iscrowd), the first: " +
					f.findings[i].Text
			}
		}
	}
	ids := make([]int, 0, len(f.objects))
	for i := range f.objects {
		if id := f.objects[i].Line; id >= 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] && (i < 2 || ids[i] != ids[i-2]) {
			f.findings = append(f.findings, newFinding(DuplicateID, f.short, 0, "id %d stands at several annotations",
				ids[i]))
		}
	}
}

// readCOCOBox reads x, y, width, height.
func readCOCOBox(r *jsonReader) (Box, error) {
	if r.peek() != '[' {
		return noBox, r.skip()
	}
	var v [4]float64
	n := 0
	err := r.array(func() error {
		number, err := r.number()
		if n < len(v) {
			v[n] = number
		}
		n++
		return err
	})
	switch n {
	case 0:
		return noBox, err
	case len(v):
		return Box{v[0], v[1], v[0] + v[2], v[1] + v[3]}, err
	}
	return oddBox, err
}
