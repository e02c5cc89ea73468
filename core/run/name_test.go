package run

import "testing"

func TestNamesThatMeanSomethingElseAreRefused(t *testing.T) {
	for name, ok := range map[string]bool{
		"enhanced": true, "Versuch 3": true, "größer": true, "a.b_c-d": true, "試行": true, "3": true,
		"": false, " a": false, "base": false, "a/b": false, `a\b`: false, "..": false, "-x": false, "--help": false,
		"a=b": false, "recipe.preset=nope": false,
		"a\x1b[31m": false, "a\nb": false, "a\tb": false, "a\u202eb": false, "a\u200bb": false, "a\xff": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
