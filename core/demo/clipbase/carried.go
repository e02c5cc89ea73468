package clipbase

import (
	"embed"
	"io/fs"
	"os"

	"finetui/ml/wholefile"
)

// Folder is where a project keeps the base.
const Folder = "demo/base"

// carried is the base that the program carries, made by Make with Seed.
//
//go:embed carried
var carried embed.FS

// Write puts the base that the program carries into the folder dir, which must not exist or be empty.
func Write(dir string) error {
	files, err := fs.Sub(carried, "carried")
	if err != nil {
		return err
	}
	return wholefile.Folder(dir, func(draft string) error { return os.CopyFS(draft, files) })
}
