package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	sys "golang.org/x/sys/unix"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/viewtest"
)

// opened counts how often each file of a folder has been opened so far.
func opened(t *testing.T, folder string) func() map[string]int {
	t.Helper()
	fd, err := sys.InotifyInit1(sys.IN_NONBLOCK | sys.IN_CLOEXEC)
	if err != nil {
		t.Skipf("this system does not say who opens files: %v", err)
	}
	t.Cleanup(func() { sys.Close(fd) })
	if _, err := sys.InotifyAddWatch(fd, folder, sys.IN_OPEN); err != nil {
		t.Skipf("this system does not say who opens files: %v", err)
	}
	counts := map[string]int{}
	return func() map[string]int {
		events := make([]byte, 1<<16)
		for {
			n, err := sys.Read(fd, events)
			if err != nil || n <= 0 {
				return counts
			}
			for at := 0; at+sys.SizeofInotifyEvent <= n; {
				event := (*sys.InotifyEvent)(unsafe.Pointer(&events[at]))
				at += sys.SizeofInotifyEvent
				if name := string(bytes.TrimRight(events[at:at+int(event.Len)], "\x00")); name != "" {
					counts[name]++
				}
				at += int(event.Len)
			}
		}
	}
}

// everyPane waits until each pane shows what it makes of the data set.
func everyPane(d *viewtest.Driver) {
	for _, pane := range [][2]string{{"1", "60 objects"}, {"4", "Samples of test"}} {
		d.Press(pane[0]).Wait("the pane "+pane[0], func() bool {
			return d.Shows(pane[1]) && !d.Shows("reading again")
		})
	}
	d.Press("2").Wait("the consequences", func() bool {
		return d.Shows("an epoch") && !d.Shows("working out") && !d.Shows("reading the data set")
	})
}

func TestTheWorkbenchReadsTheDataSetOnceForAllPanes(t *testing.T) {
	inSmallProject(t)
	labels := filepath.Join("data", "train", "labels")
	count := opened(t, labels)
	file, err := config.Load(configFile)
	if err != nil {
		t.Fatal(err)
	}
	r := newWorkbench(file, nil)
	d := viewtest.OpenModel(t, r, 140, 40)
	everyPane(d)
	once := func(when string, want int) {
		t.Helper()
		files, _ := os.ReadDir(labels)
		got := count()
		for _, f := range files {
			if got[f.Name()] != want {
				t.Errorf("%s: %s was opened %d times, not %d", when, f.Name(), got[f.Name()], want)
			}
		}
	}
	once("opened", 1)
	if err := file.Set("TRAIN.EPOCHS", "7"); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: file})
	everyPane(d)
	once("after a change of TRAIN", 1)

	// One more object in a label file: all panes know it after one reload.
	path := filepath.Join(labels, "slope_0001.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, []byte("0 .5 .5 .1 .1\n")...), 0o644); err != nil {
		t.Fatal(err)
	}
	before := count()["slope_0001.txt"]
	d.Press("1", "ctrl+r").Wait("the object in Data", func() bool { return d.Shows("61 objects") })
	d.Press("2").Wait("the object in Config", func() bool { return d.Shows("41 an epoch") && !d.Shows("working out") })
	if got := count()["slope_0001.txt"] - before; got != 1 {
		t.Errorf("a reload opened the changed file %d times", got)
	}
}
