#!/usr/bin/env python3
"""Compares the logits of a fairseq checkpoint with those of its import.

Run with the Python of a fairseq: fairseq_logits.py CHECKPOINT DATA SEQUENCE_LOGITS MODEL [TOLERANCE]. SEQUENCE_LOGITS is
the program of that name, MODEL what `litenat import` wrote, DATA the folder that the checkpoint was trained on; the
sentences are made up. Prints the largest difference; exit status 1 where it is above TOLERANCE (1e-4).
"""
import json
import random
import subprocess
import sys

import torch
from fairseq.checkpoint_utils import load_model_ensemble_and_task


def make_pairs(task, parallel, count=6):
    draw = random.Random(5)
    pairs = []
    for _ in range(count):
        source = [draw.randrange(3, len(task.source_dictionary)) for _ in range(draw.randrange(1, 12))] + [2]
        target = [draw.randrange(3, len(task.target_dictionary)) for _ in range(draw.randrange(1, 12))]
        if parallel:
            pairs.append(([0] + source, [0] + [3 if draw.random() < 0.7 else t for t in target] + [2]))
        else:
            pairs.append((source, [2] + target))
    return pairs


@torch.no_grad()
def run(model, parallel, source, target):
    source, target = torch.tensor([source]), torch.tensor([target])
    length = torch.tensor([source.size(1)])
    if not parallel:
        return model(source, length, target)[0][0], None
    encoded = model.encoder(source, src_lengths=length)
    return (model.decoder(normalize=False, prev_output_tokens=target, encoder_out=encoded)[0],
            model.decoder.forward_length(normalize=False, encoder_out=encoded)[0])


def main():
    checkpoint, data, program, imported = sys.argv[1:5]
    tolerance = float(sys.argv[5]) if len(sys.argv) > 5 else 1e-4
    models, _, task = load_model_ensemble_and_task([checkpoint], arg_overrides={"data": data})
    model = models[0].eval()
    parallel = hasattr(model.decoder, "embed_length")
    pairs = make_pairs(task, parallel)
    lines = "".join(" ".join(map(str, s)) + "\t" + " ".join(map(str, t)) + "\n" for s, t in pairs)
    out = subprocess.run([program, imported], input=lines, text=True, capture_output=True)
    if out.returncode != 0:
        sys.exit(out.stderr)
    largest = 0.0
    rows = out.stdout.splitlines()
    assert len(rows) == len(pairs)
    for (source, target), row in zip(pairs, rows):
        ours = json.loads(row)
        logits, length = run(model, parallel, source, target)
        largest = max(largest, (torch.tensor(ours["logits"]) - logits).abs().max().item())
        if length is not None:
            largest = max(largest, (torch.tensor(ours["length"]) - length).abs().max().item())
    print(f"largest difference {largest:.2e} over {len(pairs)} sentences, logits up to {logits.abs().max():.1f}")
    sys.exit(0 if largest <= tolerance else 1)


if __name__ == "__main__":
    main()
