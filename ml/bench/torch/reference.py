"""PyTorch's side of the comparison: one JSON command a line on standard input, one JSON answer a line on standard output.

Models are transformers' Qwen2 with PEFT's LoRA, eager PyTorch with its default attention, all in one process.
"""
import json
import sys
import time
import warnings

import torch
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


def forget(name):
    models.pop(name, None)
    optimizers.pop(name, None)
    return {}


class Clock:
    def __init__(self):
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def read(self):
        return dict(wall=time.perf_counter() - self.wall, busy=time.process_time() - self.busy)


COMMANDS = dict(hello=hello, make=make, load=load, step=step, plain=plain, decode=decode, forget=forget)

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = COMMANDS[command.pop("do")](**command)
    except Exception as error:
        answer = dict(error=f"{type(error).__name__}: {error}")
    print(json.dumps(answer), file=answers, flush=True)
