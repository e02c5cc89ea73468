package dataset

import "testing"

func TestSplitClassTakesTheConditionWordOut(t *testing.T) {
	words := []string{"blocked", "damaged"}
	tests := []struct{ name, object, condition string }{
		{"Toe drain", "toe drain", "normal"},
		{"Toe drain- Blocked", "toe drain", "blocked"},
		{"Toe drain- Damaged", "toe drain", "damaged"},
		{"rock toe", "rock toe", "normal"},
		{"rock toe damaged", "rock toe", "damaged"},
		{"slope drain blocked", "slope drain", "blocked"},
		{"vegetation", "vegetation", "normal"},
		{"blocked_slope_drain", "slope_drain", "blocked"},
		{"drain (damaged) upper", "drain upper", "damaged"},
		{"drain (BLOCKED)", "drain", "blocked"},
		{"damaged and blocked drain", "damaged and drain", "blocked"},
		{"unblocked drain", "unblocked drain", "normal"},
		{"unblocked, blocked", "unblocked", "blocked"},
		{"Blocked", "blocked", "blocked"},
		{"", "", "normal"},
		{"drain İ blocked", "drain i", "blocked"},
	}
	for _, test := range tests {
		got := SplitClass(test.name, words, "normal")
		if got.Name != test.name || got.Object != test.object || got.Condition != test.condition {
			t.Errorf("SplitClass(%q) = %+v, want object %q, condition %q", test.name, got, test.object, test.condition)
		}
	}
}

func TestSplitClassFollowsTheOrderOfTheWords(t *testing.T) {
	got := SplitClass("blocked and damaged", []string{"damaged", "blocked"}, "normal")
	if got.Condition != "damaged" || got.Object != "blocked and" {
		t.Errorf("got %+v, want the first word of the list to win", got)
	}
	if got := SplitClass("Riss", nil, "ohne"); got.Condition != "ohne" || got.Object != "riss" {
		t.Errorf("got %+v, want the default condition", got)
	}
}
