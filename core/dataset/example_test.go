package dataset_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/dataset"
)

// A YOLO set of two pictures is read, and what is labelled in it is counted.
func ExampleRead() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	for name, text := range map[string]string{
		"data/data.yaml":          "names: [crack, hole]\n",
		"data/train/labels/a.txt": "0 .5 .5 .2 .2\n1 .2 .2 .1 .1\n0 .8 .8 .1 .1\n",
		"data/valid/labels/b.txt": "1 .5 .5 .2 .2\n7 .5 .5 .2 .2\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			fmt.Println(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			fmt.Println(err)
		}
	}
	for i, name := range []string{"data/train/images/a.png", "data/valid/images/b.png"} {
		if err := writePicture(filepath.Join(root, filepath.FromSlash(name)), 32+i); err != nil {
			fmt.Println(err)
		}
	}

	cfg := config.Default().Dataset
	cfg.Path = "data"
	set, err := dataset.Read(context.Background(), cfg, root, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	counts := make([]int, len(set.Classes))
	for _, item := range set.Items {
		fmt.Printf("%s %d×%d %d objects\n", item.ID, item.Width, item.Height, len(item.Objects))
		for _, object := range item.Objects {
			counts[object.Class]++
		}
	}
	for i, class := range set.Classes {
		fmt.Println(class.Name, counts[i])
	}
	for _, cause := range set.Causes() {
		fmt.Printf("%s %s:%d %s\n", cause.Level, cause.File, cause.Line, cause.Text)
	}
	// Output:
	// train/a 32×32 3 objects
	// valid/b 33×33 1 objects
	// crack 2
	// hole 2
	// error valid/labels/b.txt:2 ids go up to 7, and there are 2 names (0 to 1); 1 of 5 rows do not count
}

// writePicture writes a PNG of side×side pixels.
func writePicture(path string, side int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(file, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
