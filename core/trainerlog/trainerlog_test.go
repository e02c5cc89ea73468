package trainerlog

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"finetui/core/trainerlog/logtest"
	"finetui/ml/lora"
)

// write lays a file into a folder, which it makes.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func add(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// reading is what a reader has handed on, as one who heeds it keeps it.
type reading struct {
	reader *Reader
	series map[string][]Value // by name; a value's name is its step
	bad    int
	resets int
}

func open(t testing.TB, dir string) (*Log, *reading) {
	t.Helper()
	l, ok := Find(dir)
	if !ok {
		t.Fatalf("no run is found in %s", dir)
	}
	return l, &reading{reader: l.Reader(), series: map[string][]Value{}}
}

// read takes in all that there is.
func (r *reading) read(t testing.TB) {
	t.Helper()
	for range 10_000 {
		var rows []Row
		got, err := r.reader.Read(func(row Row) {
			row.Values = slices.Clone(row.Values)
			rows = append(rows, row)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.Reset {
			r.series, r.resets = map[string][]Value{}, r.resets+1
		}
		r.bad += got.Bad
		for _, row := range rows {
			for _, v := range row.Values {
				s := r.series[v.Name]
				for len(s) > 0 && step(s[len(s)-1]) >= row.Step {
					s = s[:len(s)-1]
				}
				r.series[v.Name] = append(s, Value{fmt.Sprint(row.Step), v.V})
			}
		}
		if !got.More {
			return
		}
	}
	t.Fatal("it comes to no end")
}

func step(v Value) (n int) { fmt.Sscan(v.Name, &n); return n }

// text is a series as "10:2.5 20:2.25".
func (r *reading) text(name string) string {
	var parts []string
	for _, v := range r.series[name] {
		parts = append(parts, fmt.Sprintf("%s:%g", v.Name, v.V))
	}
	return strings.Join(parts, " ")
}

func (r *reading) holds(t testing.TB, want map[string]string) {
	t.Helper()
	for name, series := range want {
		if got := r.text(name); got != series {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, series)
		}
	}
}

// scalar is an event with one number, as PyTorch's writer has it.
func scalar(wall float64, step int, tag string, v float32) []byte {
	value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), tag)
	value = protowire.AppendFixed32(protowire.AppendTag(value, 2, protowire.Fixed32Type), math.Float32bits(v))
	return event(wall, step, value)
}

func event(wall float64, step int, value []byte) []byte {
	e := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(wall))
	e = protowire.AppendVarint(protowire.AppendTag(e, 2, protowire.VarintType), uint64(step))
	summary := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), value)
	return record(protowire.AppendBytes(protowire.AppendTag(e, 5, protowire.BytesType), summary))
}

// tensor is an event of TensorFlow 2: a tensor, and of what kind the series is.
func tensor(wall float64, step int, tag, plugin string, v float32) []byte {
	t := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), typeFloat)
	t = protowire.AppendBytes(protowire.AppendTag(t, 4, protowire.BytesType),
		binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	data := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), plugin)
	meta := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), data)
	value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), tag)
	value = protowire.AppendBytes(protowire.AppendTag(value, 8, protowire.BytesType), t)
	value = protowire.AppendBytes(protowire.AppendTag(value, 9, protowire.BytesType), meta)
	return event(wall, step, value)
}

// record frames data as TFRecord does.
func record(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

func version() []byte {
	e := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(1000))
	return record(protowire.AppendString(protowire.AppendTag(e, 3, protowire.BytesType), "brain.Event:2"))
}

const llamaRows = `{"current_steps": 10, "total_steps": 30, "loss": 2.5, "lr": 1e-05, "epoch": 0.33, "percentage": 33.33, "elapsed_time": "0:00:32", "remaining_time": "0:01:04"}
{"current_steps": 20, "total_steps": 30, "loss": 2.25, "lr": 5e-06, "epoch": 0.66, "percentage": 66.67, "elapsed_time": "0:01:04", "remaining_time": "0:00:32"}
{"current_steps": 20, "total_steps": 30, "eval_loss": 2.125, "epoch": 0.66, "percentage": 66.67, "elapsed_time": "0:01:10", "remaining_time": "0:00:35"}
`

func TestEachTrainerIsKnownByWhatItsFilesHold(t *testing.T) {
	state := `{"global_step": 20, "max_steps": 40, "log_history": [{"epoch": 0.5, "grad_norm": NaN, "learning_rate": 1e-05,
		"loss": 1.5, "step": 10}, {"epoch": 1.0, "loss": 1.25, "step": 20}, {"eval_loss": 1.125, "eval_g0_loss": 3.5, "step": 20}]}`
	adapter := `{"base_model_name_or_path": "Qwen/Qwen2-VL-2B", "r": 8, "target_modules": ["q_proj", "v_proj"]}`
	csv := "                  epoch,      train/box_loss,      train/cls_loss,  metrics/mAP50(B),    val/box_loss, lr/pg0\n" +
		"                      1,                 1.5,                 2.5,              0.25,             3.0,  0.01\n" +
		"                      2,                 1.25,                2.0,              0.5,              2.5,  0.005\n"
	for _, c := range []struct {
		name, tool string
		files      map[string]string
		step       int
		total      int
		want       map[string]string
	}{
		{"renamed llama", LLaMAFactory, map[string]string{"anything.txt": llamaRows}, 20, 30, map[string]string{
			"loss": "10:2.5 20:2.25", "lr": "10:1e-05 20:5e-06", "eval_loss": "20:2.125"}},
		{"ms-swift", Swift, map[string]string{"logging.jsonl": `{"loss": 2.5, "token_acc": 0.5, "loss_rare class": 3.5, "learning_rate": 1e-05, "epoch": 0.1, "global_step/max_steps": "5/20", "percentage": "25.00%", "elapsed_time": "6s", "remaining_time": "18s", "memory(GiB)": 8.5, "train_speed(s/it)": 1.2}
{"loss": 2.0, "token_acc": 0.75, "global_step/max_steps": "10/20", "elapsed_time": "1m 12s"}
{"last_model_checkpoint": "x", "log_history": [{"loss": 9, "step": 1}, {"loss": 8, "step": 2}], "step_is": "none"}
`, "args.json": `{"model": "Qwen/Qwen2-VL-7B", "lora_rank": 8}`}, 10, 20, map[string]string{"loss": "5:2.5 10:2",
			"token_acc": "5:0.5 10:0.75", "loss_rare class": "5:3.5", "train_speed(s/it)": "5:1.2", "log_history": ""}},
		{"HF Trainer", Transformers, map[string]string{"trainer_state.json": state, "checkpoint-20/" + lora.ConfigFile: adapter},
			20, 40, map[string]string{"loss": "10:1.5 20:1.25", "grad_norm": "10:NaN", "eval_loss": "20:1.125",
				"eval_g0_loss": "20:3.5"}},
		{"axolotl", Axolotl, map[string]string{"checkpoint-20/trainer_state.json": state,
			"README.md": "---\ntags:\n- axolotl\n---\n"}, 20, 40, map[string]string{"loss": "10:1.5 20:1.25"}},
		{"TRL", TRL, map[string]string{"trainer_state.json": state, "README.md": "tags:\n- trl\n- sft\n"}, 20, 40, nil},
		{"AutoModel", AutoModel, map[string]string{
			"training.jsonl": `{"step": 0, "epoch": 0, "timestamp": "2026-01-02T03:04:05.000Z", "loss": 2.5, "grad_norm": 1.5, "lr": 1e-05, "mem": 8.5, "tps": 1200.0}
{"step": 1, "epoch": 0, "timestamp": "2026-01-02T03:04:07.000Z", "loss": 2.25, "grad_norm": 1.25, "lr": 2e-05, "mem": 8.5, "tps": 1300.0}
`, "validation.jsonl": `{"step": 1, "epoch": 0, "timestamp": "2026-01-02T03:04:08.000Z", "val_loss": 2.0, "lr": 2e-05}
`, "epoch_0_step_1/model/" + lora.ConfigFile: adapter}, 1, 0, map[string]string{"loss": "0:2.5 1:2.25",
			"eval_loss": "1:2", "tokens_per_s": "0:1200 1:1300", "lr": "0:1e-05 1:2e-05"}},
		{"Ultralytics", Ultralytics, map[string]string{"results.csv": csv, "args.yaml": "model: yolov8n.pt\nepochs: 3\n",
			"weights/last.pt": "x", "weights/best.pt": "x"}, 2, 3, map[string]string{"loss": "1:4 2:3.25",
			"eval_loss": "1:3 2:2.5", "metrics/mAP50(B)": "1:0.25 2:0.5", "lr": "1:0.01 2:0.005"}},
		{"what was printed", Transformers, map[string]string{"nohup.out": "loading\n" +
			"\r 10%|█         | 1/10 [00:01<00:09,  1.0it/s]{'loss': '2.5', 'grad_norm': '1.5', 'learning_rate': '1e-05', 'epoch': '0.1'}\n" +
			"\r 20%|██        | 2/10 [00:02<00:08,  1.0it/s]\r                    {'loss': 2.25, 'rewards/x (y)': nan, 'epoch': 0.2}\n"},
			2, 10, map[string]string{"loss": "1:2.5 2:2.25", "rewards/x (y)": "2:NaN"}},
		// a long configuration, a bar of loading, one of a check below that of training and with more places
		{"axolotl before its first save", Axolotl, map[string]string{lora.ConfigFile: adapter, "debug.log": "[axolotl.cli.config] " +
			strings.Repeat("\"adapter\": \"lora\",\n", 1000) + "\rLoading weights: 100%|██████████| 99/99 [00:00<00:00, 9.0it/s]\n" +
			"\r  0%|          | 0/40 [00:00<?, ?it/s][axolotl.evaluate] Running evaluation step...\n" +
			"\n\r100%|██████████| 41/41 [00:05<00:00, 8.0it/s]\x1b[A\r      \r" +
			"\n\r          \r\x1b[A{'eval_loss': '8.5', 'eval_ppl': '4376', 'memory/max_active (GiB)': '0', 'epoch': 0}\n" +
			"\r  0%|          | 0/40 [00:06<?, ?it/s]\n\r100%|██████████| 41/41 [00:06<00:00, 8.0it/s]\x1b[A\n" +
			"\r          \x1b[A\r  2%|▎         | 1/40 [00:07<00:40,  1.0s/it]\r  5%|▌         | 2/40 [00:08<00:40,  1.0s/it]" +
			"\r      \r{'loss': '7.5', 'learning_rate': '4e-05', 'tokens/total': 941, 'epoch': '0.04'}\n" +
			"\r  5%|▌         | 2/40 [00:08<00:40,  1.0s/it]"},
			2, 40, map[string]string{"loss": "2:7.5", "eval_loss": "0:8.5", "eval_ppl": "0:4376", "tokens/total": "2:941"}},
		{"TensorBoard", TensorBoard, map[string]string{"e": string(slices.Concat(version(),
			scalar(1000, 1, "Loss/train", 2.5), tensor(1001, 1, "acc", "scalars", 0.5), tensor(1001, 1, "names", "text", 9),
			scalar(1010, 2, "Loss/train", 2.25)))}, 2, 0, map[string]string{"loss": "1:2.5 2:2.25", "acc": "1:0.5", "names": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a b", "run")
			for name, text := range c.files {
				write(t, filepath.Join(dir, name), text)
			}
			l, r := open(t, dir)
			r.read(t)
			if g := l.Glance(); l.Tool != c.tool || g.Step != c.step || g.Total != c.total {
				t.Errorf("%s at step %d of %d, want %s at %d of %d", l.Tool, g.Step, g.Total, c.tool, c.step, c.total)
			}
			r.holds(t, c.want)
			if r.bad > 0 || r.resets > 0 {
				t.Errorf("%d bad places, %d resets", r.bad, r.resets)
			}
			if found := Search(filepath.Dir(filepath.Dir(dir))); len(found) != 1 || found[0].Dir != l.Dir {
				t.Errorf("the search finds %d runs", len(found))
			}
		})
	}
}

// axolotl writes its adapter's configuration before it trains: that is no adapter, and not the end.
func TestAConfigurationAloneIsNoAdapter(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "debug.log"), "\r 50%|█████     | 10/20 [00:20<00:20,  2.0s/it]{'loss': 1.5, 'epoch': 0.5}\n")
	write(t, filepath.Join(dir, lora.ConfigFile), "{}")
	write(t, filepath.Join(dir, "checkpoint-10", lora.ConfigFile), "{}")
	write(t, filepath.Join(dir, "checkpoint-10", lora.WeightsFile), "x")
	l, _ := open(t, dir)
	if g := l.Glance(); g.Over != "" || g.Elapsed != 20 {
		t.Errorf("over %q after %v s", g.Over, g.Elapsed)
	}
	if at := l.Adapter(); at != filepath.Join(dir, "checkpoint-10") {
		t.Errorf("the adapter is %q", at)
	}
	write(t, filepath.Join(dir, lora.WeightsFile), "x")
	if g := l.Glance(); g.Over == "" || l.Adapter() != dir {
		t.Errorf("over %q, adapter %q", g.Over, l.Adapter())
	}
}

// AutoModel keeps its rows to itself for long: until then its checkpoints tell their losses, and afterwards its log does.
func TestAutoModelIsKnownByItsCheckpointsBeforeItsLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoints")
	write(t, filepath.Join(dir, "training.jsonl"), "")
	write(t, filepath.Join(dir, "epoch_0_step_19", "losses.json"), `{"train_loss": 0.5, "val_loss": 0.25}`)
	write(t, filepath.Join(dir, "epoch_0_step_19", "config.yaml"), "step_scheduler:\n  max_steps: 45\n")
	if found := Search(filepath.Dir(dir)); len(found) != 1 || found[0].Dir != dir {
		t.Errorf("%d runs are found", len(found))
	}
	l, r := open(t, dir)
	r.read(t)
	r.holds(t, map[string]string{"loss": "19:0.5", "eval_loss": "19:0.25"})
	if g := l.Glance(); l.Tool != AutoModel || g.Step != 19 || g.Total != 45 || g.Over != "" {
		t.Errorf("%s at step %d of %d, over %q", l.Tool, g.Step, g.Total, g.Over)
	}
	for step := range 45 {
		add(t, filepath.Join(dir, "training.jsonl"), fmt.Sprintf(`{"step": %d, "epoch": 0, "timestamp": "2026-01-02T03:04:%02d.5", `+
			`"loss": %d}`+"\n", step, step, 45-step))
	}
	for range 2 * lookAgain {
		r.read(t)
	}
	if r.resets == 0 || !l.Refresh() {
		t.Error("the log's rows are not taken up")
	}
	if g := l.Glance(); g.Step != 44 || g.Over == "" {
		t.Errorf("at step %d, over %q", g.Step, g.Over)
	}
}

func TestALogIsFollowedAsItGrows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trainer_log.jsonl")
	write(t, path, llamaRows)
	_, r := open(t, dir)
	r.read(t)
	add(t, path, `{"current_steps": 30, "total_steps": 30, "loss": 2.0`)
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:2.5 20:2.25"})
	add(t, path, `, "lr": 0.0}`+"\n")
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:2.5 20:2.25 30:2"})
	lines := r.reader.sources[0].(*lines)
	taken := lines.tail.Taken
	r.read(t)
	if lines.tail.Taken != taken {
		t.Errorf("%d bytes are read of a file that has not grown", lines.tail.Taken-taken)
	}
	write(t, path, llamaRows[:strings.Index(llamaRows, "\n")+1]) // begun anew
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:2.5"})
}

func TestATornLineCostsItselfAlone(t *testing.T) {
	dir := t.TempDir()
	row := func(step int) string {
		return fmt.Sprintf(`{"current_steps": %d, "total_steps": 50, "loss": %d.5}`, step, step)
	}
	write(t, filepath.Join(dir, "log"), row(10)+"\n"+row(20)[:20]+row(30)+"\n"+"\x00\x00{]\n"+row(40)+"\n")
	_, r := open(t, dir)
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:10.5 30:30.5 40:40.5"})
	if r.bad != 2 {
		t.Errorf("%d bad lines, want 2", r.bad)
	}
}

func TestARestartTakesBackAndTwoWritersAreKeptApart(t *testing.T) {
	row := func(step int, loss float64) string {
		return fmt.Sprintf(`{"current_steps": %d, "total_steps": 90, "loss": %g}`+"\n", step, loss)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "log.jsonl"), row(10, 1)+row(20, 2)+row(30, 3)+row(40, 4)+row(20, 2.5)+row(30, 3.5))
	_, r := open(t, dir)
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:1 20:2.5 30:3.5", "loss (2)": ""})

	dir = t.TempDir()
	path := filepath.Join(dir, "log.jsonl")
	write(t, path, row(10, 1)+row(20, 2)+row(10, 1.5)+row(30, 3)+row(20, 2.5)+row(40, 4))
	_, r = open(t, dir)
	r.read(t)
	add(t, path, row(30, 3.5)+row(50, 5))
	r.read(t)
	r.holds(t, map[string]string{"loss": "10:1 20:2 30:3 40:4 50:5", "loss (2)": "10:1.5 20:2.5 30:3.5"})
}

func TestAStateFillsInWhatTheLogLacks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "trainer_log.jsonl"), llamaRows)
	state := filepath.Join(dir, "trainer_state.json")
	history := `{"loss": 2.75, "grad_norm": 0.5, "step": 5}, {"loss": 2.5, "grad_norm": 0.25, "step": 10}`
	write(t, state, `{"global_step": 10, "max_steps": 30, "log_history": [`+history+`]}`)
	_, r := open(t, dir)
	r.read(t)
	r.holds(t, map[string]string{"loss": "5:2.75 10:2.5 20:2.25", "grad_norm": "5:0.5 10:0.25"})
	write(t, state, `{"global_step": 20, "max_steps": 30, "log_history": [`+history+
		`, {"loss": 2.25, "grad_norm": 0.125, "step": 20}, {"loss": 1`) // still being written
	r.read(t)
	r.holds(t, map[string]string{"loss": "5:2.75 10:2.5 20:2.25", "grad_norm": "5:0.5 10:0.25 20:0.125"})
}

// An event file is read in pieces; a step whose figures lie on both sides of a cut is one row all the same.
func TestAStepThatLiesInTwoPiecesOfAnEventFileIsOneRow(t *testing.T) {
	log, ok := Find(logtest.Events(t, 20_000))
	if !ok {
		t.Fatal("no run is found")
	}
	r, rows := log.Reader(), 0
	for more := true; more; {
		got, err := r.Read(func(row Row) {
			if rows++; len(row.Values) != 4 {
				t.Errorf("step %d has %v", row.Step, row.Values)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		more = got.More
	}
	if rows != 20_000 {
		t.Errorf("%d rows", rows)
	}
}

func TestEventFilesGoOnFromEachOther(t *testing.T) {
	dir := t.TempDir()
	one := slices.Concat(version(), scalar(1000, 1, "loss", 5), scalar(1001, 2, "loss", 4), scalar(1002, 3, "loss", 3))
	damaged := slices.Clone(scalar(1003, 4, "loss", 2))
	damaged[20] ^= 1
	torn := scalar(1005, 6, "loss", 1)
	write(t, filepath.Join(dir, "events.out.tfevents.1"), string(slices.Concat(one, damaged, scalar(1004, 5, "loss", 1.5),
		torn[:len(torn)-3])))
	write(t, filepath.Join(dir, "events.out.tfevents.2"), string(slices.Concat(version(), scalar(2000, 3, "loss", 2.5))))
	_, r := open(t, dir)
	r.read(t)
	r.holds(t, map[string]string{"loss": "1:5 2:4 3:2.5"})
	if r.bad != 1 {
		t.Errorf("%d bad records, want 1", r.bad)
	}
	add(t, filepath.Join(dir, "events.out.tfevents.2"), string(scalar(2001, 4, "loss", 2)))
	r.read(t)
	r.holds(t, map[string]string{"loss": "1:5 2:4 3:2.5 4:2"})
}

func TestNothingIsDoneToAFolderAndNothingHarmsTheReader(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "run", "trainer_log.jsonl"), llamaRows)
	if err := syscall.Mkfifo(filepath.Join(dir, "run", "pipe.jsonl"), 0o644); err != nil {
		t.Skip(err)
	}
	os.Symlink("/dev/zero", filepath.Join(dir, "run", "zero.jsonl"))
	os.Symlink(dir, filepath.Join(dir, "run", "up"))
	big, err := os.Create(filepath.Join(dir, "run", "big.jsonl"))
	if err != nil || big.Truncate(1<<40) != nil {
		t.Skip("no sparse files here")
	}
	big.Close()
	before := listing(t, dir)
	found := Search(dir)
	if len(found) != 1 {
		t.Fatalf("%d runs", len(found))
	}
	_, r := open(t, found[0].Dir)
	r.read(t)
	found[0].Glance()
	if after := listing(t, dir); after != before {
		t.Errorf("the folder has changed:\n%s\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) (text string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		text += fmt.Sprintln(path, info.Size(), info.ModTime(), info.Mode())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSilenceIsHeldAgainstThePace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trainer_log.jsonl")
	write(t, path, llamaRows)
	l, _ := open(t, dir)
	g := l.Glance()
	if g.Every != 32 || g.Elapsed != 70 || g.Over != "" {
		t.Errorf("%+v", g)
	}
	wrote := time.UnixMilli(int64(g.Wrote * 1000))
	for _, c := range []struct {
		after       time.Duration
		quiet, gone bool
	}{{time.Minute, false, false}, {10 * time.Minute, true, false}, {7 * time.Hour, true, true}} {
		if _, quiet, gone := l.Silence(g, wrote.Add(c.after)); quiet != c.quiet || gone != c.gone {
			t.Errorf("after %v: quiet %v, gone %v", c.after, quiet, gone)
		}
	}
	add(t, path, `{"current_steps": 30, "total_steps": 30, "epoch": 1.0, "elapsed_time": "0:01:40"}`+"\n")
	if g := l.Glance(); g.Over == "" {
		t.Error("a run that has said its last word is not over")
	}
}

func TestATraceTellsThatARunFailed(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "trainer_log.jsonl"), llamaRows)
	write(t, filepath.Join(dir, "train.log"), "Traceback (most recent call last):\n  File \"a.py\", line 3\n    x()\n"+
		"torch.OutOfMemoryError: CUDA out of memory\n")
	l, _ := open(t, dir)
	if g := l.Glance(); g.Failure != "torch.OutOfMemoryError: CUDA out of memory" {
		t.Errorf("failure is %q", g.Failure)
	}
}

func TestPickledArgumentsAreWalkedOver(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "trainer_state.json"), `{"global_step": 1, "max_steps": 2, "log_history": [{"loss": 1, "step": 1}]}`)
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	pickle := "\x80\x02ctrl.trainer.sft_config\nSFTConfig\nq\x00)\x81q\x01}q\x02(" +
		text("output_dir") + "q\x03" + text("/out") + "q\x04" + text("learning_rate") + "q\x05G" +
		string(binary.BigEndian.AppendUint64(nil, math.Float64bits(0.25))) + text("report_to") + "]q\x06(" + text("a") + text("b") +
		"e" + text("one") + "]q\x07" + text("x") + "a" + text("lr_scheduler_type") + "q\x08ctransformers\nSchedulerType\nq\x09" +
		text("cosine") + "q\x0a\x85q\x0bRq\x0c" + text("again") + "h\x0c" + text("none") + "N" + text("bf16") + "\x88" + text("run_name") + "h\x04" + "ub."
	f, err := os.Create(filepath.Join(dir, argumentsFile))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, _ := z.Create("training_args/data.pkl")
	w.Write([]byte(pickle))
	z.Close()
	f.Close()
	l, _ := open(t, dir)
	var got []string
	for _, s := range l.Settings() {
		got = append(got, s.Key+"="+s.Value)
	}
	want := "output_dir=/out learning_rate=0.25 lr_scheduler_type=cosine again=cosine bf16=true run_name=/out"
	if strings.Join(got, " ") != want || l.Tool != TRL {
		t.Errorf("%s: %s\nwant %s", l.Tool, strings.Join(got, " "), want)
	}
}

func TestWhatWasPrintedBesideARunIsNoSecondOne(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "o.log"), "{'loss': 2.5, 'epoch': 0.1}\n")
	if found := Search(dir); len(found) != 1 || found[0].Dir != dir {
		t.Errorf("what was printed alone: %d runs", len(found))
	}
	write(t, filepath.Join(dir, "out", "trainer_log.jsonl"), llamaRows)
	if found := Search(dir); len(found) != 1 || found[0].Dir != filepath.Join(dir, "out") {
		t.Errorf("beside a run: %d runs", len(found))
	}
}

// An adapter's configuration alone is no adapter that could be asked.
func TestAnAdapterHasWeights(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "trainer_log.jsonl"), llamaRows)
	write(t, filepath.Join(dir, "adapter_config.json"), "{}")
	if l, _ := open(t, dir); l.Adapter() != "" {
		t.Errorf("%q is taken for an adapter without weights", l.Adapter())
	}
	write(t, filepath.Join(dir, "adapter_model.safetensors"), "x")
	if l, _ := open(t, dir); l.Adapter() != dir {
		t.Errorf("the adapter is %q, not %q", l.Adapter(), dir)
	}
}
