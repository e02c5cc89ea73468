package trainerlog

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead gives the same bytes to every kind of file that a run is read from: whatever they are, a folder that is
// taken for a run is read to its end, twice alike.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"loss": 2.5, "step": 10, "epoch": 0.1}` + "\n" + `{"loss": 2.25, "step": 20}` + "\n"))
	f.Add([]byte(`{"current_steps": 10, "total_steps": 30, "loss": 2.5, "elapsed_time": "0:00:10"}` + "\n"))
	f.Add([]byte(`{"global_step": 20, "max_steps": 30, ` +
		`"log_history": [{"loss": 2.5, "step": 10}, {"loss": NaN, "step": 20}]}`))
	f.Add([]byte("epoch,train/box_loss,metrics/mAP50(B)\n1,2.5,0.25\n2,2.25,0.5\n"))
	f.Add([]byte("{'loss': 2.5, 'learning_rate': 0.0002, 'epoch': 0.1}\r 10%|#  | 1/10 [00:01<00:09]\n"))
	f.Add([]byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22" +
		"\x09\x00\x00\x80\xd8\x0a\x7f\xd6\x41\x1a\x0dbrain.Event:2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		for _, name := range []string{"trainer_log.jsonl", "logging.jsonl", "trainer_state.json", "results.csv", "train.log",
			"events.out.tfevents.1700000000.host.1.0"} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		l, ok := Find(dir)
		if !ok {
			return
		}
		var series [2]int
		for i := range series {
			r := &reading{reader: l.Reader(), series: map[string][]Value{}}
			r.read(t)
			for _, s := range r.series {
				series[i] += len(s)
			}
		}
		if series[0] != series[1] {
			t.Errorf("%d values, then %d", series[0], series[1])
		}
		l.Glance()
	})
}
