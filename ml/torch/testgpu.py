"""What only a GPU can show, in at most six minutes: make test-gpu, or PYTHON ml/torch/testgpu.py PROGRAM [SHAPE].

PROGRAM is finetui, built; PYTHON has torch and transformers, and peft or, beside PROGRAM, a wheel of it. Nothing is
installed. SHAPE is 2b (that of Qwen2-VL-2B, with random weights in bfloat16), 0.5b or tiny, which is for a machine
without a GPU: there the same is done on the processor, and the figures of a GPU stay open. What comes out is printed
and written to gpu.json in $OUT, or here.
"""
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

BEGAN, LIMIT, STEPS = time.time(), 345, 20
SHAPES = {
    "2b": dict(hidden_size=1536, intermediate_size=8960, num_hidden_layers=28, num_attention_heads=12, head_dim=128,
               num_key_value_heads=2, vocab_size=151936, mrope=[16, 24, 24], depth=32, embed_dim=1280, heads=16),
    "0.5b": dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, head_dim=64,
                 num_key_value_heads=2, vocab_size=151936, mrope=[8, 12, 12], depth=8, embed_dim=1280, heads=16),
}
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12, "4090": 165e12}  # dense bfloat16, by its maker
found = {}


def say(what, **figures):
    found[what] = figures
    print(f"{time.time() - BEGAN:5.0f} s  {what}: " + ", ".join(f"{k} {v}" for k, v in figures.items()), flush=True)


def left():
    return LIMIT - (time.time() - BEGAN)


def finetui(*words, **more):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=max(left(), 1), **more)


def must(*words):
    done = finetui(*words)
    if done.returncode:
        raise RuntimeError(f"finetui {' '.join(words)}: {done.stderr.strip()[-600:]}")
    return done.stdout


def rows(run, kind):
    """The whole lines of a run's metrics; of a step that is there twice the later."""
    list = []
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n") and json.loads(line)["kind"] == kind:
                list.append(json.loads(line))
    return list


def wait(run, steps):
    """Waits for a step of a run."""
    while True:
        done = [r for r in rows(run, "train") if r["step"] >= steps] if os.path.exists(run + "/metrics.jsonl") else []
        if done:
            return
        if os.path.exists(run + "/exit.json"):
            with open(run + "/exit.json", encoding="utf-8") as file:
                end = json.load(file)
            if end["state"] != "stopped":
                raise RuntimeError(f"{run} is {end['state']}: {end.get('reason')}")
        if left() < 0:
            raise TimeoutError(f"{run} has not come to step {steps}")
        time.sleep(0.2)


def newest(name):
    return max(glob.glob(os.path.join("runs", "*-" + name)))


def base(shape):
    """A folder with random weights of a shape, and the tokenizer of the built-in base."""
    import torch
    import transformers

    must("export", "base", "base")
    with open("base/config.json", encoding="utf-8") as file:
        config = json.load(file)
    s = SHAPES[shape]
    config.update({k: v for k, v in s.items() if k in config}, rope_theta=1e6)
    config["rope_scaling"]["mrope_section"] = s["mrope"]
    config["vision_config"].update(depth=s["depth"], embed_dim=s["embed_dim"], num_heads=s["heads"],
                                   hidden_size=s["hidden_size"])
    with open("base/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    torch.manual_seed(1)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = transformers.AutoModelForImageTextToText.from_config(transformers.AutoConfig.from_pretrained("base"),
                                                                     dtype=torch.bfloat16)
    for file in glob.glob("base/*.safetensors*"):
        os.remove(file)
    model.save_pretrained("weights")
    for file in glob.glob("weights/model*"):
        os.rename(file, os.path.join("base", os.path.basename(file)))
    text = sum(p.numel() for n, p in model.named_parameters() if ".visual." not in n)
    return dict(parameters=sum(p.numel() for p in model.parameters()), text=text)


def train(shape, words):
    """STEPS steps with one kill on the way; what they took."""
    size = base(shape) if shape in SHAPES else {}
    if size:
        words = [*words, "MODEL.BASE=base"]
    say("base", shape=shape, **size)
    must("train", "shape", *words, "TRAIN.SAVE_EVERY=4")
    run = newest("shape")
    wait(run, STEPS // 2)
    with open(run + "/run.json", encoding="utf-8") as file:
        os.kill(json.load(file)["process"]["pid"], signal.SIGKILL)
    killed = rows(run, "train")[-1]["step"]
    must("resume", run)
    wait(run, STEPS)
    finetui("stop", run, "now")
    steps = rows(run, "train")
    again = [r["step"] for r in steps]
    say("killed and resumed", at_step=killed, steps_taken_twice=len(again) - len(set(again)), last_step=again[-1])
    speed = sorted(r["tokens_per_s"] for r in steps)[len(steps) // 2]
    seconds = sum(sum(r["seconds"].values()) for r in steps)
    figures = dict(tokens_per_s=round(speed), step_s=round(seconds / len(steps), 3))
    gpus = [g for r in rows(run, "system") for g in r["gpus"]]
    if size:  # forward and backward through frozen products: 2 + 2 operations a weight and token
        figures["operations_per_s"] = f"{4 * size['text'] * speed:.3g}"
    for name, peak in PEAK.items() if size and DEVICE else ():
        if name in DEVICE:
            figures["share_of_peak"] = f"{4 * size['text'] * speed / peak:.1%}"
    if gpus:
        figures["memory_used"] = f"{max(g.get('memory_used', 0) for g in gpus) / 2**30:.1f} GiB"
        figures["nvml"] = gpus[-1]
    say("training", **figures)
    estimate = [line.strip() for line in finetui("lint", *words).stdout.splitlines() if "memory" in line.lower()]
    say("estimate", lint=estimate or "says nothing of memory")


def parity(words):
    """The same recipe on the tiny base by both engines, in float32 without dropout."""
    words = [w for w in words if not w.startswith("TORCH.DTYPE")]
    words += ["LORA.DROPOUT=0", "TORCH.DTYPE=float32", "TRAIN.FOLLOW=true", "TRAIN.EPOCHS=1"]
    both = []
    for engine in "native", "torch":
        must("train", engine, *words, "MODEL.ENGINE=" + engine)
        both.append([r["loss"] for r in rows(newest(engine), "train")])
    worst = max(abs(a - b) for a, b in zip(*both, strict=True))
    say("parity", steps=len(both[0]), losses_differ_by=f"{worst:.2g}", agrees=worst <= 1e-4)


PROGRAM, SHAPE = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "2b"
OUT = os.path.abspath(os.environ.get("OUT", "."))
folder = tempfile.mkdtemp(prefix="finetui-gpu-")
for wheel in glob.glob(os.path.join(os.path.dirname(PROGRAM), "peft-*.whl")):
    with zipfile.ZipFile(wheel) as file:
        file.extractall(os.path.join(folder, "wheels"))
    os.environ["PYTHONPATH"] = os.path.join(folder, "wheels")
    sys.path.append(os.environ["PYTHONPATH"])
os.chdir(folder)
import torch  # after the path is set

DEVICE = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
say("machine", torch=torch.__version__, device=DEVICE or "no GPU: its figures stay open")
must("new", "demo", ".")
common = ["TORCH.PYTHON=" + sys.executable, "MODEL.ENGINE=torch", "PROJECT.RUNS=runs", "TRAIN.LOG_EVERY=1",
          "TRAIN.EVAL_EVERY=0", "TRAIN.BATCH_SIZE=8", "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=1"]
say("doctor", says=[line for line in must("doctor", *common[:2]).splitlines() if "GPU" in line or "Py" in line])
for part in (lambda: train(SHAPE, common), lambda: parity(["TORCH.PYTHON=" + sys.executable, *common[2:]])):
    try:
        part()
    except Exception as error:
        say("failed" if "failed" not in found else "failed too", why=f"{type(error).__name__}: {error}")
with open(os.path.join(OUT, "gpu.json"), "w", encoding="utf-8") as file:
    json.dump(found, file, indent=1)
sys.exit(any(k.startswith("failed") for k in found))
