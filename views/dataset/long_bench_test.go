//go:build linux

package dataset

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"finetui/core/config"
	data "finetui/core/dataset"
	"finetui/core/level"
	"finetui/views"
	"finetui/views/viewtest"
)

// longData is a set of so many pictures with ten objects and two findings each.
func longData(pictures int) *data.Dataset {
	rng := rand.New(rand.NewPCG(1, 2))
	set := &data.Dataset{Splits: []string{"train", "valid"}}
	for i, name := range []string{"rock toe damaged", "slope drain", "vegetation", "rock toe", "slope drain damaged",
		"slope drain blocked", "Toe drain- Blocked", "Toe drain- Damaged", "Toe drain"} {
		set.Classes = append(set.Classes, data.Class{Name: name, Object: "drain",
			Condition: []string{"normal", "damaged", "blocked"}[i%3]})
	}
	for i := range pictures {
		split := set.Splits[i%5/4]
		item := data.Item{ID: fmt.Sprintf("%s/picture-%06d", split, i), Split: split, Width: 640, Height: 480,
			Media:  fmt.Sprintf("/data/%s/images/picture-%06d.jpg", split, i),
			Labels: fmt.Sprintf("/data/%s/labels/picture-%06d.txt", split, i)}
		for range 10 {
			x, y := 0.9*rng.Float64(), 0.9*rng.Float64()
			item.Objects = append(item.Objects, data.Object{Class: rng.IntN(9),
				Box: data.Box{X0: x, Y0: y, X1: x + 0.1, Y1: y + 0.1}})
		}
		set.Items = append(set.Items, item)
		for row := range 2 {
			set.Findings = append(set.Findings, data.Finding{Code: [...]string{"clipped", "tiny"}[row],
				Level: level.Warn, File: item.Labels, Line: row + 1, Text: "reaches past the edge", Do: "look"})
		}
	}
	return set
}

// BenchmarkLongLists presses keys in every view of a set of 100,000 pictures, a million objects and 200,000 findings.
// key-cpu-ms is the most that one of them takes of the goroutine that draws, with its drawing; list-ms, by the clock,
// how long the slowest list is on its way.
func BenchmarkLongLists(b *testing.B) {
	file, err := config.Preset("demo")
	if err != nil {
		b.Fatal(err)
	}
	p := New(file, control())
	p.Update(tea.WindowSizeMsg{Width: 120, Height: 30})
	now := views.Dataset{Set: longData(100_000), Of: file.Config.Dataset, Root: file.Root}
	p.data, p.loaded = now, load(now)
	p.arrive(p.loaded)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu := func() time.Duration {
		var t unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
		return time.Duration(t.Nano())
	}
	var slowest, longest time.Duration
	press := func(name string) {
		key := viewtest.Key(name)
		began := cpu()
		if a, ok := views.Find(p.Actions(), key.String()); ok && !p.Capturing() {
			a.Run()
		} else {
			p.Update(key)
		}
		p.View(theme, 120, 30)
		slowest = max(slowest, cpu()-began)
		if !p.views.Listing() {
			return
		}
		asked := time.Now()
		view := p.views.View()
		put := view.List()(b.Context()) // as the command that is on its way does
		longest = max(longest, time.Since(asked))
		p.views.Forget()
		put()
	}
	for b.Loop() {
		for _, view := range p.views.Names() {
			p.views.Show(view)
			for _, key := range []string{"down", "up", "/", "d", "r", "enter", "/", "v", "enter", "s", "s", "s"} {
				press(key)
			}
		}
	}
	b.ReportMetric(slowest.Seconds()*1000, "key-cpu-ms")
	b.ReportMetric(longest.Seconds()*1000, "list-ms")
}
