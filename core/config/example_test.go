package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"finetui/core/config"
)

// write puts a config.toml into a folder of its own.
func write(text string) (path string, done func()) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	path = filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		panic(err)
	}
	return path, func() { os.RemoveAll(dir) }
}

// A file is loaded with the defaults of what it leaves out, and changed without touching any other byte.
func ExampleLoad() {
	path, done := write("[TRAIN]\n# as long as the night\nEPOCHS = 3  # three\n")
	defer done()
	file, err := config.Load(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Config.Train.Epochs, file.Config.Train.BatchSize, file.Has("TRAIN.BATCH_SIZE"))
	if err := file.Set("TRAIN.EPOCHS", "4"); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s", file.Raw())
	fmt.Println(file.Changed(), file.Undo(), file.Changed())
	// Output:
	// 3 16 false
	// [TRAIN]
	// # as long as the night
	// EPOCHS = 4  # three
	// true true false
}

// The words of a command line hold for the session: saving leaves them out.
func ExampleFile_Override() {
	path, done := write("[LORA]\nR = 16\n")
	defer done()
	file, err := config.Load(path)
	if err == nil {
		err = file.Override([]string{"LORA.R=8", "TRAIN.EPOCHS=1"})
	}
	if err == nil {
		err = file.KeepApart()
	}
	inFile, overridden := file.Overridden("LORA.R")
	fmt.Println(file.Config.LoRA.R, inFile, overridden, file.Changed(), err)
	fmt.Println(file.Override([]string{"LORA.TARGET=q_proj"}))
	// Output:
	// 8 16 true false <nil>
	// LORA has no constant TARGET; did you mean TARGETS?
}

// An edit makes another Snapshot, so that work beside the screen can hold the one it was started with.
func ExampleSnapshot_With() {
	file, err := config.Parse("config.toml", []byte("[TRAIN]\nEPOCHS = 3\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	longer, err := file.With(config.Change{Key: "TRAIN.EPOCHS", New: "9"})
	fmt.Println(file.Config.Train.Epochs, longer.Config.Train.Epochs, err)
	for _, change := range config.Diff(file.Config, longer.Config) {
		fmt.Println(change.Key, change.Old, "→", change.New)
	}
	// Output:
	// 3 9 <nil>
	// TRAIN.EPOCHS 3 → 9
}

// What is wrong in a file comes back together, each with its line and column.
func ExampleErrors() {
	_, err := config.Parse("config.toml", []byte("[TRAIN]\nEPOCS = 3\nSCHEDULE = \"cosin\"\nKEEP = 0\n"))
	var faults config.Errors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Printf("line %d, column %d: %s %s\n", fault.Line, fault.Col, fault.Key, fault.Text)
		}
	}
	// Output:
	// line 2, column 1:  TRAIN has no constant EPOCS; did you mean EPOCHS?
	// line 3, column 12: TRAIN.SCHEDULE "cosin" is none of linear, cosine, constant; did you mean cosine?
	// line 4, column 8: TRAIN.KEEP 0 is too small: at least 1
}
