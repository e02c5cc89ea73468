package printable

import "testing"

func TestSizesHaveUnits(t *testing.T) {
	for bytes, want := range map[int64]string{1000: "1000 B", 64 << 20: "64.0 MiB", 1<<30 - 1: "1.0 GiB"} {
		if got := Bytes(bytes); got != want {
			t.Errorf("%d: %q, want %q", bytes, got, want)
		}
	}
}
