package eval

import (
	"fmt"
	"reflect"
	"testing"
)

func TestMomentsAreWhatIsExpectedAndGivenInTheOrderOfTime(t *testing.T) {
	r := scoreTimed(t, twoVideos())
	var got []string
	for _, m := range r.Items[0].Moments() {
		text := fmt.Sprint(m.At)
		if m.Truth != nil {
			text += " " + m.Truth.Text
		}
		if m.Answer != nil {
			text += fmt.Sprintf(" %g %s", m.Answer.At, m.Answer.Text)
		}
		if (m.Pair != nil) != (m.Truth != nil && m.Answer != nil) {
			t.Errorf("%s is no pair", text)
		}
		got = append(got, text)
	}
	want := []string{"1 lower your hips 1.4 lower your hips", "5 keep going 3.6 stop", "9 good 9.2 good", "20 20 well done"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if f := r.Items[1].Figures(); f.Expected != 2 || f.Given != 1 || f.Matched != 0 {
		t.Errorf("%+v", f)
	}
}
