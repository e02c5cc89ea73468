"""The other end of package torch: LoRA fine-tuning of Qwen2-VL, and of Mobile-VideoGPT with its projectors, by torch,
transformers and peft, one command at a time.

A command is a line of JSON on standard input; where it has "tensors", their bytes follow, one after the other. The
answer is a line of JSON on standard output. What a step takes comes ready: tokens, rotary positions, patches, weights.
Nothing is read from a data set here, nothing is drawn at random but dropout, whose seed is the sample's own, and no
file is written but those of a checkpoint, into a folder that the caller has made. When standard input ends, so does the
process.

Of several processes, which torchrun starts, each has a socket to the caller in place of standard input and output, and
its own samples of a step. They meet in one all-reduce: the gradients of all trained values and the loss, which are then
divided once, by the weight of all samples. So each takes the same optimizer step, and one process alone the same as
several.
"""
import contextlib
import glob
import json
import math
import os
import select
import signal
import socket
import sys
import threading
import time
import warnings

RANK, WORLD, LOCAL = (int(os.environ.get(k, d)) for k, d in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))
GRACE = 5  # seconds in which a process may end by itself when its caller has gone


def connect():
    """Where commands come from, and where answers go: standard input and output, or a socket of the caller's, whose
    place and password stand in the file that the first argument names."""
    if len(sys.argv) < 2:
        return sys.stdin.buffer, os.fdopen(os.dup(1), "w")
    with open(sys.argv[1], encoding="utf-8") as file:
        hub = json.load(file)
    line = socket.create_connection((hub["host"], hub["port"]), timeout=60)
    line.settimeout(None)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    boot, log = "", ""
    with contextlib.suppress(OSError):
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        log = os.readlink("/proc/self/fd/2")
    answers = line.makefile("w")
    print(json.dumps(dict(password=hub["password"], rank=RANK, world=WORLD, pid=os.getpid(), boot=boot, log=log,
                          host=socket.gethostname())), file=answers, flush=True)
    return line.makefile("rb"), answers


def watch(line):
    """Ends the process soon after its caller is gone, whatever it is waiting for."""
    poll = select.poll()
    poll.register(line, getattr(select, "POLLRDHUP", 0))
    while not poll.poll():
        pass
    time.sleep(GRACE)
    os._exit(1)


def told_to_end(number, frame):
    """SIGTERM is the caller's to answer: every answer says that it came, and a step that is under way is finished."""
    told.append(signal.Signals(number).name)


told = []
signal.signal(signal.SIGTERM, told_to_end)
for quiet in (signal.SIGINT, signal.SIGHUP):  # the run's own process decides when to end
    signal.signal(quiet, signal.SIG_IGN)
commands, answers = connect()
sys.stdout = sys.stderr  # what libraries print is no answer
threading.Thread(target=watch, args=(commands.fileno(),), daemon=True).start()
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
warnings.filterwarnings("ignore")

import peft
import torch
import torch.distributed
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()

ADAPTER, OPTIMIZER, PROJECTORS = "adapter_model.safetensors", "optimizer.pt", "non_lora_trainables.safetensors"
IMAGE, VIDEO = ("image_mm_projector", 12), ("mm_projector", 7)  # Mobile-VideoGPT's, each with its map's side
TYPES = dict(f32=torch.float32, i32=torch.int32)
OWN = "loss_scaler", "zero_stage", "param_slice_mappings"  # DeepSpeed's objects in its state; a checkpoint has none

CHUNK = 8  # frames that Mobile-VideoGPT's video encoder chooses from


class NotFinite(Exception):
    """The loss or its gradient is no finite number."""


class Alone(Exception):
    """The other processes cannot be reached."""


class Projector(torch.nn.Module):
    """Two linear layers, averages over a map of grid x grid tokens, and what their neighbours add to them."""

    def __init__(self, grid, tensors):
        super().__init__()
        self.grid = grid
        self.width = tensors["mlp.mlp.0.weight"].shape[1]
        self.names = {name: name.replace(".", "_") for name in sorted(tensors)}
        for name, own in self.names.items():
            self.register_parameter(own, torch.nn.Parameter(tensors[name]))

    def named(self):
        return {name: getattr(self, own) for name, own in self.names.items()}

    def forward(self, x):
        """[maps, patches, width] -> [maps, grid * grid, hidden]"""
        p = self.named()
        x = F.gelu(F.linear(x, p["mlp.mlp.0.weight"], p["mlp.mlp.0.bias"]))
        x = F.linear(x, p["mlp.mlp.2.weight"], p["mlp.mlp.2.bias"]).transpose(1, 2)
        side = math.isqrt(x.shape[2])
        x = F.adaptive_avg_pool2d(x.unflatten(2, (side, side)), self.grid)
        near = F.conv2d(x, p["peg.peg.0.weight"], p["peg.peg.0.bias"], padding=1, groups=x.shape[1])
        return (x + near).flatten(2).transpose(1, 2)


def stored(base):
    """The tensors of a checkpoint, whole or in shards."""
    files = sorted(glob.glob(os.path.join(glob.escape(base), "model*.safetensors")))
    for file in files:
        yield from load_file(file).items()
    for file in [] if files else sorted(glob.glob(os.path.join(glob.escape(base), "pytorch_model*.bin"))):
        yield from torch.load(file, map_location="cpu", weights_only=True).items()


def load_video(base, config, dtype, attention):
    """The language model of a Mobile-VideoGPT, and its projectors: what its encoders see comes with the samples."""
    own = {k: v for k, v in config.items() if k not in ("model_type", "architectures", "torch_dtype", "dtype")}
    model = transformers.Qwen2ForCausalLM._from_config(transformers.Qwen2Config(**own), dtype=dtype,
                                                       attn_implementation=attention)
    text, parts = {}, {IMAGE: {}, VIDEO: {}}
    wanted = model.state_dict()
    for name, value in stored(base):
        of = [part for part in parts if name.startswith("model." + part[0] + ".")]
        if of:
            parts[of[0]][name.removeprefix("model." + of[0][0] + ".")] = value.float()
        elif name in wanted:
            text[name] = value
    if model.config.tie_word_embeddings:
        text.setdefault("lm_head.weight", text["model.embed_tokens.weight"])
    model.load_state_dict(text)
    return model, {name: Projector(grid, tensors) for (name, grid), tensors in parts.items()}


def four_bits():
    """The language model's products in 4 bits (Dettmers et al. 2023, "QLoRA"); tower and head stay as they are."""
    return transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                           bnb_4bit_compute_dtype=torch.bfloat16,
                                           llm_int8_skip_modules=["visual", "lm_head"])


class Trainer:
    def __init__(self, base, adapter, device, dtype, attention, quantized, threads, decay, clip, gamma, seed,
                 checkpointing, projectors):
        """base and adapter are folders; the adapter's values are where training begins. projectors says whether those
        of a video model are trained."""
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        if device == "cuda":
            torch.cuda.set_device(LOCAL)
        if WORLD > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo")
        self.device, self.clip, self.gamma, self.seed = torch.device(device), clip, gamma, seed
        with open(os.path.join(base, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        self.projectors = {}
        if config["model_type"] == "MobileVideoGPT_qwen":
            model, self.projectors = load_video(base, config, getattr(torch, dtype), attention)
        else:
            place = {"": LOCAL if device == "cuda" else "cpu"}
            more = dict(quantization_config=four_bits(), device_map=place) if quantized else {}
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                base, dtype=getattr(torch, dtype), attn_implementation=attention, **more)
        model.config.use_cache = False
        self.model = peft.PeftModel.from_pretrained(model, adapter, is_trainable=True)
        fits = peft.set_peft_model_state_dict(self.model, load_file(os.path.join(adapter, ADAPTER)))
        if fits.unexpected_keys:
            raise ValueError(f"the adapter is of another model: {fits.unexpected_keys[0]}")
        for parameter in self.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()  # whatever the base is
        if checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=dict(use_reentrant=False))
            self.model.enable_input_require_grads()
        self.inner, self.head = model.model, model.lm_head
        self.place()
        self.model.train()
        named = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        self.frozen = not any(".visual." in n for n, _ in named)
        groups = [dict(params=[p for _, p in named])]
        whole, self.fitted = [], projectors
        for part in self.projectors.values():
            part.to(self.device).requires_grad_(projectors)
            whole += part.named().items()
        if projectors:
            groups += [dict(params=[p for n, p in whole if not n.endswith(".bias")]),
                       dict(params=[p for n, p in whole if n.endswith(".bias")], weight_decay=0.0)]
        self.trained = [p for group in groups for p in group["params"]]
        self.trainable = sum(p.numel() for p in self.trained)  # before they may be dealt out
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=decay)
        self.steps = 0
        self.kept = {}  # what a frozen tower saw, by sample

    def place(self):
        """Brings the model to its device."""
        self.model.to(self.device)

    def text(self):
        """The language model."""
        return self.inner if self.projectors else self.inner.language_model

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.model.dtype == torch.bfloat16)

    def read(self, x, position, **more):
        """The language model over embeddings, position [3, 1, tokens] having the same rows three times in one of
        words."""
        return self.text()(inputs_embeds=x, position_ids=position[0] if self.projectors else position, **more)

    def project(self, sample):
        """The rows of clips and pictures, of which samples bring what the encoders saw: of each so many frames of
        patches, then for every CHUNK of frames a map of video patches. Every sample passes once through each projector,
        with no map where it has none: under DeepSpeed the processes meet there."""
        if sample["id"] not in self.kept:
            maps, counts, order, at = {n: [] for n in self.projectors}, {n: [0] for n in self.projectors}, [], 0
            for frames, image, video in sample["grids"]:
                for name, count, patches in ((IMAGE[0], frames, image), (VIDEO[0], frames // CHUNK, video)):
                    if not count:
                        continue
                    size = count * patches * self.projectors[name].width
                    maps[name].append(sample["pixels"][at:at + size].view(count, patches, -1))
                    counts[name].append(count)
                    order.append(name)
                    at += size
            for name, projector in self.projectors.items():
                none = torch.zeros(0, 1, projector.width)
                maps[name] = (torch.cat(maps[name]) if maps[name] else none).to(self.device)
            self.kept[sample["id"]] = maps, counts, list(self.projectors) + order
        maps, counts, order = self.kept[sample["id"]]
        rows = {name: iter(p(maps[name]).split(counts[name])) for name, p in self.projectors.items()}
        return torch.cat([next(rows[name]).flatten(0, 1) for name in order])

    def see(self, sample):
        """The rows that take the places of a sample's pictures [places, hidden]; None where it has none."""
        if self.projectors:
            return self.project(sample)
        if sample["id"] in self.kept:
            return self.kept[sample["id"]]
        if not sample["grids"]:
            return None
        pixels = sample["pixels"].view(-1, self.inner.visual.patch_embed.proj.weight[0].numel())
        out = self.inner.visual(pixels.to(self.device, self.inner.visual.dtype),
                                grid_thw=torch.tensor(sample["grids"], device=self.device))
        rows = out if isinstance(out, torch.Tensor) else out.pooler_output
        if self.frozen:
            self.kept[sample["id"]] = rows.detach()
        return rows

    def embed(self, sample):
        ids = sample["ids"].to(self.device).long()[None]
        x = self.model.get_input_embeddings()(ids)
        with torch.set_grad_enabled(torch.is_grad_enabled() and (self.fitted or not self.frozen)):
            rows = self.see(sample)
        if rows is not None:
            places = torch.zeros(ids.shape[1], dtype=torch.bool, device=self.device)
            places[sample["places"].to(self.device).long()] = True
            x = x.masked_scatter(places[None, :, None], rows.to(x.dtype))
        return x

    def losses(self, sample):
        """Plain and focal negative log-likelihood of the supervised positions, whether each was right, their
        weights."""
        target = sample["targets"].to(self.device).long()
        weight = sample["weights"].to(self.device)
        at = ((target >= 0) & (weight != 0)).nonzero()[:, 0]
        position = sample["pos"].to(self.device).long().view(3, 1, -1)
        with self.autocast():
            hidden = self.read(self.embed(sample), position, use_cache=False).last_hidden_state[0, at]
            logits = self.head(hidden).float()
        nll = F.cross_entropy(logits, target[at], reduction="none")
        focal = nll if self.gamma == 0 else (1 - (-nll).exp()) ** self.gamma * nll
        return nll, focal, logits.argmax(-1) == target[at], weight[at]

    def one(self, sample):
        """What losses says of a sample."""
        return self.losses(sample)

    def backward(self, total, tokens):
        if tokens:
            total.backward()

    def run(self, samples, learn):
        """The weighted sum of the samples' losses, and with learn its gradient."""
        took = dict(forward=0.0, backward=0.0, optimizer=0.0)
        loss, tokens, each = 0.0, 0, []
        for sample in samples:
            start = time.perf_counter()
            torch.manual_seed(hash((self.seed, self.steps, sample["key"])) & (1 << 63) - 1)
            with torch.set_grad_enabled(learn):
                nll, focal, right, weight = self.one(sample)
                total = (weight * focal).sum()
            took["forward"] += time.perf_counter() - start
            if learn:
                start = time.perf_counter()
                self.backward(total, len(nll))
                took["backward"] += time.perf_counter() - start
            loss += total.item()
            tokens += len(sample["ids"])
            nll = nll.detach().double()
            each.append(dict(Tokens=len(nll), Right=int(right.sum()), NLL=float(nll.sum()),
                             Weight=float(weight.double().sum()), Weighted=float((weight.double() * nll).sum())))
        return loss, tokens, each, took

    def step(self, samples, denominator, rate, projector_rate):
        """One optimizer step. denominator is the weight of the step's samples in all processes."""
        self.model.train()
        try:
            loss, tokens, each, took = self.run(samples, True)
            start = time.perf_counter()
            norm = self.meet(loss, denominator)
            for i, group in enumerate(self.optimizer.param_groups):
                group["lr"] = projector_rate if i else rate
            self.optimizer.step()
            self.steps += 1
            took["optimizer"] = time.perf_counter() - start
        finally:
            self.optimizer.zero_grad()
        return dict(loss=loss, norm=norm, tokens=tokens, samples=each, took=took)

    def meet(self, loss, denominator):
        """Adds gradients and loss up over all processes, divides them by the denominator, clips the gradients, and
        returns the norm that they had."""
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.trained]
        flat = torch.cat([g.reshape(-1) for g in parts] + [torch.tensor([loss], device=self.device)])
        if WORLD > 1:
            try:
                torch.distributed.all_reduce(flat)
            except RuntimeError as error:
                raise Alone(str(error).splitlines()[0]) from error
        flat /= denominator
        norm, loss = float(torch.linalg.vector_norm(flat[:-1])), float(flat[-1])
        if not (abs(loss) < float("inf") and norm < float("inf")):
            raise NotFinite(f"loss {loss}, norm of the gradient {norm}")
        if self.clip and norm > self.clip:
            flat *= self.clip / (norm + 1e-6)
        for p, g in zip(self.trained, flat[:-1].split([p.numel() for p in self.trained])):
            p.grad = g.view_as(p)
        return norm

    def check(self, samples):
        self.model.eval()
        loss, tokens, each, took = self.run(samples, False)
        return dict(loss=loss, tokens=tokens, samples=each, took=took)

    @torch.no_grad()
    def answer(self, samples, new, stop):
        """Greedy answers, in tokens."""
        self.model.eval()
        replies = []
        for sample in samples:
            start = time.perf_counter()
            position = sample["pos"].to(self.device).long().view(3, 1, -1)
            x, cache, said = self.embed(sample), transformers.DynamicCache(), []
            at = int(position.max()) + 1
            with self.autocast():
                while len(said) < new:
                    out = self.read(x, position, past_key_values=cache, use_cache=True)
                    token = int(self.head(out.last_hidden_state[0, -1:]).argmax())
                    if token in stop:
                        break
                    said.append(token)
                    x = self.model.get_input_embeddings()(torch.tensor([[token]], device=self.device))
                    position = torch.full((3, 1, 1), at, device=self.device)
                    at += 1
            replies.append(dict(Tokens=said, Seconds=time.perf_counter() - start))
        return dict(replies=replies)

    def held(self):
        """The most memory that this process held so far: of the machine as the system counts it, and of its GPU what
        PyTorch took there. 0 is not known."""
        host, gpu = 0, 0
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open("/proc/self/status", encoding="ascii") as file:
                host = int(file.read().split("VmHWM:")[1].split()[0]) << 10
        if self.device.type == "cuda":
            gpu = torch.cuda.max_memory_reserved()
        return dict(host=host, gpu=gpu)

    def save(self, folder):
        if RANK == 0:
            self.write(folder, dict(steps=self.steps, optimizer=self.optimizer.state_dict()))
        return {}

    def write(self, folder, state):
        """The files of a checkpoint, with the optimizer's state."""
        adapter = {k: v.contiguous() for k, v in peft.get_peft_model_state_dict(self.model).items()}
        save_file(adapter, os.path.join(folder, ADAPTER), dict(format="pt"))
        torch.save(state, os.path.join(folder, OPTIMIZER))
        files = [ADAPTER, OPTIMIZER]
        if self.fitted:
            save_file({f"base_model.model.model.{part}.{k}": v.detach().contiguous()
                       for part, p in self.projectors.items() for k, v in p.named().items()},
                      os.path.join(folder, PROJECTORS), dict(format="pt"))
            files.append(PROJECTORS)
        for name in files:
            keep(os.path.join(folder, name))

    def take(self, folder):
        """What is trained, as a checkpoint has it."""
        fits = peft.set_peft_model_state_dict(self.model, load_file(os.path.join(folder, ADAPTER)))
        strange = [k for k in fits.missing_keys if "lora_" in k] + list(fits.unexpected_keys)
        if strange:
            raise ValueError(f"{ADAPTER} is of another adapter: {strange[0]}")
        if self.fitted:
            whole = load_file(os.path.join(folder, PROJECTORS))
            with torch.no_grad():
                for part, p in self.projectors.items():
                    for k, v in p.named().items():
                        v.copy_(whole[f"base_model.model.model.{part}.{k}"])

    def restore(self, folder):
        state = torch.load(os.path.join(folder, OPTIMIZER), map_location=self.device, weights_only=True)
        self.take(folder)
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]
        return dict(steps=self.steps)


def keep(path):
    """Returns when a file is on the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


class Objective(torch.nn.Module):
    """What DeepSpeed sees as the model: the losses of a sample. Where it deals out the base, too (ZeRO-3), that is the
    language model and a video model's projectors: a tower keeps what it saw, so that not every process passes through
    it in every step."""

    def __init__(self, trainer, stage):
        super().__init__()
        parts = [trainer.text(), trainer.head] if stage == 3 else [trainer.model]
        self.parts = torch.nn.ModuleList(parts + list(trainer.projectors.values()))
        self.losses = trainer.losses

    def forward(self, sample):
        return self.losses(sample)


def builds():
    """Where PyTorch keeps what it compiles."""
    from torch.utils import cpp_extension

    return os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root()


def compiles(device):
    """Whether prebuild has something to compile yet. Each Python has a folder of its own, unless the user names one."""
    name = "deepspeed_shm_comm"
    own = "" if "TORCH_EXTENSIONS_DIR" in os.environ else "py%d%d_*" % sys.version_info[:2]
    found = glob.glob(os.path.join(glob.escape(builds()), own, name, name + ".so"))
    return dict(compiles=device == "cpu" and not found)


def prebuild(device):
    """Compiles what DeepSpeed needs on a processor, or loads it where that was done. PyTorch guards this by a file that
    a process which is killed meanwhile leaves there, and for which every later one waits for ever. Here it is done under
    a lock that ends with its process: a guard that is found then is nobody's."""
    if device == "cuda":
        return
    import fcntl

    from deepspeed.accelerator import get_accelerator

    root = builds()
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "finetui.lock"), "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for depth in "*", os.path.join("*", "*"):
            for guard in glob.glob(os.path.join(glob.escape(root), depth, "lock")):
                if "deepspeed" in os.path.basename(os.path.dirname(guard)):
                    os.remove(guard)
        builder = get_accelerator().create_op_builder("ShareMemCommBuilder")
        with contextlib.suppress(Exception):  # DeepSpeed goes without, or says why not
            builder.load(verbose=False)


class Dealt(Trainer):
    """A trainer under DeepSpeed, which deals gradients and the optimizer's state out over the processes (ZeRO-2), or
    the base, too (ZeRO-3). All processes make the same number of passes, since they meet in each."""

    def __init__(self, zero, **settings):
        import deepspeed  # takes seconds, and compiles at its first use

        prebuild(settings["device"])
        deepspeed.init_distributed("nccl" if settings["device"] == "cuda" else "gloo")
        self.stage, self.gathered = zero, deepspeed.zero.GatheredParameters
        super().__init__(**settings)
        if zero == 3 and not self.frozen:
            raise ValueError("ZeRO-3 trains adapters of the language model alone")
        objective = Objective(self, zero)
        # Gradients are gathered in one piece as large as what is trained: the usual one of 500 million numbers is 2 GB in
        # each process, made and filled anew for every sample.
        config = dict(train_micro_batch_size_per_gpu=1, gradient_accumulation_steps=1, gradient_clipping=self.clip,
                      zero_allow_untested_optimizer=True,
                      zero_optimization=dict(stage=zero, overlap_comm=False, reduce_bucket_size=self.trainable))
        if zero == 3:
            deepspeed.zero.Init(module=objective, config_dict_or_path=config)
        self.engine = deepspeed.initialize(model=objective, optimizer=self.optimizer, config=config)[0]

    def place(self):
        if self.stage < 3:
            super().place()
        elif not self.projectors:
            self.inner.visual.to(self.device)  # DeepSpeed brings the rest

    def one(self, sample):
        self.left -= 1
        self.engine.set_gradient_accumulation_boundary(self.left == 0)
        return self.engine(sample)

    def backward(self, total, tokens):
        self.engine.backward(total * (WORLD / self.denominator))  # it takes the mean over the processes
        if self.left:
            self.engine.step()  # counts

    def run(self, samples, learn):
        most = torch.tensor([len(samples)], device=self.device)
        torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
        self.left = int(most)
        words = torch.zeros(2, dtype=torch.int32)  # without weight: nothing comes of them
        idle = dict(id="", key=0, grids=[], ids=words, pos=torch.tensor([0, 1] * 3), targets=words, places=words[:0],
                    weights=torch.zeros(2))
        extra = self.left - len(samples)
        loss, tokens, each, took = super().run(samples + [idle] * extra, learn)
        return loss, tokens - 2 * extra, each[:len(samples)], took

    def step(self, samples, denominator, rate, projector_rate):
        self.engine.train()
        self.denominator = denominator
        for i, group in enumerate(self.engine.optimizer.param_groups):
            group["lr"] = projector_rate if i else rate
        loss, tokens, each, took = self.run(samples, True)
        start = time.perf_counter()
        self.engine.step()
        norm = float(self.engine.get_global_grad_norm())
        if not norm < float("inf"):
            raise NotFinite(f"norm of the gradient {norm}")
        self.steps += 1
        took["optimizer"] = time.perf_counter() - start
        return dict(loss=loss, norm=norm, tokens=tokens, samples=each, took=took)

    def share(self, folder, rank):
        return os.path.join(folder, f"optimizer-{rank}.pt")

    def save(self, folder):
        state = self.engine.optimizer.state_dict()
        torch.save({k: v for k, v in state.items() if k not in OWN}, self.share(folder, RANK))
        keep(self.share(folder, RANK))
        with self.gathered(self.trained, enabled=self.stage == 3):
            if RANK == 0:
                self.write(folder, dict(steps=self.steps, processes=WORLD))
        return {}

    def restore(self, folder):
        state = torch.load(os.path.join(folder, OPTIMIZER), weights_only=True)
        if state["processes"] != WORLD:
            raise ValueError(f"it was saved by {state['processes']} processes, and these are {WORLD}: under DeepSpeed "
                             "a run goes on with as many")
        shares = [torch.load(self.share(folder, r), map_location=self.device, weights_only=True) for r in range(WORLD)]
        if self.stage < 3:  # ZeRO-3's shares have it
            self.take(folder)
        for share in shares:
            share["loss_scaler"] = self.engine.optimizer.loss_scaler
        self.engine.optimizer.load_state_dict(shares)
        self.steps = state["steps"]
        return dict(steps=self.steps)


def hello():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    devices = torch.cuda.device_count() if device == "cuda" else 0
    name = torch.cuda.get_device_name(min(LOCAL, devices - 1)) if devices else ""
    return dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__, device=device,
                name=name, devices=devices)


def tensor(described):
    """The next tensor on standard input."""
    kind = TYPES[described["type"]]
    data = bytearray(commands.read(4 * described["size"]))
    if len(data) != 4 * described["size"]:
        os._exit(0)  # the caller is gone
    return torch.frombuffer(data, dtype=kind) if data else torch.empty(0, dtype=kind)


def main():
    trainer = None
    for line in iter(commands.readline, b""):
        command = json.loads(line)
        do = command.pop("do")
        for described in command.pop("tensors", None) or []:
            command["samples"][described["sample"]][described["name"]] = tensor(described)
        try:
            if do in ("hello", "compiles"):
                answer = globals()[do](**command)
            elif do == "open":
                zero = command.pop("zero")
                trainer = Dealt(zero, **command) if zero else Trainer(**command)
                answer = dict(trainable=trainer.trainable, frozen=trainer.frozen)
            else:
                answer = getattr(trainer, do)(**command)
        except NotFinite as error:
            answer = dict(fault=str(error), kind="not finite")
        except Alone as error:
            answer = dict(fault=str(error), kind="alone")
        except torch.OutOfMemoryError as error:
            answer = dict(fault=str(error).splitlines()[0], kind="memory")
        except Exception as error:
            answer = dict(fault=f"{type(error).__name__}: {error}", kind="other")
        print(json.dumps(dict(answer, told=told[-1] if told else "")), file=answers, flush=True)
    sys.stderr.flush()
    os._exit(0)  # the other processes, and what waits for them, may be gone


if __name__ == "__main__":
    main()
