package project

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/level"
)

// A set of clips is read by its labels on a machine without FFmpeg, and says what is missing and how to come by it.
func TestClipsWithoutFFmpegAreCountedAndSayWhatIsMissing(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"bow.mp4", "jump.mp4"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("a clip"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	file, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	c := file.Config.Dataset
	c.Path = root
	set, err := ReadSet(context.Background(), c, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Items) != 2 || len(set.Findings) == 0 {
		t.Fatalf("%d clips, findings %v", len(set.Items), set.Findings)
	}
	f := set.Findings[0]
	if f.Code != "no_ffmpeg" || f.Level != level.Error || !strings.Contains(f.Text, "2 clips") ||
		!strings.Contains(f.Do, "apt-get install ffmpeg") {
		t.Errorf("the first finding is %+v", f)
	}
}
