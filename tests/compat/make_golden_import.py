#!/usr/bin/env python3
"""Makes data/import: tiny checkpoints of every architecture that `litenat import` reads, and the logits of each.

Run with the Python of a fairseq 0.12.2: make_golden_import.py [FOLDER]. The architectures that fairseq has are built,
saved and run by it. Those of other public code (Lite Transformer, GLAT, the conv + CRF model) are written here from their
descriptions, over fairseq's attention, with the parameter names of their checkpoints.
"""
import argparse
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from fairseq.data import Dictionary
from fairseq.models import ARCH_CONFIG_REGISTRY, ARCH_MODEL_REGISTRY
from fairseq.models.transformer import transformer_iwslt_de_en  # noqa: F401 (registers)
from fairseq.modules import DynamicCRF, MultiheadAttention, PositionalEmbedding
from fairseq.tasks.translation import TranslationTask
from omegaconf import OmegaConf
from torch import nn

TOKENS = {"de": ["ein", "hund", "mann", "geht", "sitzt", "rot", "."],
          "en": ["a", "dog", "man", "walks", "sits", "red", "."]}
SOURCES = [[4, 5, 7, 10, 2], [9, 2], [4, 6, 8, 9, 3, 10, 5, 4, 2]]
TARGETS = [[4, 5, 7, 10], [8], [4, 9, 6, 3, 8, 10]]  # without </s>
DIM, FFN, HEADS = 8, 12, 2


def dictionary(language):
    words = Dictionary()
    for i, token in enumerate(TOKENS[language]):
        words.add_symbol(token, 10 - i)
    return words


TYPES = {"lite": torch.float16, "lite_lightweight": torch.bfloat16, "lightconv": torch.float64}  # of the files
ZIPPED = ("glat", "lightconv")  # the others are in the older format, which is smaller


# ---- models of other public code, written from their descriptions


class Taps(nn.Module):
    """Lightweight or dynamic convolution, with a linear layer before (gated or not) and after it."""

    def __init__(self, dim, kernel, heads, left, dynamic, glu, linear):
        super().__init__()
        self.kernel, self.heads, self.left, self.glu = kernel, heads, left, glu
        if linear:
            self.linear1 = nn.Linear(dim, 2 * dim if glu else dim)
            self.linear2 = nn.Linear(dim, dim)
        if dynamic:
            self.weight_linear = nn.Linear(dim, heads * kernel, bias=False)
        else:
            self.weight = nn.Parameter(torch.empty(heads, 1, kernel))

    def forward(self, x):  # [T, B, C]
        if hasattr(self, "linear1"):
            x = self.linear1(x)
            x = F.glu(x, -1) if self.glu else x
        time, batch, channels = x.shape
        if hasattr(self, "weight"):
            taps = self.weight[:, 0].softmax(-1).expand(time, batch, -1, -1)
        else:
            taps = self.weight_linear(x).view(time, batch, self.heads, self.kernel).softmax(-1)
        y = torch.zeros_like(x)
        for t in range(time):
            for k in range(self.kernel):
                if 0 <= t + k - self.left < time:
                    y[t] += taps[t, :, :, k].repeat_interleave(channels // self.heads, -1) * x[t + k - self.left]
        return self.linear2(y) if hasattr(self, "linear2") else y


class Branches(nn.Module):
    def __init__(self, dim, conv):
        super().__init__()
        self.branches = nn.ModuleList([MultiheadAttention(dim, HEADS, self_attention=True), conv])

    def forward(self, x, mask):
        left, right = x.chunk(2, -1)
        return torch.cat([self.branches[0](left, left, left, attn_mask=mask)[0], self.branches[1](right)], -1)


class Layer(nn.Module):
    """One layer, post-norm; `kind` says what mixes positions: lsra, conv or attention."""

    def __init__(self, kind, index, decoder, causal, dynamic, glu):
        super().__init__()
        self.kind, self.causal, kernel = kind, causal, (3, 5)[index]
        left = kernel - 1 if decoder else kernel // 2
        if kind == "lsra":
            self.self_attn = Branches(DIM // 2, Taps(DIM // 2, kernel, HEADS, left, dynamic, glu, True))
        elif kind == "attention":
            self.self_attn = MultiheadAttention(DIM, HEADS, self_attention=True)
        else:
            self.linear1 = nn.Linear(DIM, 2 * DIM if glu else DIM)
            self.conv = Taps(DIM, kernel, HEADS, left, dynamic, glu and dynamic, True)
            self.linear2 = nn.Linear(DIM, DIM)
            self.glu = glu
        if kind == "conv" and not decoder:
            self.layer_norms = nn.ModuleList([nn.LayerNorm(DIM), nn.LayerNorm(DIM)])
        else:
            setattr(self, "conv_layer_norm" if kind == "conv" else "self_attn_layer_norm", nn.LayerNorm(DIM))
            self.final_layer_norm = nn.LayerNorm(DIM)
        if decoder:
            self.encoder_attn = MultiheadAttention(DIM, HEADS, encoder_decoder_attention=True)
            self.encoder_attn_layer_norm = nn.LayerNorm(DIM)
        self.fc1, self.fc2 = nn.Linear(DIM, FFN), nn.Linear(FFN, DIM)

    def norm(self, index):
        if hasattr(self, "layer_norms"):
            return self.layer_norms[index]
        first = "conv_layer_norm" if self.kind == "conv" else "self_attn_layer_norm"
        return getattr(self, (first, "final_layer_norm")[index])

    def mix(self, x):
        mask = torch.full((len(x), len(x)), float("-inf")).triu(1) if self.causal else None
        if self.kind == "lsra":
            return self.self_attn(x, mask)
        if self.kind == "attention":
            return self.self_attn(x, x, x, attn_mask=mask)[0]
        h = self.linear1(x)
        return self.linear2(self.conv(F.glu(h, -1) if self.glu else h))

    def forward(self, x, states, activation):
        x = self.norm(0)(x + self.mix(x))
        if states is not None:
            x = self.encoder_attn_layer_norm(x + self.encoder_attn(x, states, states, static_kv=True)[0])
        return self.norm(1)(x + self.fc2(activation(self.fc1(x))))


class Side(nn.Module):
    def __init__(self, args, kind, decoder, causal, dynamic, glu):
        super().__init__()
        self.register_buffer("version", torch.tensor([3.0]))
        self.embed_tokens = nn.Embedding(4 + len(TOKENS["en"]), DIM, padding_idx=1)
        self.embed_positions = PositionalEmbedding(20, DIM, 1, learned=args.encoder_learned_pos)
        self.layers = nn.ModuleList(Layer(kind, i, decoder, causal, dynamic, glu) for i in range(args.encoder_layers))


class OtherModel(nn.Module):
    """Lite Transformer (autoregressive, scaled embeddings), or a parallel decoder that copies its input softly."""

    def __init__(self, args, kind, parallel, dynamic=True, glu=True, crf=False):
        super().__init__()
        self.parallel = parallel
        self.scale = 1.0 if parallel else DIM ** 0.5
        self.activation = F.gelu if args.activation_fn == "gelu" and kind != "conv" else F.relu
        self.encoder = Side(args, kind, False, False, dynamic, glu)
        self.decoder = Side(args, kind, True, not parallel, dynamic, glu)
        if args.share_all_embeddings:
            self.decoder.embed_tokens = self.encoder.embed_tokens
        elif parallel:
            self.decoder.output_projection = nn.Linear(DIM, 4 + len(TOKENS["en"]), bias=False)
        else:
            self.decoder.embed_out = nn.Parameter(torch.empty(4 + len(TOKENS["en"]), DIM))
        if parallel:
            self.decoder.embed_length = nn.Embedding(40, DIM)
            self.decoder.copy_attn = nn.Linear(DIM, DIM, bias=False)
        if crf:
            self.crf_layer = DynamicCRF(4 + len(TOKENS["en"]), low_rank=4, beam_size=6)

    def output_table(self):
        if hasattr(self.decoder, "output_projection"):
            return self.decoder.output_projection.weight
        return getattr(self.decoder, "embed_out", self.encoder.embed_tokens.weight)

    def forward(self, source, target):
        embedded, places = self.scale * self.encoder.embed_tokens(source), self.encoder.embed_positions(source)
        states = (embedded + places).transpose(0, 1)
        for layer in self.encoder.layers:
            states = layer(states, None, self.activation)
        positions = self.decoder.embed_positions(target)
        x = self.scale * self.decoder.embed_tokens(target)
        if self.parallel:
            scores = self.decoder.copy_attn(positions) @ (embedded + places).transpose(1, 2)
            x = torch.where(target.eq(3).unsqueeze(-1), scores.softmax(-1) @ embedded, x)
        else:
            x = x + positions
        x = x.transpose(0, 1)
        for layer in self.decoder.layers:
            x = layer(x + positions.transpose(0, 1) if self.parallel else x, states, self.activation)
        length = F.linear(states.mean(0), self.decoder.embed_length.weight)[0] if self.parallel else None
        return x.transpose(0, 1)[0] @ self.output_table().T, length


# ---- running and saving


class FairseqModel:
    """A model of fairseq itself, called as OtherModel is."""

    def __init__(self, args):
        task = TranslationTask(args, dictionary("de"), dictionary("en"))
        if args.share_all_embeddings:
            task.tgt_dict = task.src_dict
        self.model = ARCH_MODEL_REGISTRY[args.arch].build_model(args, task)
        self.parallel = hasattr(self.model.decoder, "embed_length")

    def __call__(self, source, target):
        length = torch.tensor([source.size(1)])
        if not self.parallel:
            return self.model(source, length, target)[0][0], None
        encoded = self.model.encoder(source, src_lengths=length)
        lengths = self.model.decoder.forward_length(normalize=False, encoder_out=encoded)[0]
        return self.model.decoder(normalize=False, prev_output_tokens=target, encoder_out=encoded)[0], lengths


def settings(arch, **changes):
    args = argparse.Namespace(
        arch=arch, source_lang="de", target_lang="en", left_pad_source=True, left_pad_target=False, encoder_layers=1,
        decoder_layers=1, encoder_embed_dim=DIM, decoder_embed_dim=DIM, encoder_ffn_embed_dim=FFN,
        decoder_ffn_embed_dim=FFN, encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, max_source_positions=20,
        max_target_positions=20, share_all_embeddings=False, encoder_learned_pos=False, activation_fn="relu", dropout=0.1)
    for key, value in changes.items():
        setattr(args, key, value)
    if arch in ARCH_CONFIG_REGISTRY:
        ARCH_CONFIG_REGISTRY[arch](args)
    return args


def nested(args):
    """The settings as fairseq-hydra-train groups them."""
    model = {"_name": args.arch, "encoder": {}, "decoder": {}}
    for key, value in vars(args).items():
        group, _, rest = key.partition("_")
        (model[group] if group in ("encoder", "decoder") else model).update({rest if group in model else key: value})
    model["decoder"]["output_dim"] = "${model.decoder.embed_dim}"
    task = {"_name": "translation", "source_lang": model.pop("source_lang"), "target_lang": model.pop("target_lang")}
    return {"_name": None, "common": {"seed": 1}, "task": task, "model": model}


# Where the settings of a file are: in "args", or in "cfg" as fairseq of early 2021 and as 0.12.2 saves it.
SAVED_AS = {"transformer_prenorm": lambda args: OmegaConf.create(nested(args)),
            "nat": lambda args: {"task": {"source_lang": "de", "target_lang": "en"}, "model": args}}


def early(saved):
    """The names of fairseq before 0.8: joined projections, numbered norms, no copies, no name for a tied output."""
    names = {}
    norms = {"self_attn_layer_norm": 0, "encoder_attn_layer_norm": 1}
    for name, value in saved.items():
        parts = name.split(".")
        side, layer = parts[0], ".".join(parts[:3])
        if parts[-1].startswith(("in_proj_", "out_proj_", "fc1_", "fc2_")):
            continue
        if parts[-2] in ("q_proj", "k_proj", "v_proj"):
            joined = ".".join(parts[:-2]) + ".in_proj_" + parts[-1]
            names[joined] = torch.cat([saved[".".join(parts[:-2] + [f"{p}_proj", parts[-1]])] for p in "qkv"])
        elif parts[-2].endswith("layer_norm") and len(parts) > 3:
            number = norms.get(parts[-2], 2 if side == "decoder" else 1)
            names[f"{layer}.layer_norms.{number}.{parts[-1]}"] = value
        elif name != "decoder.output_projection.weight":
            names[name] = value
    return names


def cases():
    learned = dict(encoder_learned_pos=True, decoder_learned_pos=True)
    parallel = dict(src_embedding_copy=True, decoder_normalize_before=False, encoder_normalize_before=False, **learned)
    kernels = dict(encoder_layers=2, decoder_layers=2, encoder_kernel_size_list=[3, 5], decoder_kernel_size_list=[3, 5],
                   weight_softmax=True)
    branches = dict(encoder_branch_type=["attn:1:4:2", "dynamic:default:4:2"], conv_linear=True,
                    decoder_branch_type=["attn:1:4:2", "dynamic:default:4:2"], encoder_glu=True, decoder_glu=True)
    light = {key: [value[0], value[1].replace("dynamic", "lightweight")] for key, value in branches.items()
             if key.endswith("type")}
    bare = dict(adaptive_softmax_dropout=0, tie_adaptive_weights=False)

    args = settings("transformer_iwslt_de_en", share_all_embeddings=True)
    yield "transformer", args, FairseqModel(args)
    args = settings("transformer", encoder_normalize_before=True, decoder_normalize_before=True, activation_fn="gelu",
                    share_decoder_input_output_embed=True, **learned)
    yield "transformer_prenorm", args, FairseqModel(args)
    args = settings("lightconv", encoder_conv_type="dynamic", decoder_conv_type="dynamic", **kernels, **bare)
    yield "dynamicconv", args, FairseqModel(args)
    args = settings("lightconv_iwslt_de_en", encoder_conv_type="lightweight", decoder_conv_type="lightweight",
                    share_all_embeddings=True, encoder_normalize_before=True, decoder_normalize_before=True, **kernels,
                    **bare)
    yield "lightconv", args, FairseqModel(args)
    args = settings("nonautoregressive_transformer", pred_length_offset=True, apply_bert_init=True, **learned)
    yield "nat", args, FairseqModel(args)
    args = settings("nacrf_transformer", crf_lowrank_approx=4, crf_beam_approx=6)
    yield "nacrf", args, FairseqModel(args)
    args = settings("transformer_multibranch_v2_wmt_en_de", share_all_embeddings=True, **branches, **kernels)
    yield "lite", args, OtherModel(args, "lsra", False)
    args = settings("transformer_multibranch_v2_iwslt_de_en", **{**branches, **light}, **kernels)
    yield "lite_lightweight", args, OtherModel(args, "lsra", False, dynamic=False, glu=False)
    args = settings("glat", activation_fn="gelu", share_all_embeddings=True, **parallel)
    yield "glat", args, OtherModel(args, "attention", True)
    args = settings("conv_crf_transformer", activation_fn="gelu", encoder_conv_type="dynamic", decoder_conv_type="dynamic",
                    conv_linear=True, encoder_glu=True, decoder_glu=True, crf_lowrank_approx=4, crf_beam_approx=6,
                    **parallel, **kernels)
    yield "conv_crf", args, OtherModel(args, "conv", True, crf=True)

    args = settings("transformer_iwslt_de_en", share_decoder_input_output_embed=True)
    yield "transformer_early", args, FairseqModel(args)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "data" / "import")
    folder.mkdir(parents=True, exist_ok=True)
    for language, tokens in TOKENS.items():
        (folder / f"dict.{language}.txt").write_text("".join(f"{t} {10 - i}\n" for i, t in enumerate(tokens)))
    golden = {}
    for index, (name, args, run) in enumerate(cases()):
        model = getattr(run, "model", run).eval()
        torch.manual_seed(index)
        with torch.no_grad():
            for parameter in model.parameters():  # multiples of 1/16: exact in every type
                value = torch.randn_like(parameter) * 0.4 + (0.5 if parameter.dim() == 1 else 0)
                parameter.copy_((value * 16).round().clamp(-31, 31) / 16)
        saved = {key: value.to(TYPES.get(name, torch.float32)) for key, value in model.state_dict().items()}
        state = {"model": early(saved) if name.endswith("early") else saved,
                 "optimizer_history": [{"num_updates": 100 + index}], "extra_state": {"train_iterator": {"epoch": 3}}}
        state.update({"args": None, "cfg": SAVED_AS[name](args)} if name in SAVED_AS else {"args": args})
        torch.save(state, folder / f"{name}.pt", _use_new_zipfile_serialization=name in ZIPPED)
        model.load_state_dict(saved)  # fairseq then renews its copies for the fused layer; those in the file stay wrong
        rows = []
        with torch.no_grad():
            for source, target in zip(SOURCES, TARGETS):
                parallel = run.parallel
                source = torch.tensor([[0] + source if parallel else source])
                target = torch.tensor([[0] + [3 if i % 3 else t for i, t in enumerate(target)] + [2] if parallel
                                       else [2] + target])
                logits, length = run(source, target)
                rows.append({"source": source[0].tolist(), "target": target[0].tolist(),
                             "logits": [[round(float(v), 6) for v in row] for row in logits],
                             "length": [] if length is None else [round(float(v), 6) for v in length]})
        golden[name] = rows
    (folder / "logits.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
