package gpu

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// VisibleVariable is the environment's variable that tells CUDA's programs which GPUs there are for them.
const VisibleVariable = "CUDA_VISIBLE_DEVICES"

// Visible names the GPUs that a program started here may use, each as VisibleVariable takes it: those of the variable
// where it is set, else all that the driver knows. None where there are none.
func Visible() []string { return visible(os.LookupEnv, Snapshot) }

func visible(variable func(string) (string, bool), all func() ([]Device, error)) (names []string) {
	if text, set := variable(VisibleVariable); set {
		for name := range strings.SplitSeq(text, ",") {
			name = strings.TrimSpace(name)
			if n, err := strconv.Atoi(name); name == "" || err == nil && n < 0 {
				break // CUDA takes no heed of what follows
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names
	}
	devices, _ := all() // without figures there is no GPU to give out
	for _, d := range devices {
		if d.UUID != "" { // CUDA numbers GPUs in another order than the driver
			names = append(names, d.UUID)
		} else {
			names = append(names, strconv.Itoa(d.Index))
		}
	}
	return names
}
