package dataset

import "testing"

func TestASetOfClipsIsCalledSo(t *testing.T) {
	clip := Item{Clip: &Clip{}}
	for want, items := range map[string][]Item{"picture": {{}, {}}, "clip": {clip, clip}} {
		set := &Dataset{Items: items}
		if one, more := set.Words(); one != want || more != want+"s" || items[0].Word() != want {
			t.Errorf("%s, %s, %s: want %s", one, more, items[0].Word(), want)
		}
	}
	for name, items := range map[string][]Item{"both": {clip, {}}, "none": nil} {
		if one, more := (&Dataset{Items: items}).Words(); one != "picture" || more != "pictures" {
			t.Errorf("%s: %s, %s", name, one, more)
		}
	}
}
