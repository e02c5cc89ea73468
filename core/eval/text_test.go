package eval

import "testing"

func TestPIsNotRoundedAcrossTheLine(t *testing.T) {
	for p, want := range map[float64]string{.0004: "< 0.001", .04996: "0.04996", .0496: "0.0496", .0494: "0.049",
		.05: "0.050", .0521: "0.052", 1: "1.000"} {
		if got := pText(p); got != want {
			t.Errorf("%v is shown as %s, want %s", p, got, want)
		}
	}
}

func TestOneItemIsSingular(t *testing.T) {
	if items(1) != "1 item" || items(0) != "0 items" || items(2) != "2 items" {
		t.Errorf("%s, %s, %s", items(1), items(0), items(2))
	}
}
