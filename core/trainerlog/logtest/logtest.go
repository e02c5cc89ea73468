// Package logtest makes folders of other trainers' runs for tests and benchmarks.
package logtest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"finetui/core/linetail"
)

// masked is the checksum as TFRecord has it.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, linetail.Castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// State makes a folder as HF Trainer leaves it, with a trainer_state.json of so many rows of four figures.
func State(t testing.TB, rows int) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "trainer_state.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "{\n  \"best_metric\": null,\n  \"epoch\": 3.0,\n  \"global_step\": %d,\n  \"log_history\": [", rows)
	for i := range rows {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, "\n    {\n      \"entropy\": %.15g,\n      \"epoch\": %.6f,\n      \"grad_norm\": %.17g,\n      "+
			"\"learning_rate\": %.17g,\n      \"loss\": %.4f,\n      \"step\": %d\n    }", 1/float64(i+3),
			3*float64(i)/float64(rows), 1+math.Sin(float64(i)), 1e-4*float64(rows-i)/float64(rows), 2+math.Cos(float64(i)/7), i+1)
	}
	fmt.Fprintf(w, "\n  ],\n  \"is_world_process_zero\": true,\n  \"max_steps\": %d\n}\n", rows)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Events makes a folder with an event file of so many steps of four scalars, each an event of its own as TensorBoard's
// writer makes them.
func Events(t testing.TB, rows int) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "events.out.tfevents.1700000000.host.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	record := func(data []byte) {
		head := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
		w.Write(binary.LittleEndian.AppendUint32(head, masked(head)))
		w.Write(data)
		w.Write(binary.LittleEndian.AppendUint32(nil, masked(data)))
	}
	event := func(step int, tag string, v float32) {
		value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), tag)
		value = protowire.AppendFixed32(protowire.AppendTag(value, 2, protowire.Fixed32Type), math.Float32bits(v))
		summary := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), value)
		e := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type),
			math.Float64bits(1.7e9+float64(step)))
		e = protowire.AppendVarint(protowire.AppendTag(e, 2, protowire.VarintType), uint64(step))
		record(protowire.AppendBytes(protowire.AppendTag(e, 5, protowire.BytesType), summary))
	}
	record(protowire.AppendString(protowire.AppendTag(protowire.AppendFixed64(protowire.AppendTag(nil, 1,
		protowire.Fixed64Type), math.Float64bits(1.7e9)), 3, protowire.BytesType), "brain.Event:2"))
	for i := range rows {
		x := float64(i)
		event(i+1, "train/loss", float32(2+math.Cos(x/7)))
		event(i+1, "train/learning_rate", float32(1e-4*(1-x/float64(rows))))
		event(i+1, "train/grad_norm", float32(1+math.Sin(x)))
		event(i+1, "train/entropy", float32(1/(x+3)))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}
