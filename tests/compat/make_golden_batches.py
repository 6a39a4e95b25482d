#!/usr/bin/env python3
"""Writes the orders and batches that fairseq makes of 150 made-up sentences: make_golden_batches.py FOLDER

A file holds one batch a line (sentence numbers); the shards of all ranks follow one another.
"""
import pathlib
import sys

import numpy as np
from fairseq.data import data_utils
from fairseq.data.iterators import ShardedIterator

COUNT = 150


def ordered_indices(source, target, shuffle):
    """LanguagePairDataset.ordered_indices without buckets."""
    indices = np.random.permutation(COUNT).astype(np.int64) if shuffle else np.arange(COUNT, dtype=np.int64)
    indices = indices[np.argsort(target[indices], kind="mergesort")]
    return indices[np.argsort(source[indices], kind="mergesort")]


def make_batches(seed, shuffle, max_tokens, max_sentences, multiple, max_positions):
    i = np.arange(COUNT)
    source, target = 3 + i * i * 7919 % 23, 2 + i * 104729 % 31
    with data_utils.numpy_seed(seed):
        indices = ordered_indices(source, target, shuffle)
    indices, _ = data_utils.filter_paired_dataset_indices_by_size(source, target, indices, max_positions)
    tokens = np.maximum(source, target)[indices]
    return data_utils.batch_by_size(indices, None, tokens, max_tokens, max_sentences, multiple)


def shards(batches, seed, epoch, num_ranks):
    """EpochBatchIterator.ordered_batches for every rank."""
    batches = list(batches)
    with data_utils.numpy_seed(seed + epoch):
        np.random.shuffle(batches)
    return [b for rank in range(num_ranks) for b in ShardedIterator(batches, num_ranks, rank, fill_value=[])]


def write(path, batches):
    path.write_text("".join(" ".join(str(i) for i in batch) + "\n" for batch in batches))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    shuffled = make_batches(1, True, 256, None, 8, 1024)
    write(folder / "shuffled.txt", shuffled)
    write(folder / "shards.txt", shards(shuffled, 1, 3, 3))
    write(folder / "sentences.txt", make_batches(1, False, 4096, 5, 1, 1024))
    write(folder / "skipped.txt", make_batches(7, True, 100, 7, 4, 25))


if __name__ == "__main__":
    main()
