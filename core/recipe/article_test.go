package recipe

import "testing"

func TestArticleFitsTheNoun(t *testing.T) {
	for noun, want := range map[string]string{
		"toe drain": "A toe drain", "outlet": "An outlet", "rock toe": "A rock toe", "": "An object",
		"vegetation": "Vegetation", "loose rubble": "Loose rubble", "waste bin": "A waste bin",
		"leaves": "Leaves", "glass": "A glass", "bus": "A bus", "s": "S", "ärmel": "A ärmel", "öl rust": "Öl rust",
	} {
		if got := withArticle(noun); got != want {
			t.Errorf("%q: %q, want %q", noun, got, want)
		}
	}
}
