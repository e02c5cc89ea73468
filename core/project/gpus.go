package project

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/level"
	"finetui/core/printable"
)

// GPURoom is a GPU that a run is going to compute on: what it takes of its memory, and what is free there now.
type GPURoom struct {
	Index  int
	Name   string // "" where unknown
	Need   int64  // bytes
	Free   int64  // bytes; 0 where Known is false
	Known  bool   // the driver gives Free
	Others int    // processes that compute there now
}

// Fits says whether there is room, as far as it is known.
func (g GPURoom) Fits() bool { return !g.Known || g.Need <= g.Free }

// String is a row of it: "GPU 0 NVIDIA H200: takes about 17.1 GiB, 139.0 GiB are free".
func (g GPURoom) String() string {
	text := strings.TrimRight(fmt.Sprintf("GPU %d %s", g.Index, g.Name), " ") + ": takes about " +
		printable.Bytes(g.Need)
	if !g.Known {
		return text + "; what is free there is not known"
	}
	text += ", " + printable.Bytes(g.Free) + " are free"
	if g.Others > 0 {
		text += " beside " + dataset.Counted(g.Others, "process", "processes")
	}
	if !g.Fits() {
		text += ": it does not fit"
	}
	return text
}

// rooms are the GPUs that processes of a run will have, one each, by what the driver says of all: those that
// CUDA_VISIBLE_DEVICES names (gpu.Visible). need is what each process takes there.
func rooms(devices []gpu.Device, visible []string, processes int, need int64) (list []GPURoom) {
	for i, name := range visible[:min(len(visible), processes)] {
		at := slices.IndexFunc(devices, func(d gpu.Device) bool {
			return d.UUID == name || name != "" && strings.HasPrefix(d.UUID, name) || strconv.Itoa(d.Index) == name
		})
		g := GPURoom{Index: i, Need: need}
		if at >= 0 {
			d := devices[at]
			g.Index, g.Name, g.Others = d.Index, d.Name, len(d.Processes)
			if d.MemoryTotal != nil && d.MemoryUsed != nil {
				g.Known, g.Free = true, int64(*d.MemoryTotal-min(*d.MemoryUsed, *d.MemoryTotal))
			}
		}
		list = append(list, g)
	}
	return list
}

// roomFindings are what a person should know of GPUs before a run is started.
func roomFindings(list []GPURoom) (out []dataset.Finding) {
	for _, g := range list {
		if !g.Fits() {
			out = append(out, dataset.Finding{Code: "gpu_memory_short", Level: level.Warn, Text: g.String(),
				Do: "end what computes there, choose another by " + gpu.VisibleVariable + ", or a smaller base; " +
					"TRAIN.CHECKPOINTING = true, a lower MODEL.MAX_PIXELS and TORCH.QUANTIZATION = \"nf4\" lower what " +
					"it takes"})
		}
	}
	return out
}

// Python's processes, with torch, transformers and peft loaded, and what CUDA keeps on a GPU for each beside what
// PyTorch takes there.
const (
	pythonHeld  = 550 << 20
	contextHeld = 600 << 20
)

// onTorch sets what a run demands of memory where PyTorch computes, on GPUs or without.
func (s *process) onTorch(d *demand, onGPU bool) {
	d.Processes = max(1, s.p.Config.Torch.Processes) // of this machine
	d.Memory, d.Device = s.torchHeld(onGPU)
	d.Memory = d.Memory*int64(d.Processes) + programPages + runtimePages + // and of the run's own process
		2*(startHeap+perItem*int64(len(s.p.Data.Items))+perObject*int64(len(s.all)+len(s.valid)))
}

// onGPUs sets what a cost is where PyTorch computes on GPUs. The clock, which is that of cores, is worth nothing there.
func (c *Cost) onGPUs(d *demand, visible []string, snapshot func() ([]gpu.Device, error)) {
	if len(visible) == 0 {
		return
	}
	c.Looks, c.Steps, c.Checks, c.Time = 0, 0, 0, 0
	devices, _ := snapshot() // what is not known is said
	c.GPUs = rooms(devices, visible, d.Processes, d.Device)
}

// torchHeld is the most that each process of PyTorch is going to hold, in bytes: of the machine's memory, and of a GPU
// where it has one. It is worked out by what trainer.py keeps for the way back: one sample at a time.
func (s *process) torchHeld(onGPU bool) (host, device int64) {
	c := s.p.Config
	width := int64(4)
	if c.Torch.DType == config.DTypeBFloat16 || c.Torch.DType == config.DTypeAuto && onGPU {
		width = 2
	}
	values, _ := s.model.Adapters()
	processes := int64(max(1, c.Torch.Processes*max(1, len(c.Torch.Hosts))))
	products, perToken, layer := s.torchTokens(width)
	weights := width * s.sizes.Parameters
	if c.Torch.Quantization == config.QuantizationNF4 {
		weights -= products * width * 73 / 100 // 0.54 bytes of two, with the scales
	}
	if c.Torch.DeepSpeed == config.DeepSpeedZeRO3 {
		weights -= products * width * (processes - 1) / processes
	}
	const perValue = 4 * 6 // value, gradient, two moments, the gradients of all processes put together and scaled
	model := weights + perValue*int64(values)
	most, seen, kept := int64(0), int64(0), int64(0)
	for _, list := range [][]*weight{s.all, s.valid} {
		for _, w := range list {
			rows := int64(w.tokens) * perToken
			if c.Train.Checkpointing {
				rows = int64(w.tokens) * (layer + int64(s.sizes.Layers*s.sizes.Hidden)*width)
			}
			most = max(most, rows+int64(w.supervised)*int64(s.sizes.Vocab)*(2*4+width))
			seen = max(seen, int64(w.patches)*int64(s.sizes.VisionRow)*4*8)
			kept += int64(w.features*s.sizes.Hidden) * width
		}
	}
	if s.trains {
		kept = 0
	}
	work := model + kept + max(most, seen)
	if onGPU {
		return pythonHeld + weights/8, contextHeld + work // the host reads the weights shard by shard
	}
	return pythonHeld + work, 0
}

// torchTokens is what PyTorch keeps of a token until the way back, in all layers and in one, and how many weights the
// products of the language model have.
func (s *process) torchTokens(width int64) (products, all, layer int64) {
	for _, x := range s.kind.Products() {
		if strings.HasPrefix(x.Module, "visual.") {
			continue
		}
		in, out := int64(x.In), int64(x.Out)
		products += in * out
		all += width * out
		if s.rank(x.Module) > 0 {
			if width < 4 {
				all += 4 * in // the adapter works in float32
			}
			if s.p.Config.LoRA.Dropout > 0 {
				all += 5 * in // its mask, and what it leaves
			}
			all += 4 * int64(s.rank(x.Module))
		}
		if strings.HasSuffix(x.Module, "down_proj") {
			all += 3 * width * in // both sides of the gate
		}
	}
	all += int64(s.sizes.Layers*s.sizes.Hidden) * (2*4 + 6*width) // norms, and what is added to
	return products, all, all / int64(max(1, s.sizes.Layers))
}
