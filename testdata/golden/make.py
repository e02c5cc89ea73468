#!/usr/bin/env python3
"""Write the reference outputs of text/, images/, qwen2/sharded-bf16 and qwen2vl/lora beside this file, with seeded
random values.

    python make.py

It needs torch, transformers, peft, tokenizers and Pillow, computes on the CPU in float32, and once more in float64,
which tells how far a correct float32 program may be off. The base of the adapter is qwen2vl/model, its cases are those
of qwen2vl/cases; the shards are qwen2/untied, rounded. index.json gets a row for each file.
"""
import copy
import json
import math
import os
import shutil
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")

import numpy as np
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2ForCausalLM,
    Qwen2VLForConditionalGeneration,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)
from transformers.image_utils import load_image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

ROOT = Path(__file__).resolve().parent
SEED = 2027
LEAST, MOST = 56 * 56, 12845056  # pixels, as the published preprocessor_config.json says
FEW = 2  # patch rows from each end that are kept
STEPS, WARMUP, RATE, DECAY = 6, 2, 0.002, 0.01
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

index = {}  # rows of index.json by file


def write_json(name, value, about):
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    index[name] = dict(file=name, about=about)


def write_tensors(name, tensors, about, double=None):
    """Write tensors; double is what the same computation gives in float64."""
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, path)
    rows = []
    for key in sorted(tensors):
        value = tensors[key]
        row = dict(name=key, dtype=str(value.dtype).removeprefix("torch."), shape=list(value.shape))
        if double is not None and value.is_floating_point():
            wide = double[key].detach()
            scale, off = wide.abs().max().item(), (value.double() - wide).abs().max().item()
            raw = max(16 * off, 2e-6 * scale, 1e-12)
            unit = 10 ** math.floor(math.log10(raw))
            row["noise"] = dict(max_abs=off, scale=scale, atol=float(f"{math.ceil(raw / unit - 1e-9) * unit:.0e}"))
        rows.append(row)
    index[name] = dict(file=name, about=about, tensors=rows)


def compact(name, value, about):
    """Like write_json, in little space."""
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps(v, ensure_ascii=False) for v in value] if isinstance(value, list) else None
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n" if rows else json.dumps(value, ensure_ascii=False) + "\n")
    index[name] = dict(file=name, about=about)


def note(name, about):
    index[name] = dict(file=name, about=about)


# ---- text: a byte-level BPE of Qwen2's make, trained on drawn sentences ----

SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
           "<|video_pad|>"]
STRINGS = [
    "", " ", "  two", "trailing  ", "\n", "\r\n\r\n x", "\t\t", "a \n b", "   \n   \n z", "The drain is blocked.",
    "don't I'LL they'D 's'S", "12345 3.14 1,000", "naïve café", "nai\u0308ve cafe\u0301", "\u212b \u00c5 A\u030a",
    "漢字かな。", "한국어 \u1112\u1161\u11ab", "العربية עברית हिन्दी", "👍🏽 👨‍👩‍👧 🇩🇪", "a\u200bb\ufeffd\u00a0e", "zero\u0000byte",
    "if (a!=b&&c<=d){return;}", "https://a.example/x?y=1#z", "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|",
    "a<|im_end|>b <|vision_start|><|image_pad|><|image_pad|><|vision_end|>x", "ABABABAB" * 9, "drain " * 12,
    "\u1e9b\u0323 ﬁ ½ ² ™", "__init__(self, **kwargs): -> None  # x", "\\n \"q\" 'r' `s`",
]


def make_text():
    random = np.random.default_rng(SEED)
    words = [["the", "a", "one"], ["toe", "slope", "rock", "old"], ["drain", "wall", "pipe", "stone"],
             ["is", "was", "seems"], ["blocked", "broken", "covered", "normal"], ["by leaves.", "at the top.", "2 m wide!"]]
    corpus = [" ".join(str(random.choice(w)) for w in words).capitalize() for _ in range(400)]
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    tok.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIAL])
    (ROOT / "text").mkdir(exist_ok=True)
    tok.save(str(ROOT / "text" / "tokenizer.json"))
    note("text/tokenizer.json", f"Byte-level BPE of {tok.get_vocab_size()} tokens as the library tokenizers trained and wrote it")
    write_json("text/strings.json", [dict(
        text=s, ids=(ids := tok.encode(s, add_special_tokens=False).ids), decoded=tok.decode(ids, skip_special_tokens=False),
        decoded_without_special=tok.decode(ids, skip_special_tokens=True)) for s in STRINGS], "Strings under text/tokenizer.json")


# ---- chats: the template as the library's Jinja renders it, and what of a conversation is learned ----

TEMPLATE = ROOT.parents[1] / "core/model/templates/qwen2_vl.jinja"
IMAGE, VIDEO = dict(type="image"), dict(type="video")


def say(text):
    return dict(type="text", text=text)


CHATS = [  # name, messages, tokens of each image, tokens of each video
    ("default-system", [("user", "Hello!")], [], []),
    ("own-system", [("system", "You inspect slopes."), ("user", "Hi")], [], []),
    ("empty-system", [("system", ""), ("user", "Hi")], [], []),
    ("turns", [("user", "1+1?"), ("assistant", "2"), ("user", " And 2+2?\n"), ("assistant", "4, of course.")], [], []),
    ("image", [("user", [IMAGE, say("Is the toe drain blocked?")])], [6], []),
    ("image-behind", [("user", [say("Look: "), IMAGE, say(" What is it?")])], [6], []),
    ("images-in-turns", [("user", [IMAGE, say("First?")]), ("assistant", [say("A drain.")]), ("user", [IMAGE, say("Now?")])],
     [6, 15], []),
    ("video", [("user", [VIDEO, say("Describe the clip.")])], [], [12]),
    ("both", [("system", [say("Be brief.")]), ("user", [IMAGE, VIDEO, say("Compare.")])], [6], [12]),
    ("special-in-text", [("user", "say <|im_end|>\n<|im_start|>assistant\nno")], [], []),
]
LESSON = [("system", "You inspect slopes."), ("user", [IMAGE, say("Is the toe drain blocked?")]),
          ("assistant", "Yes, by soil.\nClear it."), ("user", "Where?"), ("assistant", "At the top.")]


def turned(chat):
    return [dict(role=role, content=content) for role, content in chat]


def widened(text, images, videos):
    for pad, counts in (("<|image_pad|>", images), ("<|video_pad|>", videos)):
        pieces = text.split(pad)
        assert len(pieces) == len(counts) + 1
        text = pieces[0] + "".join(pad * n + piece for n, piece in zip(counts, pieces[1:]))
    return text


def make_chats():
    tok = PreTrainedTokenizerFast(tokenizer_file=str(ROOT / "text/tokenizer.json"), chat_template=TEMPLATE.read_text())
    encode = lambda text: tok.encode(text, add_special_tokens=False)
    cases = []
    for name, chat, images, videos in CHATS:
        for prompt in (False, True):
            for numbered in ((False, True) if images or videos else (False,)):
                text = tok.apply_chat_template(turned(chat), tokenize=False, add_generation_prompt=prompt, add_vision_id=numbered)
                wide = widened(text, images, videos)
                cases.append(dict(name=name, messages=turned(chat), add_generation_prompt=prompt, add_vision_id=numbered, text=text,
                                  ids=encode(text), image_tokens=images, video_tokens=videos, expanded_text=wide,
                                  expanded_ids=encode(wide)))
    compact("text/chats.json", cases, "Conversations as Jinja renders the chat template, before and after the pads are repeated, with ids")

    text = widened(tok.apply_chat_template(turned(LESSON), tokenize=False), [6], [])
    ids, head, end = encode(text), encode("<|im_start|>assistant\n"), tok.convert_tokens_to_ids("<|im_end|>")
    labels, longer = [-100] * len(ids), [-100] * len(ids)
    for at in range(len(ids)):
        if ids[at:at + len(head)] == head:
            first = at + len(head)
            last = ids.index(end, first)
            labels[first:last + 1] = ids[first:last + 1]
            longer[first:last + 2] = ids[first:last + 2]
    compact("text/sft-labels.json", dict(messages=turned(LESSON), image_tokens=[6], text=text, ids=ids, labels=labels,
                                         labels_with_trailing_newline=longer), "What is learned of a conversation: answers and their ends")


# ---- a checkpoint in shards ----

def make_shards():
    name, folder = "qwen2/sharded-bf16", ROOT / "qwen2/sharded-bf16"
    model = Qwen2ForCausalLM.from_pretrained(ROOT / "qwen2/untied", dtype=torch.float32, attn_implementation="eager").to(torch.bfloat16)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size="32KB")
    files = sorted(p.name for p in folder.iterdir())
    assert sum(f.endswith(".safetensors") for f in files) > 1
    for file in files:
        note(f"{name}/{file}", "The untied weights rounded to bf16, in several shards with an index")
    facts = json.loads((ROOT / "qwen2/golden-untied.json").read_text())["sequences"][0]
    ids, labels = torch.tensor([facts["input_ids"]]), torch.tensor([facts["labels"]])
    steps, single, double = len(facts["generated"]), {}, {}
    losses, sequence = [], {}
    for kind, into in ((torch.float32, single), (torch.float64, double)):
        m = model.to(torch.float32).to(kind).eval()
        m.model.rotary_emb = exact_rotary(m, kind)
        caught = {}
        hooks = [m.model.embed_tokens.register_forward_hook(lambda _, a, out: caught.update(embed=out[0]))]
        for k, layer in enumerate(m.model.layers):
            for part, module in (("attn", layer.self_attn), ("mlp", layer.mlp), ("out", layer)):
                hooks.append(module.register_forward_hook(
                    lambda _, a, out, key=f"layers.{k}.{part}": caught.update({key: first(out)})))
        hooks.append(m.model.norm.register_forward_hook(lambda _, a, out: caught.update(norm=out[0])))
        with torch.no_grad():
            out = m(input_ids=ids, use_cache=True)
        [h.remove() for h in hooks]
        logits = out.logits[0]
        into |= {"s0." + k: v for k, v in caught.items()}
        into["s0.logits"] = logits
        into["s0.nll"] = F.cross_entropy(logits[:-1], ids[0, 1:], reduction="none")
        cos, sin = m.model.rotary_emb(logits[None], torch.arange(ids.shape[1])[None])
        into |= {"s0.rope.cos": cos[0], "s0.rope.sin": sin[0]}
        for k in range(len(m.model.layers)):
            into |= {f"s0.layers.{k}.k": out.past_key_values.layers[k].keys[0], f"s0.layers.{k}.v": out.past_key_values.layers[k].values[0]}
        losses.append(nll(logits, labels, "sum").item() / int((labels[0, 1:] != -100).sum()))
        best, grown = [], ids
        for _ in range(steps):
            with torch.no_grad():
                best.append(m(input_ids=grown, use_cache=False).logits[0, -1].log_softmax(-1).topk(5))
            grown = torch.cat([grown, best[-1].indices[:1][None]], 1)
        into["s0.top5.ids"] = torch.stack([b.indices for b in best])
        into["s0.top5.logprobs"] = torch.stack([b.values for b in best])
        sequence = dict(generated=grown[0, -steps:].tolist(),
                        smallest_top1_top2_gap=min((b.values[0] - b.values[1]).item() for b in best))
    for key, value in (("s0.input_ids", ids[0]), ("s0.labels", labels[0])):
        single[key] = double[key] = value
    write_tensors("qwen2/golden-sharded-bf16.safetensors", single, "Goldens of `qwen2/sharded-bf16`, of its first sequence", double)
    compact("qwen2/golden-sharded-bf16.json", dict(checkpoint=name, sequences=[dict(
        input_ids=facts["input_ids"], labels=facts["labels"], loss=losses[0], loss_f64=losses[1], **sequence)],
        token_mean_loss_over_all=losses[0], token_mean_loss_over_all_f64=losses[1]), "Ids, labels, losses, greedy continuation")


def first(out):
    """What a module gives, without the batch; of several things the first."""
    out = out[0] if isinstance(out, tuple) else out
    return out[0] if out.dim() == 3 else out


def exact_rotary(m, kind):
    """The rotary tables in the arithmetic of the rest: the library's own are float32 whatever the model is."""
    size = m.config.hidden_size // m.config.num_attention_heads
    theta = m.config.rope_parameters["rope_theta"]

    class Rotary(torch.nn.Module):
        def forward(self, x, position_ids):
            steps = 1.0 / theta ** (torch.arange(0, size, 2, dtype=kind) / size)
            angles = position_ids[..., None].to(kind) * steps
            angles = torch.cat([angles, angles], -1)
            return angles.cos(), angles.sin()

    return Rotary()


# ---- pictures ----

def draw(h, w, channels, random):
    y, x = np.mgrid[0:h, 0:w]
    planes = [128 + 120 * np.sin(x / (3 + 2 * c) + y / (5 + c)) + random.normal(0, 12, (h, w)) for c in range(channels)]
    picture = np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)
    picture[h // 4: h // 2, w // 4: w // 2] = [250, 20, 60, 128][:channels]  # an edge in colour
    return picture


def over_white(image):
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255,) * 4), image).convert("RGB")


def make_images():
    random, cases = np.random.default_rng(SEED), []
    for folder in ("input", "decoded", "resized-x-first", "pixels"):
        (ROOT / "images" / folder).mkdir(parents=True, exist_ok=True)
    upright = Image.Exif()
    upright[0x0112] = 6
    for key, size, mode, ext, options in [
            ("noise", (70, 90), "RGB", "png", {}), ("strip", (23, 160), "RGB", "png", {}), ("exact", (56, 84), "RGB", "png", {}),
            ("grey", (61, 45), "L", "png", {}), ("clear", (52, 71), "RGBA", "png", {}),
            ("jpeg", (66, 83), "RGB", "jpg", dict(quality=80, subsampling=2)),
            ("turned", (48, 80), "RGB", "jpg", dict(quality=90, subsampling=0, exif=upright))]:
        pixels = draw(*size, len(mode), random) if mode != "L" else draw(*size, 1, random)[..., 0]
        name = f"images/input/{key}.{ext}"
        Image.fromarray(pixels, mode).save(ROOT / name, **options)
        note(name, f"{mode} of {size[1]}x{size[0]} pixels")
        image = Image.open(ROOT / name)
        image.load()
        rgb = over_white(image)
        case = dict(key=key, input=name, mode=mode, height=size[0], width=size[1], min_pixels=LEAST, max_pixels=MOST)
        if ext == "jpg":
            case["decoded"] = f"images/decoded/{key}.png"
            rgb.save(ROOT / case["decoded"], optimize=True)
            note(case["decoded"], "as Pillow decodes it, not turned")
        processor = Qwen2VLImageProcessorPil(min_pixels=LEAST, max_pixels=MOST)
        _, rows, columns = processor(images=[rgb], return_tensors="pt")["image_grid_thw"][0].tolist()
        w, h = 14 * columns, 14 * rows
        # Pillow up to 12, with which the models were trained, runs along x first; so do two calls of any Pillow
        resized = rgb.resize((w, rgb.height), Image.BICUBIC).resize((w, h), Image.BICUBIC)
        path = f"images/resized-x-first/{key}.png"
        resized.save(ROOT / path, optimize=True)
        note(path, "resized by Pillow, along x first")
        out = processor(images=[resized], return_tensors="pt")
        values, grid = out["pixel_values"], out["image_grid_thw"]
        assert grid[0].tolist() == [1, rows, columns]
        by_path = load_image(str(ROOT / name))
        case |= dict(resized_height=h, resized_width=w, tokens=rows * columns // 4, rows=rows * columns, grid_thw=grid[0].tolist(),
                     loaded_by_path=dict(PIL=dict(height=by_path.height, width=by_path.width, equals_the_golden_rgb=bool(
                         by_path.size == rgb.size and (np.asarray(by_path) == np.asarray(rgb)).all()))))
        write_tensors(f"images/pixels/{key}.safetensors", {
            "image_grid_thw": grid[0], "x_first.first": values[:FEW], "x_first.last": values[-FEW:],
            "x_first.column_means": values.double().mean(0).float()}, "Patch rows by Qwen2VLImageProcessorPil")
        cases.append(case)
    write_json("images/cases.json", cases, "The pictures, and what they become")


# ---- an adapter on Qwen2-VL ----

def load_cases():
    cases = []
    for name in ("one-image", "text-only"):
        facts = json.loads((ROOT / "qwen2vl/cases" / f"{name}.json").read_text())
        inputs = dict(input_ids=torch.tensor([facts["input_ids"]]), position_ids=torch.tensor(facts["position_ids"])[:, None])
        if facts["image_grid_thw"]:
            stored = load_file(ROOT / "qwen2vl/cases" / f"{name}.safetensors")
            inputs |= dict(pixel_values=stored["pixel_values"], image_grid_thw=torch.tensor(facts["image_grid_thw"]))
            inputs["mm_token_type_ids"] = (inputs["input_ids"] == json.loads(
                (ROOT / "qwen2vl/special-ids.json").read_text())["image_pad"]).int()
        cases.append((name, inputs, torch.tensor([facts["labels"]])))
    return cases


def adapted(values=None):
    base = Qwen2VLForConditionalGeneration.from_pretrained(ROOT / "qwen2vl/model", dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, lora_dropout=0.0, bias="none", target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj"], base_model_name_or_path="qwen2vl/model"))
    model.peft_config["default"].base_model_name_or_path = "qwen2vl/model"
    random = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for key, p in sorted(matrices(model).items()):
            assert "visual" not in key
            scale = 1 / math.sqrt(p.shape[1]) if "lora_A" in key else 0.2
            p.copy_(values[key] if values else scale * torch.randn(p.shape, generator=random))
    return model.eval()


def matrices(model):
    return {k: p for k, p in model.named_parameters() if "lora_" in k}


def stored_name(key):
    return key.replace(".default.", ".")


def run(model, inputs):
    kind = next(model.parameters()).dtype
    inputs = {k: v.to(kind) if v.is_floating_point() else v for k, v in inputs.items()}
    return model(**inputs, use_cache=False).logits[0]


def nll(logits, labels, reduction="none"):
    return F.cross_entropy(logits[:-1], labels[0, 1:], ignore_index=-100, reduction=reduction)


def loss_of(model, step):
    """One denominator for the whole step: the weights of all supervised tokens."""
    total = sum(weight * int((labels[0, 1:] != -100).sum()) for _, _, labels, weight in step)
    return sum(weight * nll(run(model, inputs), labels, "sum") for _, inputs, labels, weight in step) / total


def gradients(model, step):
    loss = loss_of(model, step)
    loss.backward()
    grads = {stored_name(k): p.grad.clone() for k, p in matrices(model).items()}
    for p in matrices(model).values():
        p.grad = None
    return loss.item(), torch.stack([g.norm() for g in grads.values()]).norm().item(), grads


def trace(values, double, steps, schedule, most):
    model = adapted(values)
    if double:
        model = model.double()
    params = list(matrices(model).values())
    optimizer = torch.optim.AdamW(params, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
    make = dict(linear=get_linear_schedule_with_warmup, cosine=get_cosine_schedule_with_warmup)[schedule]
    scheduler, rows = make(optimizer, WARMUP, STEPS), []
    for step in steps:
        loss = loss_of(model, step)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(params, most).item()
        rows.append((loss.item(), optimizer.param_groups[0]["lr"], norm))
        optimizer.step(), scheduler.step(), optimizer.zero_grad()
    return rows, {f"step{STEPS}:{stored_name(k)}": p.detach().clone() for k, p in matrices(model).items()}


def make_adapter():
    cases, folder = load_cases(), ROOT / "qwen2vl/lora"
    model = adapted()
    values = {k: p.detach().clone() for k, p in matrices(model).items()}
    twin = copy.deepcopy(model).double()
    model.save_pretrained(folder / "attn")
    (folder / "attn/README.md").unlink(missing_ok=True)
    config = json.loads((folder / "attn/adapter_config.json").read_text())
    config["target_modules"] = sorted(config["target_modules"])  # PEFT writes a set in any order
    (folder / "attn/adapter_config.json").write_text(json.dumps(config, indent=2))
    old = folder / "attn-old-names"
    old.mkdir(exist_ok=True)
    save_file({k.replace(".model.language_model.", ".model."): v for k, v in load_file(folder / "attn/adapter_model.safetensors").items()},
              old / "adapter_model.safetensors", metadata={"format": "pt"})
    shutil.copy(folder / "attn/adapter_config.json", old)
    for name in ("attn", "attn-old-names"):
        note(f"qwen2vl/lora/{name}/adapter_model.safetensors", "LoRA r 4, alpha 8 on q, k, v, o, as PEFT writes it")
        note(f"qwen2vl/lora/{name}/adapter_config.json", "as PEFT writes it, target_modules sorted")

    single, double, evaluation = {}, {}, []
    with torch.no_grad():
        for name, inputs, labels in cases:
            losses = []
            for m, into in ((model, single), (twin, double)):
                logits = run(m, inputs)
                into[name + ".logits"] = logits
                into[name + ".nll"] = F.cross_entropy(logits[:-1], inputs["input_ids"][0, 1:], reduction="none")
                losses.append(nll(logits, labels, "sum").item() / int((labels[0, 1:] != -100).sum()))
            evaluation.append(dict(case=name, loss=losses[0], loss_f64=losses[1]))
    write_tensors("qwen2vl/lora/attn.logits.safetensors", single, "Logits of every case with the adapter", double)

    random, steps, turn = np.random.default_rng(SEED), [], 0
    facts = []
    for number in range(1, STEPS + 1):
        step, batches = [], []
        for size in (2, 1):
            batch = []
            for _ in range(size):
                name, inputs, labels = cases[turn % len(cases)]
                weight, turn = float(random.choice([0.5, 1.0, 1.5, 2.0, 3.0])), turn + 1
                step.append((name, inputs, labels, weight))
                batch.append(dict(weight=weight, case=name))
            batches.append(batch)
        steps.append(step)
        facts.append(dict(step=number, micro_batches=batches))
    write_json("qwen2vl/lora/samples.json", facts, f"Cases and weights of the {STEPS} optimizer steps")

    (loss, norm, grads), (loss64, norm64, grads64) = gradients(model, steps[0]), gradients(twin, steps[0])
    write_tensors("qwen2vl/lora/attn.grads.safetensors", grads, "Gradients of step 1, before clipping", grads64)
    traces = {}
    for label, schedule, most in (("cosine", "cosine", 1.0), ("loose-clip", "linear", None)):
        if most is None:  # between the norms, so that some steps clip and others do not
            most = round(sorted(r["grad_norm_before_clip_f64"] for r in traces["cosine"]["steps"])[STEPS // 2] - 0.05, 1)
        (rows, after), (rows64, after64) = trace(values, False, steps, schedule, most), trace(values, True, steps, schedule, most)
        traces[label] = dict(schedule=schedule, max_grad_norm=most, steps=[
            dict(loss=a[0], loss_f64=b[0], lr_used=b[1], grad_norm_before_clip=a[2], grad_norm_before_clip_f64=b[2])
            for a, b in zip(rows, rows64)])
        write_tensors(f"qwen2vl/lora/attn.train-{label}.safetensors", after, f"The matrices after {STEPS} steps of AdamW, {schedule}", after64)
    write_json("qwen2vl/lora/attn.json", dict(adapter="attn", scaling=2.0, evaluation=evaluation, step1=dict(
        loss=loss, loss_f64=loss64, grad_norm=norm, grad_norm_f64=norm64), traces=traces), "Losses, gradient norm, traces")


def main():
    make_text()
    make_chats()
    make_shards()
    make_images()
    make_adapter()
    path = ROOT / "index.json"
    tree = json.loads(path.read_text())
    tree["files"] = [f for f in tree["files"] if f["file"] not in index] + [index[k] for k in sorted(index)]
    path.write_text(json.dumps(tree, separators=(",", ":")))
    print(f"{len(index)} files, {sum((ROOT / k).stat().st_size for k in index) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
