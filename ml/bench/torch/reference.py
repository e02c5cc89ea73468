"""PyTorch's side of the comparison: one JSON command a line on standard input, one JSON answer a line on standard output.

Models are transformers' Qwen2 with PEFT's LoRA, eager PyTorch with its default attention, all in one process.
"""
import importlib.util
import json
import sys
import time
import warnings

import torch
from safetensors.torch import save_file
import transformers
import peft

warnings.filterwarnings("ignore")
transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()

answers, sys.stdout = sys.stdout, sys.stderr  # whatever libraries print must not reach the answers
models, optimizers = {}, {}


def hello(threads):
    torch.set_num_threads(threads)
    return dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)


def make(folder, config, dtype, rank, targets):
    """Write a model with random weights and an adapter whose matrices are both random."""
    torch.manual_seed(1)
    base = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**config)).to(getattr(torch, dtype))
    base.save_pretrained(folder + "/base")
    lora = peft.LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM", init_lora_weights=False)
    adapted = peft.get_peft_model(base, lora)
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if "lora_B" in name:
                p.mul_(0.1)
    adapted.save_pretrained(folder + "/adapter")
    return {}


def load(name, folder, dtype, rate, decay):
    base = transformers.Qwen2ForCausalLM.from_pretrained(folder + "/base", dtype=getattr(torch, dtype))
    model = peft.PeftModel.from_pretrained(base, folder + "/adapter", is_trainable=True).train()
    models[name] = model
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizers[name] = trained, torch.optim.AdamW(trained, lr=rate, weight_decay=decay)
    return {}


def step(name, ids, labels, clip):
    """One optimizer step: forward, backward, clipping, AdamW."""
    ids, labels = torch.tensor(ids), torch.tensor(labels)
    trained, optimizer = optimizers[name]
    clock = Clock()
    loss = models[name](input_ids=ids, labels=labels, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, clip)
    optimizer.step()
    optimizer.zero_grad()
    return clock.read() | dict(loss=loss.item())


def plain(name):
    """Take the adapter off for good; decoding is of the model itself."""
    models[name] = models[name].unload().eval()
    optimizers.pop(name, None)
    return {}


@torch.inference_mode()
def decode(name, ids, new):
    """Greedy decoding with a cache; the prompt is not timed."""
    out = models[name](input_ids=torch.tensor(ids), use_cache=True, logits_to_keep=1)
    tokens = []
    clock = Clock()
    for _ in range(new):
        token = out.logits[:, -1].argmax(-1, keepdim=True)
        tokens.append(token[:, 0].tolist())
        out = models[name](input_ids=token, past_key_values=out.past_key_values, use_cache=True)
    return clock.read() | dict(tokens=tokens)


def video_parameters(hidden=576, inner=1152, layers=32, states=16, rank=36, taps=4, frames=8, patches=196):
    """VideoMamba-M with random weights, by the names of its checkpoint."""
    draw = lambda *shape: torch.randn(*shape) / shape[-1] ** 0.5
    p = {"cls_token": draw(1, 1, hidden), "pos_embed": draw(1, 1 + patches, hidden), "norm.weight": torch.ones(hidden),
         "temporal_pos_embedding": draw(1, frames, hidden), "patch_embed.proj.bias": torch.zeros(hidden),
         "patch_embed.proj.weight": torch.randn(hidden, 3, 1, 16, 16) / 768 ** 0.5}
    for i in range(layers):
        at = f"layers.{i}."
        p |= {at + "norm.weight": torch.ones(hidden), at + "mixer.in_proj.weight": draw(2 * inner, hidden),
              at + "mixer.out_proj.weight": draw(hidden, inner) / layers ** 0.5}
        for way, log, skip in (("", "A_log", "D"), ("_b", "A_b_log", "D_b")):
            p |= {at + "mixer." + log: torch.arange(1.0, 1 + states).log().repeat(inner, 1),
                  at + "mixer." + skip: torch.ones(inner), at + f"mixer.conv1d{way}.weight": draw(inner, 1, taps),
                  at + f"mixer.conv1d{way}.bias": torch.zeros(inner), at + f"mixer.dt_proj{way}.weight": draw(inner, rank),
                  at + f"mixer.dt_proj{way}.bias": torch.full((inner,), -4.0),
                  at + f"mixer.x_proj{way}.weight": draw(rank + 2 * states, inner)}
    return p


class Video:
    """Mobile-VideoGPT at the published sizes: encoders from transformers and from the reference, whose code is at a path."""

    def __init__(self, reference, folder):
        spec = importlib.util.spec_from_file_location("mobile_videogpt", reference)
        self.ref = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.ref)
        self.folder, self.scans = folder, 0.0
        scan = self.ref.selective_scan

        def timed(*arguments, **named):
            start = time.perf_counter()
            out = scan(*arguments, **named)
            self.scans += time.perf_counter() - start
            return out

        self.ref.selective_scan = timed

    @torch.no_grad()
    def make(self, base, dtype, text, layers):
        torch.manual_seed(2)
        model = transformers.Qwen2ForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype))
        hidden = model.config.hidden_size
        self.image, self.video = self.ref.ETProj(768, hidden, 12), self.ref.ETProj(576, hidden, 7)
        state = {k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}
        for name, part in (("image_mm_projector", self.image), ("mm_projector", self.video)):
            state |= {f"model.{name}.{k}": v for k, v in part.state_dict().items()}
        save_file({k: v.contiguous() for k, v in state.items()}, self.folder + "/base/model.safetensors")
        with open(self.folder + "/base/config.json", "w") as file:
            json.dump(text, file)
        self.clip = transformers.CLIPVisionModel(transformers.CLIPVisionConfig(
            patch_size=16, num_hidden_layers=max(2, min(12, layers)), attn_implementation="sdpa")).eval()
        self.clip.save_pretrained(self.folder + "/clip")
        self.mamba = video_parameters(layers=layers)
        save_file({"vision_encoder." + k: v.contiguous() for k, v in self.mamba.items()}, self.folder + "/videomamba.safetensors")

    @torch.inference_mode()
    def ask(self, name, ids, new):
        """From frames to the first token, then so many tokens one by one."""
        ref, lm = self.ref, models[name]
        with open(self.folder + "/frames", "rb") as file:
            frames = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).view(16, 224, 224, 3).numpy()
        self.scans = 0.0
        clock = Clock()
        stack = lambda mean, sd: torch.stack([ref.normalise(f, mean, sd) for f in frames])
        seen = self.clip(pixel_values=stack(ref.CLIP_MEAN, ref.CLIP_STD), output_hidden_states=True).hidden_states[-2][:, 1:]
        video = ref.encode_clip(seen, stack(ref.IMAGENET_MEAN, ref.IMAGENET_STD), self.mamba)["video_grouped"]
        visual = ref.project(seen, video, self.video, self.image).to(lm.dtype)
        x, _, _ = ref.splice(ids, [-100] * len(ids), visual, lm.get_input_embeddings())
        out = lm(inputs_embeds=x[None], use_cache=True, logits_to_keep=1)
        tokens = [out.logits[:, -1].argmax(-1).tolist()]
        first = clock.read() | dict(scans=self.scans)
        clock = Clock()
        for _ in range(new):
            out = lm(input_ids=torch.tensor([tokens[-1]]), past_key_values=out.past_key_values, use_cache=True)
            tokens.append(out.logits[:, -1].argmax(-1).tolist())
        return dict(first=first, then=clock.read(), tokens=tokens)


    @torch.inference_mode()
    def part(self, name, which, ids):
        """One part of the way to the first token, from pixels or embeddings that are there."""
        ref, lm = self.ref, models[name]
        if which == "image":
            pixels = torch.rand(16, 3, 224, 224)
            clock = Clock()
            self.clip(pixel_values=pixels, output_hidden_states=True)
        elif which == "video":
            pixels = torch.rand(8, 3, 224, 224)
            clock = Clock()
            ref.videomamba(self.mamba, pixels)
        elif which == "products":
            text = lm.config
            rows = {n: torch.rand(len(ids), n) for n in (text.hidden_size, text.intermediate_size)}
            clock = Clock()
            for layer in lm.model.layers:
                for module in layer.modules():
                    if isinstance(module, torch.nn.Linear):
                        torch.nn.functional.linear(rows[module.in_features], module.weight)
        else:
            x = lm.get_input_embeddings()(torch.tensor([ids]))
            clock = Clock()
            lm(inputs_embeds=x, use_cache=True, logits_to_keep=1)
        return clock.read()


def video(reference, folder, base, dtype, text, layers):
    models["video"] = Video(reference, folder)
    models["video"].make(base, dtype, text, layers)
    return {}


def clip(name, ids, new):
    return models["video"].ask(name, ids, new)


def part(name, which, ids):
    return models["video"].part(name, which, ids)


def forget(name):
    models.pop(name, None)
    optimizers.pop(name, None)
    return {}


class Clock:
    def __init__(self):
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def read(self):
        return dict(wall=time.perf_counter() - self.wall, busy=time.process_time() - self.busy)


COMMANDS = dict(hello=hello, make=make, load=load, step=step, plain=plain, decode=decode, video=video, clip=clip,
                part=part, forget=forget)

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = COMMANDS[command.pop("do")](**command)
    except Exception as error:
        answer = dict(error=f"{type(error).__name__}: {error}")
    print(json.dumps(answer), file=answers, flush=True)
