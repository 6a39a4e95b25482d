#!/usr/bin/env python3
"""Makes src/nn/sequence_golden.h: what models with an encoder and a decoder compute, by PyTorch's own layers
(torch.nn.TransformerEncoderLayer, TransformerDecoderLayer, MultiheadAttention) and fairseq's convolutions (DynamicConv,
LightweightConv), one sentence at a time, so that there is no padding. Run once, with a Python that has torch and
fairseq 0.12.2:

    python3 tests/compat/make_golden_sequence.py > src/nn/sequence_golden.h && clang-format -i src/nn/sequence_golden.h

Parameters are no random numbers but a formula of name and index (value_of below, and in sequence_model_test.cc).
"""
import math

import torch
import torch.nn.functional as F
from fairseq.modules import DynamicConv, LightweightConv
from torch.func import functional_call

torch.set_default_dtype(torch.float64)

WIDTH, HEADS, INNER, VOCABULARY, POSITIONS = 8, 2, 12, 11, 12
SOURCES = [[4, 9, 5, 7, 2], [8, 4, 2]]
TARGETS = [[5, 10, 6, 2], [9, 9, 4, 7, 6, 2]]
# Non-autoregressive: <s> <unk> ... </s>, some tokens known; what each row is to say.
PARALLEL_SOURCES = [[0, 4, 9, 5, 7, 2], [0, 8, 4, 2]]
PARALLEL_INPUTS = [[0, 3, 10, 3, 2], [0, 3, 3, 3, 7, 3, 2]]
PARALLEL_TARGETS = [[0, 5, 10, 6, 2], [0, 9, 9, 4, 7, 6, 2]]
LENGTH_CLASSES = 9


def value_of(name, shape):
    """0.3 sin(0.37 i^2 + phase of the name), 1 more for the gains of LayerNorm."""
    index = torch.arange(math.prod(shape))
    values = 0.3 * torch.sin(0.37 * index * index + 0.1 * (sum(name.encode()) % 63))
    if "norm" in name and name.endswith("weight"):
        values = values + 1
    return values.view(shape)


class Parameters:
    """Makes parameters as they are asked for."""

    def __init__(self):
        self.all = {}

    def __call__(self, name, *shape):
        if name not in self.all:
            self.all[name] = value_of(name, shape).requires_grad_()
        return self.all[name]

    def linear(self, name, x, out, bias=True):
        return F.linear(x, self(name + ".weight", out, x.size(-1)), self(name + ".bias", out) if bias else None)

    def norm(self, name, x):
        width = x.size(-1)
        return F.layer_norm(x, (width,), self(name + ".weight", width), self(name + ".bias", width))

    def attention(self, prefix, width, source_width=None):
        """The parameters of a torch MultiheadAttention."""
        source_width = source_width or width
        parts = [self(f"{prefix}.{p}_proj.weight", width, source_width if p in "kv" else width) for p in "qkv"]
        return {
            "in_proj_weight": torch.cat(parts),
            "in_proj_bias": torch.cat([self(f"{prefix}.{p}_proj.bias", width) for p in "qkv"]),
            "out_proj.weight": self(f"{prefix}.out_proj.weight", width, width),
            "out_proj.bias": self(f"{prefix}.out_proj.bias", width),
        }


def causal_mask(rows):
    return torch.ones(rows, rows, dtype=torch.bool).triu(1)


def attend(p, prefix, q, kv, heads, mask=None):
    layer = torch.nn.MultiheadAttention(q.size(-1), heads, batch_first=True)
    return functional_call(layer, p.attention(prefix, q.size(-1)), (q, kv, kv),
                           {"attn_mask": mask, "need_weights": False})[0]


def torch_layer(p, prefix, x, memory, pre_norm, activation):
    """A block with attention by PyTorch's encoder or (with memory) decoder layer."""
    kind = torch.nn.TransformerEncoderLayer if memory is None else torch.nn.TransformerDecoderLayer
    layer = kind(WIDTH, HEADS, INNER, dropout=0.0, activation=activation, batch_first=True, norm_first=pre_norm)
    state = {"self_attn." + k: v for k, v in p.attention(prefix + ".self_attn", WIDTH).items()}
    norms = ["layer_norms.0", "layer_norms.1"]
    if memory is not None:
        state.update({"multihead_attn." + k: v for k, v in p.attention(prefix + ".encoder_attn", WIDTH).items()})
        norms.insert(1, "encoder_attn_layer_norm")
    for i, norm in enumerate(norms):
        for part in ("weight", "bias"):
            state[f"norm{i + 1}.{part}"] = p(f"{prefix}.{norm}.{part}", WIDTH)
    for ours, theirs, shape in (("fc1", "linear1", (INNER, WIDTH)), ("fc2", "linear2", (WIDTH, INNER))):
        state[theirs + ".weight"] = p(f"{prefix}.{ours}.weight", *shape)
        state[theirs + ".bias"] = p(f"{prefix}.{ours}.bias", shape[0])
    if memory is None:
        return functional_call(layer, state, (x,))
    return functional_call(layer, state, (x, memory), {"tgt_mask": causal_mask(x.size(1))})


def convolve(p, prefix, x, kind, kernel, heads, causal):
    """fairseq's convolution of x [1, T, C]."""
    padding = kernel - 1 if causal else kernel // 2
    channels = x.size(-1)
    if kind == "dynamic":
        conv = DynamicConv(channels, kernel, padding, heads, weight_softmax=True)
        state = {"weight_linear.weight": p(prefix + ".weight_linear.weight", heads * kernel, channels)}
    else:
        conv = LightweightConv(channels, kernel, padding, heads, weight_softmax=True)
        state = {"weight": p(prefix + ".weight", heads, kernel).view(heads, 1, kernel)}
    return functional_call(conv, state, (x.transpose(0, 1),)).transpose(0, 1)


def lsra(p, prefix, x, kind, kernel, causal):
    """Long-short range attention: half of the channels each."""
    half = WIDTH // 2
    far = attend(p, prefix + ".branches.0", x[..., :half], x[..., :half], HEADS,
                 causal_mask(x.size(1)) if causal else None)
    gated = kind == "dynamic"
    near = p.linear(prefix + ".branches.1.linear1", x[..., half:], 2 * half if gated else half)
    near = F.glu(near, -1) if gated else near
    near = convolve(p, prefix + ".branches.1", near, kind, kernel, HEADS, causal)
    return torch.cat([far, p.linear(prefix + ".branches.1.linear2", near, half)], -1)


def conv_branch(p, prefix, x, kernel, causal):
    """GLU, an inner linear layer with a GLU of its own, DynamicConv, two linear layers."""
    h = F.glu(p.linear(prefix + ".linear1", x, 2 * WIDTH), -1)
    h = F.glu(p.linear(prefix + ".conv.linear1", h, 2 * WIDTH), -1)
    h = convolve(p, prefix + ".conv", h, "dynamic", kernel, HEADS, causal)
    return p.linear(prefix + ".linear2", p.linear(prefix + ".conv.linear2", h, WIDTH), WIDTH)


def block(p, prefix, x, memory, mix):
    """Post-norm: mixing, attention over memory, feed-forward."""
    x = p.norm(prefix + ".layer_norms.0", x + mix(x))
    if memory is not None:
        x = p.norm(prefix + ".encoder_attn_layer_norm", x + attend(p, prefix + ".encoder_attn", x, memory, HEADS))
    h = p.linear(prefix + ".fc2", F.relu(p.linear(prefix + ".fc1", x, INNER)), WIDTH)
    return p.norm(prefix + ".layer_norms.1", x + h)


def sinusoids(rows):
    half = WIDTH // 2
    angles = torch.arange(2, rows + 2).unsqueeze(1) * torch.exp(torch.arange(half) * -math.log(10000) / (half - 1))
    return torch.cat([angles.sin(), angles.cos()], 1)


def embed(p, name, ids, width=WIDTH):
    return F.embedding(torch.tensor([ids]), p(name, VOCABULARY, width))


def positions(p, side, rows):
    return p(side + ".embed_positions.weight", POSITIONS + 2, WIDTH)[2:2 + rows]


def transformer(p, source, inputs):
    def embedded(ids):
        return math.sqrt(WIDTH) * embed(p, "encoder.embed_tokens.weight", ids) + sinusoids(len(ids))

    x, y = embedded(source), embedded(inputs)
    for i in range(2):
        x = torch_layer(p, f"encoder.layers.{i}", x, None, False, "relu")
    for i in range(2):
        y = torch_layer(p, f"decoder.layers.{i}", y, x, False, "relu")
    return F.linear(y, p("encoder.embed_tokens.weight", VOCABULARY, WIDTH)), None


def pre_norm(p, source, inputs):
    x = embed(p, "encoder.embed_tokens.weight", source) + positions(p, "encoder", len(source))
    y = p.linear("decoder.embed_project", embed(p, "decoder.embed_tokens.weight", inputs, 6), WIDTH)
    y = y + positions(p, "decoder", len(inputs))
    x = p.norm("encoder.layer_norm", torch_layer(p, "encoder.layers.0", x, None, True, "gelu"))
    for i in range(2):
        y = torch_layer(p, f"decoder.layers.{i}", y, x, True, "gelu")
    y = p.norm("decoder.layer_norm", y)
    return p.linear("head.output", p.linear("head.project", y, 5, bias=False), VOCABULARY), None


def lite_transformer(p, source, inputs):
    x = math.sqrt(WIDTH) * embed(p, "encoder.embed_tokens.weight", source) + sinusoids(len(source))
    y = math.sqrt(WIDTH) * embed(p, "decoder.embed_tokens.weight", inputs) + sinusoids(len(inputs))
    for i, (kind, kernel) in enumerate((("dynamic", 3), ("lightweight", 5))):
        name = f"encoder.layers.{i}"
        x = block(p, name, x, None, lambda h: lsra(p, name + ".self_attn", h, kind, kernel, False))
    for i, (kind, kernel) in enumerate((("dynamic", 3), ("lightweight", 5))):
        name = f"decoder.layers.{i}"
        y = block(p, name, y, x, lambda h: lsra(p, name + ".self_attn", h, kind, kernel, True))
    return F.linear(y, p("decoder.embed_tokens.weight", VOCABULARY, WIDTH)), None


def parallel(p, source, inputs):
    tokens = embed(p, "encoder.embed_tokens.weight", source)
    x = placed = tokens + positions(p, "encoder", len(source))
    for i, kernel in enumerate((3, 5)):
        name = f"encoder.layers.{i}"
        x = block(p, name, x, None, lambda h: conv_branch(p, name, h, kernel, False))
    length = F.linear(x.mean(1), p("decoder.embed_length.weight", LENGTH_CLASSES, WIDTH))
    place = positions(p, "decoder", len(inputs))
    scores = p.linear("decoder.copy_attn", place, WIDTH, bias=False) @ placed[0].t()
    copies = torch.softmax(scores, -1) @ tokens[0]
    known = embed(p, "decoder.embed_tokens.weight", inputs)
    y = torch.where(torch.tensor(inputs).eq(3).view(1, -1, 1), copies, known)
    y = block(p, "decoder.layers.0", y + place, x, lambda h: conv_branch(p, "decoder.layers.0", h, 3, True))
    y = block(p, "decoder.layers.1", y + place, x,
              lambda h: attend(p, "decoder.layers.1.self_attn", h, h, HEADS))
    return F.linear(y, p("decoder.embed_tokens.weight", VOCABULARY, WIDTH)), length


def show_numbers(values):
    return ", ".join(repr(float(v)) for v in values)


def run(name, model, sources, inputs, targets):
    p = Parameters()
    logits, loss = [], 0.0
    for source, given, target in zip(sources, inputs, targets):
        row_logits, length = model(p, source, given)
        logits.append(row_logits[0])
        loss = loss + F.cross_entropy(row_logits[0], torch.tensor(target), reduction="sum")
        if length is not None:
            loss = loss + F.cross_entropy(length, torch.tensor([len(target)]), reduction="sum")
    loss.backward()
    print(f"inline const Golden k{name}{{")
    print(f"{float(loss.detach())!r}, {{{show_numbers(torch.cat(logits).detach().flatten())}}},\n{{")
    for key in sorted(p.all):
        gradient = p.all[key].grad
        print(f'{{"{key}", {float((gradient * value_of("direction " + key, gradient.shape)).sum())!r}}},')
    print("}};\n")


def main():
    print("// Made by tests/compat/make_golden_sequence.py: do not edit.\n#pragma once\n")
    print("#include <map>\n#include <string>\n#include <vector>\n\nnamespace litenat::nn {\n")
    print("struct Golden {\ndouble loss;\nstd::vector<double> logits;  // [rows, 11], sentence after sentence\n"
          "std::map<std::string, double> gradients;  // of the loss, each times a direction\n};\n")
    shifted = [[2] + target[:-1] for target in TARGETS]
    run("Transformer", transformer, SOURCES, shifted, TARGETS)
    run("PreNorm", pre_norm, SOURCES, shifted, TARGETS)
    run("LiteTransformer", lite_transformer, SOURCES, shifted, TARGETS)
    run("Parallel", parallel, PARALLEL_SOURCES, PARALLEL_INPUTS, PARALLEL_TARGETS)
    print("}  // namespace litenat::nn")


main()
