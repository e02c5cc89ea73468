//go:build !linux

package run

// folderWatch watches nothing here.
type folderWatch struct{}

func newFolderWatch() (*folderWatch, <-chan struct{}) { return nil, nil }

func (w *folderWatch) add(string) bool { return false }
func (w *folderWatch) close()          {}
