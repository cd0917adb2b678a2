# A plain SASRec in PyTorch, trained on sequences that Go made: the work of
# recipe/sequence with gated=0 and feed_forward=1, in whatever way is quickest here.
import json
import resource
import sys
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

folder, users, length, items, rounds, threads, batch = sys.argv[1], *map(int, sys.argv[2:])
D, HEADS, BLOCKS, DROPOUT, RATE = 64, 2, 2, 0.2, 1e-3


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, D), nn.Linear(D, D)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=DROPOUT if self.training else 0.0)
        x = x + self.out(y.transpose(1, 2).reshape(b, n, D))
        y = F.dropout(F.relu(self.up(self.norm2(x))), DROPOUT, self.training)
        return x + F.dropout(self.down(y), DROPOUT, self.training)


class SASRec(nn.Module):
    def __init__(self):
        super().__init__()
        self.item, self.place = nn.Embedding(items, D), nn.Embedding(length, D)
        nn.init.normal_(self.item.weight, std=0.02)
        nn.init.normal_(self.place.weight, std=0.02)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(BLOCKS)), nn.LayerNorm(D)

    def states(self, x):
        x = F.dropout(self.item(x) * D**0.5 + self.place.weight, DROPOUT, self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, x, target):
        return F.cross_entropy(self.states(x).flatten(0, 1) @ self.item.weight.T, target.flatten())


def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


class Training:
    def __init__(self, bf16, compiled):
        torch.manual_seed(1)
        self.model, self.bf16 = SASRec(), bf16
        self.forward = torch.compile(self.model) if compiled else self.model
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=RATE, betas=(0.9, 0.98), fused=True)
        self.count = 0

    def step(self, rows):
        self.count += 1  # the rate rises over two rounds, as in Attune
        rise = min(1.0, self.count / min(200, 2 * (users // batch)))
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * rise / (1 + (self.count - 1) / 1000) ** 0.5
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = self.forward(rows[:, :-1], rows[:, 1:])
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()

    def loss(self, rows):
        self.model.eval()
        with torch.no_grad():
            total = 0.0
            for part in rows.split(batch):
                h = self.model.states(part[:, :-1])[:, -1]
                total += F.cross_entropy(h @ self.model.item.weight.T, part[:, -1], reduction="sum").item()
        self.model.train()
        return total / len(rows)


torch.set_num_threads(threads)
torch.set_flush_denormal(True)
rows = torch.from_numpy(numpy.fromfile(folder + "/sequences", numpy.int32).reshape(users, length + 1).astype(numpy.int64))

# Which way is quickest here: with and without bfloat16, with and without the
# compiler, which needs one for C++; a way that does not work is passed over.
best = None
for bf16, compiled in [(False, False), (True, False), (False, True), (True, True)]:
    name = ("bf16" if bf16 else "fp32") + (" compiled" if compiled else "")
    try:
        trial, times = Training(bf16, compiled), []
        for _ in range(3):
            used, began = cpu(), time.perf_counter()
            trial.step(rows[:batch])
            times.append((cpu() - used, time.perf_counter() - began))
            if best and not compiled and times[0] > (4 * best[0][0], 0.0):
                times.append(times[0])  # far from the quickest: not worth the wait
                break
        print(name, "takes", min(times[1:])[0], "CPU seconds a step", file=sys.stderr, flush=True)
        if best is None or min(times[1:]) < best[0]:
            best = min(times[1:]), name, bf16, compiled
    except Exception as e:
        print(name, "does not work:", str(e).splitlines()[0][:200], file=sys.stderr, flush=True)

training = Training(*best[2:])
training.step(rows[:batch])  # compiles
training = Training(*best[2:]) if not best[3] else training
order = torch.Generator().manual_seed(1)
for n in range(rounds):
    used = cpu()
    for part in rows[torch.randperm(users, generator=order)].split(batch):
        training.step(part)
    used = cpu() - used
    print(json.dumps({"round": n + 1, "cpu_seconds": used, "loss": training.loss(rows), "kernel": best[1] + ", torch " + torch.__version__}), flush=True)
    sys.stdin.readline()
