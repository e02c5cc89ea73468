package dataset

import (
	"path/filepath"
	"testing"
)

// A large set's lists are worked out beside the screen: what is seen in the end is what a small one shows at once.
func TestListsThatTakeLongComeToTheSame(t *testing.T) {
	words := []string{"DATASET.PATH=" + filepath.Join(slope(), "demo", "data"), "VIEW.IMAGES=words"}
	at, atOnce := openFile(t, newProject(t, words...), 120, 30)
	beside, later := openFile(t, newProject(t, words...), 120, 30)
	atOnce.Wait("the set", at.settled)
	later.Wait("the set", beside.settled)
	beside.views.Long = func() bool { return true }
	press := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			atOnce.Press(key)
			later.Press(key).Wait("the lists", func() bool { return !beside.views.Listing() && beside.settled() })
		}
		atOnce.Wait("the pictures", at.settled)
		if was, is := atOnce.Screen(), later.Screen(); was != is {
			t.Fatalf("after %q:\n%s\ninstead of\n%s", keys, is, was)
		}
	}
	for range at.views.Names() {
		press("down", "/", "t", "o", "enter", "]")
	}
	show(at, atOnce, samplesView)
	show(beside, later, samplesView)
	at.samples.order, beside.samples.order = smallestObject, smallestObject
	press("/", "v", "e", "enter", "down", "enter", "esc", "esc")
}

// While its list is looked for, a view says so and shows none of the one before.
func TestAListOnItsWayIsNotTheOneBefore(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, samplesView)
	p.views.Long = func() bool { return true }
	p.filter.Set("toe")
	p.refilter() // nobody has called Want yet
	for _, text := range []string{"… of 290 pictures", "looking for them"} {
		if !d.Shows(text) {
			t.Errorf("%q is not shown:\n%s", text, d.Screen())
		}
	}
	d.Press("y") // asks
	d.Wait("the list, and that nothing was copied", func() bool {
		return !p.views.Listing() && toasted(d, "still being looked for") // each comes by a command of its own
	})
	if len(p.samples.items) == 0 || len(p.samples.items) == 290 {
		t.Errorf("%d pictures pass", len(p.samples.items))
	}
}
