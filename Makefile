# finetui. Two commands matter: make run, make test.

PROGRAM := bin/finetui

.PHONY: run test test-torch test-gpu bench bench-torch build install race kill simulate clean

# On a terminal the workbench, else the whole chain on the demo project.
run: build
	@if [ -t 0 ] && [ -t 1 ]; then exec $(PROGRAM); else exec $(PROGRAM) demo; fi

build:
	@[ -x $(PROGRAM) ] || echo "building $(PROGRAM); the first time takes a minute or two, which nothing is printed in"
	go build -ldflags "-X main.revision=$$(git describe --always --dirty 2>/dev/null)" -o $(PROGRAM) ./tui

# Puts finetui where Go puts programs (GOBIN), else into ~/.local/bin, and says where if that is not on the PATH.
install: build
	@to=$$(go env GOBIN); to=$${to:-$$HOME/.local/bin}; mkdir -p "$$to" && install $(PROGRAM) "$$to/finetui" && echo "$$to/finetui" && \
	case ":$$PATH:" in *":$$to:"*) ;; *) echo "$$to is not on your PATH; add it, or call the program by that path";; esac

# Vet, staticcheck, every test (a busy machine has its time), the engine against the reference outputs that lie here, then
# the race detector on what is concurrent.
test:
	go vet ./...
	go tool staticcheck ./...
	go test -timeout 2h ./...
	FINETUI_GOLDEN=testdata/golden go test -run Golden ./ml/...
	$(MAKE) race

# How exact kernels are is tested without the detector, which slows down the plain arithmetic beside them.
race:
	go test -race -skip 'Float64|FollowsTheRecurrence|TheyWerePackedFrom' ./ml/blas
	go test -race ./ml/graph ./ml/train ./core/gpu ./core/run ./core/media ./core/video ./core/model ./core/model/hub ./views ./views/viewtest

# PyTorch as an engine: parity with ours, kill and resume. FINETUI_PYTHON names a Python with torch, transformers and peft;
# without one the tests say so and are skipped.
test-torch:
	go test -count 1 -timeout 0 -v -run Torch ./core/finetune

# What only a GPU can show: 20 steps of Qwen2-VL-2B's shape with a kill on the way, speed and memory, parity. FINETUI_PYTHON is
# a Python with torch and transformers; a wheel of peft in bin (pip download --no-deps -d bin peft) does where it is missing.
# SHAPE=tiny tries the same without a GPU.
test-gpu: build
	$${FINETUI_PYTHON:-python3} ml/torch/testgpu.py $(PROGRAM) $(SHAPE)

# A run is killed before every rename, link, removal and sync of its files, and at random moments, and must come to the
# checkpoints, links, rows and checks of an unbroken one: one on pictures, and one on clips that trains projectors too. So
# are a sweep's process and a run under it: the same table and adapters, no run lost or made twice.
kill:
	FINETUI_KILLS=all go test -count 1 -timeout 0 -v -run Killed ./core/finetune ./core/sweep

# 1,000 simulated experiments for each figure: how often intervals hold the truth, seeds and items needed tell a difference,
# and two seeds of one recipe are told apart. make test takes 250.
simulate:
	FINETUI_SIMULATE=1 go test -count 1 -v -run 'HoldTheTruth|FourOfFive|NotToldApart' ./core/eval

# One table of the engine's speeds, each beside something measured in the same run; ROWS="layer decode" chooses.
bench:
	go run ./ml/bench $(ROWS)
	go run ./core/bench $(ROWS)
	$(if $(ROWS),,go test -run '^$$' -bench QVED -benchtime 3x ./core/dataset)

# The same optimizer steps and decoding in PyTorch, in turn with ours. FINETUI_PYTHON names a Python with torch,
# transformers and peft; without one this says so.
bench-torch:
	go run ./ml/bench/torch $(ROWS)

clean:
	rm -rf bin
