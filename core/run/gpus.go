package run

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"finetui/core/gpu"
)

// The rules of what is said of GPUs, from the newest rows of the machine.
const (
	gpuRows      = 20   // rows that are looked at: a minute
	idleFrom     = 40.0 // percent of the time in which no kernel ran, above which that is worth a word
	behindFrom   = 25.0 // percentage points below the mean of the others
	throttleFrom = 0.25 // share of the rows in which something held the clocks down
	fullFrom     = 0.97 // share of the memory that is taken
)

// GPUNote is a sentence on one GPU.
type GPUNote struct {
	Index int
	Text  string
	Warn  bool
}

// GPU is what a row says of a GPU; false: nothing.
func (r *System) GPU(index int) (GPU, bool) {
	for _, g := range r.GPUs {
		if g.Index == index {
			return g, true
		}
	}
	return GPU{}, false
}

// GPUs are the numbers of the GPUs that a run has reported, in order.
func (h *History) GPUs() (all []int) {
	for _, row := range h.System {
		for _, g := range row.GPUs {
			if !slices.Contains(all, g.Index) {
				all = append(all, g.Index)
			}
		}
	}
	slices.Sort(all)
	return all
}

// machine is the newest row of the machine; an empty one where there is none.
func (h *History) machine() *System {
	if len(h.System) == 0 {
		return &System{}
	}
	return h.System[len(h.System)-1]
}

// GPU is what the newest row says of a GPU; false: nothing.
func (h *History) GPU(index int) (GPU, bool) { return h.machine().GPU(index) }

// OwnGPUs are those that processes of the run compute on, by the newest row. Where it is not known whose the processes
// are, or the driver does not list them, there is none.
func (h *History) OwnGPUs() (own []int) {
	for _, g := range h.machine().GPUs {
		if g.own() {
			own = append(own, g.Index)
		}
	}
	return own
}

// own says whether a process of the run is known to compute on the GPU.
func (g *GPU) own() bool {
	return slices.ContainsFunc(g.Processes, func(p GPUProcess) bool { return p.Own })
}

// GPUNotes says what is worth a sentence of the GPUs: one that is lost, held back, shared with others, full, or idle
// while the run goes on. Where the run's own GPUs are known, idleness of the others is not its matter.
func (h *History) GPUNotes(spent TimeSpent) (notes []GPUNote) {
	rows := h.System[max(len(h.System)-gpuRows, 0):]
	all, own := h.GPUs(), h.OwnGPUs()
	mean := map[int]float64{}
	for _, index := range all {
		mean[index] = meanUtil(rows, index)
	}
	for _, index := range all {
		add := func(warn bool, format string, a ...any) {
			notes = append(notes, GPUNote{index, fmt.Sprintf("GPU %d ", index) + fmt.Sprintf(format, a...), warn})
		}
		g, there := h.GPU(index)
		switch {
		case !there:
			add(true, "is no longer reported by the driver")
			continue
		case g.Lost:
			add(true, "has fallen off the bus: restart the machine")
			continue
		}
		if word, share := heldBack(rows, index); share >= throttleFrom {
			add(word != gpu.PowerCap, "is held back by its %s in %s of the samples%s", word, percent(share), heldAt(g, word))
		}
		if text := others(g); text != "" {
			add(true, "is shared: %s", text)
		}
		if g.MemoryUsed != nil && g.MemoryTotal != nil && *g.MemoryTotal > 0 {
			if full := float64(*g.MemoryUsed) / float64(*g.MemoryTotal); full >= fullFrom {
				add(true, "has %s of its memory taken: the next longer sample may not fit", percent(full))
			}
		}
		if len(own) > 0 && !slices.Contains(own, index) {
			continue
		}
		if idle := 100 - mean[index]; idle >= idleFrom { // not where it is not known
			add(true, "is idle %.0f %% of the time%s", idle, spent.idleFor())
		} else if rest := meanOfOthers(mean, index, own); rest-mean[index] >= behindFrom {
			add(true, "works %.0f %% of the time, the others %.0f %%: the shares of the samples differ, or it waits for "+
				"them", mean[index], rest)
		}
	}
	slices.SortStableFunc(notes, func(a, b GPUNote) int { // warnings first
		switch {
		case a.Warn == b.Warn:
			return 0
		case a.Warn:
			return -1
		}
		return 1
	})
	return notes
}

// meanUtil is how much of the time a kernel ran on a GPU, in percent; NaN where the driver does not say.
func meanUtil(rows []*System, index int) float64 {
	var all []float64
	for _, row := range rows {
		if g, there := row.GPU(index); there && g.Util != nil {
			all = append(all, *g.Util)
		}
	}
	return Mean(all)
}

// meanOfOthers is that of the GPUs that the run computes on (none known: of all), without one of them.
func meanOfOthers(mean map[int]float64, index int, own []int) float64 {
	var all []float64
	for _, other := range slices.Sorted(maps.Keys(mean)) {
		if other != index && (len(own) == 0 || slices.Contains(own, other)) {
			all = append(all, mean[other])
		}
	}
	return Mean(all)
}

// heldBack is what held a GPU's clocks down most often, and the share of the rows in which it did.
func heldBack(rows []*System, index int) (word string, share float64) {
	counts, n := map[string]int{}, 0
	for _, row := range rows {
		g, there := row.GPU(index)
		if !there {
			continue
		}
		n++
		for _, word := range g.Throttle {
			counts[word]++
		}
	}
	for _, w := range slices.Sorted(maps.Keys(counts)) {
		// being at the power limit is usual, so anything else goes before it
		if word == "" || word == gpu.PowerCap || w != gpu.PowerCap && counts[w] > counts[word] {
			word = w
		}
	}
	return word, float64(counts[word]) / float64(max(n, 1))
}

// heldAt is the figure beside what holds a GPU back.
func heldAt(g GPU, word string) string {
	switch {
	case word == gpu.Heat && g.Temperature != nil:
		return fmt.Sprintf(" (%.0f °C)", *g.Temperature)
	case word == gpu.PowerCap && g.PowerLimit != nil:
		return fmt.Sprintf(" (%.0f W), as is usual under full load", *g.PowerLimit)
	}
	return ""
}

// others says which processes besides the run's own compute on a GPU; empty where it is not known which are its own.
func others(g GPU) string {
	if !g.own() {
		return ""
	}
	type share struct {
		n      int
		memory uint64
	}
	users := map[string]share{}
	for _, p := range g.Processes {
		if p.Own {
			continue
		}
		s := users[cmp.Or(p.User, "somebody")]
		s.n++
		if p.Memory != nil {
			s.memory += *p.Memory
		}
		users[cmp.Or(p.User, "somebody")] = s
	}
	var parts []string
	for _, user := range slices.Sorted(maps.Keys(users)) {
		s, noun := users[user], "processes"
		if s.n == 1 {
			noun = "process"
		}
		text := fmt.Sprintf("%d %s of %s", s.n, noun, user)
		if s.memory > 0 {
			text += fmt.Sprintf(" with %.1f GiB", float64(s.memory)/(1<<30))
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// idleFor is what a run does while its GPU does nothing, where the times of its steps tell.
func (s TimeSpent) idleFor() string {
	total := s.Within()
	if total <= 0 || math.IsNaN(total) {
		return ""
	}
	switch rest := s.Rest / (s.Rest + total); {
	case s.Data/total >= waitsSome:
		return fmt.Sprintf(": pictures and clips take %s of the step", percent(s.Data/total))
	case rest >= waitsSome:
		return fmt.Sprintf(": checks and checkpoints take %s of the time", percent(rest))
	}
	return ": its kernels are small, or wait; a larger TRAIN.BATCH_SIZE would fill it"
}
