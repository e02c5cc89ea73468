"""What only a GPU can show, in at most six minutes: make test-gpu, or PYTHON ml/torch/testgpu.py PROGRAM [SHAPE [SECONDS]].

PROGRAM is finetui, built; PYTHON has torch and transformers, and peft or, beside PROGRAM, a wheel of it. Nothing is
installed. SHAPE is 2b (that of Qwen2-VL-2B, with random weights in bfloat16), 0.5b or tiny, which is for a machine
without a GPU: there the same is done on the processor, and the figures of a GPU stay open. What comes out is printed
and written to gpu.json in $OUT, or beside PROGRAM. Each part has its share of SECONDS (330): one that takes longer is
cut off, with what it has measured by then, and the next one begins.
"""
import contextlib
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

BEGAN, STEPS = time.time(), 20
LIMIT = float(sys.argv[3]) if len(sys.argv) > 3 else 330
SHARES = dict(setup=0.3, training=0.65, parity=1.0)  # of what is left when a part begins
until = BEGAN + LIMIT  # the end of the part that is under way
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
    return until - time.time()


def left_of_all():
    return max(BEGAN + LIMIT - time.time(), 1)


def part(name, work, *arguments):
    """Does a part of it within its share of the time; says whether it came to its end."""
    global until
    until = time.time() + left_of_all() * SHARES[name]
    try:
        work(*arguments)
        return True
    except (TimeoutError, subprocess.TimeoutExpired):
        say(name + " cut off", after_s=round(time.time() - BEGAN))
    except Exception as error:
        say(name + " failed", why=f"{type(error).__name__}: {error}")
    return False


def end(name):
    """Ends the newest run of a name, which goes on by itself, at once."""
    for run in glob.glob(os.path.join("runs", "*-" + name))[-1:]:
        if os.path.exists(run + "/exit.json"):
            continue
        with open(run + "/run.json", encoding="utf-8") as file:
            process = json.load(file).get("process")
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process["pid"], signal.SIGKILL)


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
    if not os.path.exists(os.path.join(run, "metrics.jsonl")):
        return list
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n") and json.loads(line)["kind"] == kind:
                list.append(json.loads(line))
    return list


def wait(run, steps):
    """Waits for a step of a run."""
    while True:
        if any(r["step"] >= steps for r in rows(run, "train")):
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
    """STEPS steps with one kill on the way; what they took, as far as they came."""
    size = base(shape) if shape in SHAPES else {}
    if size:
        words = [*words, "MODEL.BASE=base"]
    say("base", shape=shape, **size)
    try:
        must("train", "shape", *words, "TRAIN.SAVE_EVERY=4")
        run = newest("shape")
        wait(run, STEPS // 2)
        end("shape")
        killed = rows(run, "train")[-1]["step"]
        must("resume", run)
        wait(run, STEPS)
        finetui("stop", run, "now")
        again = [r["step"] for r in rows(run, "train")]
        say("killed and resumed", at_step=killed, steps_taken_twice=len(again) - len(set(again)), last_step=again[-1])
    finally:
        end("shape")
        measured(size)
    estimate = [line.strip() for line in finetui("lint", *words).stdout.splitlines()
                if "memory" in line or line.startswith(("GPU", "! GPU"))]
    say("estimate", lint=estimate or "says nothing of memory")


def measured(size):
    """What the steps took that are there."""
    found = glob.glob(os.path.join("runs", "*-shape"))
    steps = rows(found[-1], "train") if found else []
    if not steps:
        return
    speed = sorted(r["tokens_per_s"] for r in steps)[len(steps) // 2]
    seconds = sum(sum(r["seconds"].values()) for r in steps)
    figures = dict(steps=len(steps), tokens_per_s=round(speed), step_s=round(seconds / len(steps), 3))
    gpus = [g for r in rows(found[-1], "system") for g in r["gpus"]]
    if size:  # forward and backward through frozen products: 2 + 2 operations a weight and token
        figures["operations_per_s"] = f"{4 * size['text'] * speed:.3g}"
    for name, peak in PEAK.items() if size and DEVICE else ():
        if name in DEVICE:
            figures["share_of_peak"] = f"{4 * size['text'] * speed / peak:.1%}"
    if gpus:
        figures["memory_used"] = f"{max(g.get('memory_used', 0) for g in gpus) / 2**30:.1f} GiB"
        figures["nvml"] = gpus[-1]
    say("training", **figures)


def parity(words):
    """The same recipe on the tiny base by both engines, in float32 without dropout: the steps that both took."""
    words = [w for w in words if not w.startswith("TORCH.DTYPE")]
    words += ["LORA.DROPOUT=0", "TORCH.DTYPE=float32", "TRAIN.FOLLOW=true", "TRAIN.EPOCHS=1"]
    global until
    both = []
    for engine in "torch", "native":
        until = time.time() + left_of_all() * (0.6 if engine == "torch" else 1)
        try:
            must("train", engine, *words, "MODEL.ENGINE=" + engine)
        except subprocess.TimeoutExpired:
            say("parity cut off", engine=engine)
        finally:
            end(engine)
        both.append([r["loss"] for run in glob.glob("runs/*-" + engine) for r in rows(run, "train")])
    steps = min(map(len, both))
    if not steps:
        raise TimeoutError("one of the engines has taken no step")
    worst = max(abs(a - b) for a, b in zip(*both))
    say("parity", steps=steps, losses_differ_by=f"{worst:.2g}", agrees=worst <= 1e-4)


PROGRAM, SHAPE = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "2b"
OUT = os.path.abspath(os.environ.get("OUT") or os.path.dirname(PROGRAM))
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
common = ["TORCH.PYTHON=" + sys.executable, "MODEL.ENGINE=torch", "PROJECT.RUNS=runs", "TRAIN.LOG_EVERY=1",
          "TRAIN.EVAL_EVERY=0", "TRAIN.BATCH_SIZE=8", "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=1"]


def setup():
    must("new", "demo", ".")
    say("doctor", says=[line for line in must("doctor", *common[:2]).splitlines() if "GPU" in line or "Py" in line])


if part("setup", setup):
    part("training", train, SHAPE, common)
    part("parity", parity, common)
with open(os.path.join(OUT, "gpu.json"), "w", encoding="utf-8") as file:
    json.dump(found, file, indent=1)
print(f"{time.time() - BEGAN:5.0f} s  in all, of {LIMIT:.0f}")
sys.exit(any("failed" in k for k in found))
