package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"finetui/core/doctor"
)

func TestDoctorWorksWithoutAProject(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := dispatched("doctor")
	if code != exitDone || stderr != "" {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, want := range []string{"config.toml", "processor", "kernels", "memory", "disk", "GPU", "ffmpeg", "Python",
		"HF_HOME", "built-in base", "TERM", "pictures"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
}

func TestDoctorPrintsOneObject(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, _ := dispatched("doctor", "VIEW.FORMAT=json", "VIEW.IMAGES=ascii")
	var r doctor.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitDone || r.Schema != doctor.Schema {
		t.Fatalf("%d %v\n%s", code, err, stdout)
	}
	if last := r.Lines[len(r.Lines)-1]; last.Value != `as a brightness ramp: VIEW.IMAGES = "ascii"` {
		t.Errorf("%+v", last)
	}
}

func TestDoctorTellsWhatIsWrongWithABrokenFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(configFile, []byte("[TRAIN]\nEPOCS = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := dispatched("doctor")
	if code != exitCall || !strings.Contains(stdout, "config.toml:2:1") || !strings.Contains(stdout, "EPOCHS") {
		t.Errorf("%d %s", code, stdout)
	}
	if code, _, stderr := dispatched("doctor", "TRAIN.EPOCS=3"); code != exitCall ||
		!strings.Contains(stderr, "EPOCHS") {
		t.Errorf("%d %s", code, stderr)
	}
}
