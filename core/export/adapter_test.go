package export

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheAdapterOfAnotherTrainersRunIsItsNewestCheckpoints(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"trainer_log.jsonl":                       `{"current_steps": 10, "total_steps": 30, "loss": 2.5}` + "\n",
		"checkpoint-9/adapter_config.json":        "{}",
		"checkpoint-9/adapter_model.safetensors":  "",
		"checkpoint-10/adapter_config.json":       "{}",
		"checkpoint-10/adapter_model.safetensors": "",
		"checkpoint-20/adapter_config.json":       "{}", // and no weights yet
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := adapterOf(dir), filepath.Join(dir, "checkpoint-10"); got != want {
		t.Errorf("the adapter is %q, want %q", got, want)
	}
	if got := adapterOf(t.TempDir()); got != "" {
		t.Errorf("an empty folder has the adapter %q", got)
	}
}
