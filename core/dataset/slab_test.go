package dataset

import (
	"fmt"
	"testing"
)

func TestRecordsAreFoundByTheirPaths(t *testing.T) {
	s := newClipSet("labels.json", request{})
	const n = 5000
	for i := range n {
		s.take.reset()
		s.take.path = fmt.Appendf(s.take.path, "./clips/%05d.mp4", i)
		s.take.label = append(s.take.label, "a - b"...)
		s.add(&s.take)
		if i%7 == 0 {
			s.add(&s.take) // a second time
		}
	}
	if len(s.records) != n || s.said[RepeatedClip].n != (n+6)/7 {
		t.Fatalf("%d records, %d of them again", len(s.records), s.said[RepeatedClip].n)
	}
	for i := range n {
		for _, path := range []string{fmt.Sprintf("./clips/%05d.mp4", i), fmt.Sprintf("clips/%05d.mp4", i)} {
			if got := s.find([]byte(path)); got != int32(i) {
				t.Fatalf("%s: record %d", path, got)
			}
		}
	}
	if got := s.find([]byte("clips/5000.mp4")); got != -1 {
		t.Errorf("a path of no record: record %d", got)
	}
}

func TestPathsOfNoFolderInParticularArePlain(t *testing.T) {
	for name, want := range map[string]bool{"a.mp4": true, "squats/a.mp4": true, "": false, "/a.mp4": false,
		"../a.mp4": false, "a//b.mp4": false, "a/../b.mp4": false, `a\b.mp4`: false, "é.mp4": false, "a/./b": false, "a/": false, "..": false, "a/..": false,
		"a/...": true, ".a/..b": true} {
		if got := isPlain([]byte(name)); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
