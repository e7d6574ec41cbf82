#!/usr/bin/env python3
"""Steps of GPT-2 small and ResNet-50 in PyTorch, as scripts/gpu-bench measures them elsewhere: in 32-bit floating point,
without compilation, with the same batches and optimisers."""

import argparse
import json
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional

SIZES = {
    "full": {"gpt": (12, 768, 12, 50257, 1024, 8), "resnet": (224, 1000, 64), "steps": (30, 160)},
    "small": {"gpt": (2, 64, 4, 256, 64, 4), "resnet": (32, 10, 2), "steps": (5, 10)},
}


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.all, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        records, positions, width = x.shape
        parts = self.all(self.first_norm(x)).split(width, dim=2)
        q, k, v = (part.view(records, positions, self.heads, -1).transpose(1, 2) for part in parts)
        values = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(values.transpose(1, 2).reshape(records, positions, width))
        return x + self.down(functional.gelu(self.up(self.second_norm(x))))


class Gpt(nn.Module):
    def __init__(self, layers, width, heads, vocabulary, sequence):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(sequence, width)
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return functional.linear(self.norm(self.layers(x)), self.tokens.weight)


def normalised(entering, leaving, kernel, stride=1):
    convolution = nn.Conv2d(entering, leaving, kernel, stride, (kernel - 1) // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(leaving))


class Block(nn.Module):
    def __init__(self, entering, leaving, stride):
        super().__init__()
        width = leaving // 4
        self.inner = nn.Sequential(
            normalised(entering, width, 1), nn.ReLU(), normalised(width, width, 3, stride), nn.ReLU(),
            normalised(width, leaving, 1),
        )
        changes = entering != leaving or stride > 1
        self.shortcut = normalised(entering, leaving, 1, stride) if changes else nn.Identity()

    def forward(self, image):
        return functional.relu(self.inner(image) + self.shortcut(image))


def resnet(classes):
    layers = [normalised(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    entering = 64
    for stage, count in enumerate([3, 4, 6, 3]):
        for block in range(count):
            layers.append(Block(entering, 256 << stage, 2 if block == 0 and stage > 0 else 1))
            entering = 256 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, classes))


def seconds(model, optimizer, batch, device, warm_up, steps):
    def wait():
        if device.type == "cuda":
            torch.cuda.synchronize()

    inputs, truth = batch
    for number in range(warm_up + steps):
        if number == warm_up:
            wait()
            started = time.perf_counter()
        scores = model(inputs.to(device))
        loss = functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), truth.to(device).reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if number % 16 == 0:
            loss.item()
    wait()
    return (time.perf_counter() - started) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--output", required=True, type=pathlib.Path)
    options = parser.parse_args()
    size = SIZES[options.size]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(1)
    rows = []

    def measure(name, model, optimizer, batch, records):
        spent = seconds(model, optimizer, batch, device, *size["steps"])
        rows.append({
            "model": name, "by": "PyTorch", "ranks": 1, "records_per_rank": records, "step_seconds": spent,
            "records_per_second": records / spent,
        })

    *shape, vocabulary, sequence, records = size["gpt"]
    gpt = Gpt(*shape, vocabulary, sequence).to(device)
    tokens = torch.randint(vocabulary, (records, sequence + 1))
    adam = torch.optim.AdamW(gpt.parameters(), lr=1e-4, weight_decay=0.01)
    measure("gpt2-small", gpt, adam, (tokens[:, :-1], tokens[:, 1:]), records)
    side, classes, records = size["resnet"]
    network = resnet(classes).to(device)
    momentum = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    measure("resnet50", network, momentum, (torch.rand(records, 3, side, side), torch.randint(classes, (records,))), records)
    options.output.write_text(json.dumps({"version": torch.__version__, "results": rows}))


if __name__ == "__main__":
    main()
