package dataset

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Records that say what one before them did are not taken apart, and say the same all the same. Blanks before its first
// member make a record one that nothing is remembered of.
func TestRecordsThatSayTheSameReadAlikeWhetherRememberedOrNot(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	paths := []string{`"./%04d.mp4"`, `"squats/%04d.mp4"`, `"\u002e/%04d.mp4"`, `"../%04d.mp4"`, `""`, `["%04d.mp4"]`, `7`}
	rest := []string{`, "labels": ["squats - low"], "split": "test"}`, `,"label":"squats - {a}"}`, `}`, ` , "label": "low"}`,
		`, "labels": ["a - b", "c"], "labels_descriptive": "a - c\n}", "worker_id": 7}`, `, "video_path": "other.mp4"}`,
		`, "feedbacks": ["a"], "feedback_timestamps": [1, 2], "label": "a - b"}`, `, "exercise": "Heel_Lift"}`,
		`, "feedbacks": ["a"], "feedback_timestamps": [1], "label": "a - b", "worker_id": "x"}`,
		`, "more": {"video": 1}, "label": "a - d"}`, `, "path": "again.mp4", "label": "a - d"}`}
	first := []string{`{"video_path": `, `{"path":`, `{"label": "x - y", "video_path": `, `{"labels": `}
	var records []string
	for i := range 4000 {
		path := strings.ReplaceAll(paths[min(r.IntN(12), len(paths)-1)*r.IntN(2)], "%04d", fmt.Sprintf("%04d", i-i%50*r.IntN(2)))
		records = append(records, first[max(0, r.IntN(9)-5)]+path+rest[r.IntN(len(rest))])
	}
	read := func(text string) (items []Item, findings []Finding) {
		file := filepath.Join(t.TempDir(), "labels.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s := newClipSet(file, request{})
		if err := s.readRecords(context.Background(), file); err != nil {
			t.Fatal(err)
		}
		s.labels, s.root = "labels.json", ""
		items = s.items(s.present())
		return items, s.summed()
	}
	again, said := read("[" + strings.Join(records, ",\n") + "]")
	for i, record := range records {
		records[i] = "{" + strings.Repeat(" ", 1+i%997) + record[1:]
	}
	each, saidOfEach := read("[" + strings.Join(records, ",\n") + "]")
	if len(again) < 500 || !reflect.DeepEqual(again, each) {
		t.Errorf("%d items and %d are not the same", len(again), len(each))
		for i := range min(len(again), len(each)) {
			if !reflect.DeepEqual(again[i], each[i]) {
				t.Fatalf("item %d: %+v\n%+v", i, again[i], each[i])
			}
		}
	}
	if !reflect.DeepEqual(said, saidOfEach) {
		t.Errorf("%v\n%v", said, saidOfEach)
	}
}
