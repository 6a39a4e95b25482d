#!/usr/bin/env python3
"""Trains every family of configs/mt on one parallel corpus and fills one table.

  zoo.py --text TEXT --work WORK [--litenat BIN] [--rows NAME ...] [--device cuda] [--jobs 4] [--minutes 6]

TEXT holds {train,valid,test}.SRC and .TGT, raw text, one sentence a line. WORK gets everything that is made. A step that
is done is not done again, and a training run that was stopped goes on where it was, so the script may be stopped and
started at any moment. Steps: corpus and dictionaries, the autoregressive teacher, its outputs as a second corpus, every
row on the raw corpus, the non-autoregressive rows on the distilled one too, then for each run export, int8, scores and
times. Several runs train side by side (--jobs). Prints the table and writes WORK/table.md and WORK/table.json.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time
from pathlib import Path

TEACHER = "transformer-multi30k"
# The rows of the table: those of configs/mt that are made for a corpus of this size.
ROWS = ["transformer-multi30k", "lite-transformer-multi30k", "nat", "glat", "glat-ctc", "glat-crf", "conv-nat",
        "conv-crf-nat-dynamic", "conv-crf-nat-light", "lite-encoder-nat", "lite-encoder-crf-nat",
        "lite-encoder-lite-decoder-nat", "lite-encoder-lite-decoder-crf-nat", "transformer-multi30k-factorised",
        "lite-transformer-multi30k-factorised", "glat-factorised", "glat-ctc-factorised",
        "conv-crf-nat-dynamic-factorised", "lite-encoder-lite-decoder-nat-factorised"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="folder of the raw text; not needed once WORK/corpus exists")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--litenat", default="litenat", help="the program")
    parser.add_argument("--configs", type=Path, default=Path(__file__).resolve().parents[2] / "configs" / "mt")
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="de")
    parser.add_argument("--vocabulary", type=int, default=8000, help="pieces of the joined SentencePiece model")
    parser.add_argument("--rows", nargs="*", help="configurations to train (default: all rows)")
    parser.add_argument("--device", default="auto", help="of training and of the torch engine: auto, cpu, cuda")
    parser.add_argument("--jobs", type=int, default=1, help="runs that train side by side")
    parser.add_argument("--minutes", type=float, default=6, help="training time of each run")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of each job")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--length-beam", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override for every run")
    parser.add_argument("--until", choices=["corpus", "teacher", "distilled", "train", "table"], default="table")
    return parser.parse_args()


class Failed(RuntimeError):
    pass


class Zoo:
    def __init__(self, options):
        self.options = options
        self.work = options.work.resolve()
        (self.work / "logs").mkdir(parents=True, exist_ok=True)

    def litenat(self, name, *arguments, capture=False):
        """Runs one command; what it says goes to WORK/logs/NAME.log, its results are returned when `capture`."""
        command = [self.options.litenat, *map(str, arguments)]
        log = self.work / "logs" / f"{name}.log"
        with open(log, "a", encoding="utf-8") as errors:
            print("$", *command, file=errors, flush=True)
            done = subprocess.run(command, stdout=subprocess.PIPE if capture else errors, stderr=errors, text=True)
        if done.returncode != 0:
            raise Failed(f"{name}: `{' '.join(command)}` ended with status {done.returncode}; see {log}")
        return done.stdout if capture else None

    def once(self, result, make):
        """Calls make() unless `result` exists already; make() leaves it complete or not at all."""
        if not result.exists():
            print(f"{time.strftime('%H:%M:%S')} {result.relative_to(self.work)}", file=sys.stderr, flush=True)
            make()
        return result

    def json_once(self, result, make):
        self.once(result, lambda: self.write(result, json.dumps(make()).encode("utf-8")))
        return json.loads(result.read_text(encoding="utf-8"))

    # ---- data

    def make_corpus(self):
        o = self.options
        corpus = self.work / "corpus"

        def make():
            if o.text is None:
                raise Failed("--text: expected the folder of the raw text, found nothing")
            self.litenat("corpus", "corpus", "mt", o.text / f"train.{o.source}", o.text / f"train.{o.target}",
                         "-s", o.source, "-t", o.target, "--valid-prefix", o.text / "valid", "--test-prefix",
                         o.text / "test", "--vocab-size", o.vocabulary, "--joined", "--output", corpus)

        self.once(corpus / "summary.json", make)
        self.once(self.work / "data" / "complete",
                  lambda: self.preprocess(corpus / "train", self.work / "data", "--joined-dictionary"))
        self.once(self.work / "test.tsv", self.write_pairs)

    def preprocess(self, train_prefix, folder, *extra):
        o = self.options
        corpus = self.work / "corpus"
        self.litenat("preprocess", "preprocess", "-s", o.source, "-t", o.target, "--trainpref", train_prefix,
                     "--validpref", corpus / "valid", "--testpref", corpus / "test", "--destdir", folder, *extra)
        tokenizer = corpus / "tokenizer.model"
        if tokenizer.exists():
            self.write(folder / "tokenizer.model", tokenizer.read_bytes())
        (folder / "complete").touch()

    @staticmethod
    def write(path, data):
        """Writes a file aside and renames it: it is there whole or not at all."""
        aside = path.with_name(path.name + ".tmp")
        aside.write_bytes(data)
        aside.rename(path)

    def write_pairs(self):
        o = self.options
        if o.text is None:
            raise Failed("--text: expected the folder of the raw text, found nothing")
        sides = [(o.text / f"test.{language}").read_text(encoding="utf-8").splitlines()
                 for language in (o.source, o.target)]
        if len(sides[0]) != len(sides[1]):
            raise Failed(f"{o.text}/test: {len(sides[0])} source and {len(sides[1])} target lines")
        text = "".join(f"{source.strip()}\t{target.strip()}\n" for source, target in zip(*sides))
        self.write(self.work / "test.tsv", text.encode("utf-8"))

    def distil(self):
        """The teacher's translations of the training sources, with the dictionary of the raw corpus."""
        o = self.options
        folder = self.work / "distilled"
        folder.mkdir(exist_ok=True)
        target = folder / f"train.{o.target}"
        self.once(target, lambda: self.litenat(
            "distill", "distill", self.run_folder(TEACHER, False), "--input", self.work / "corpus" / f"train.{o.source}",
            "--output", target, "--beam", o.beam, *self.engine()))
        source = folder / f"train.{o.source}"
        self.once(source, lambda: self.write(source, (self.work / "corpus" / source.name).read_bytes()))
        data = self.work / "data-distilled"
        self.once(data / "complete", lambda: self.preprocess(
            folder / "train", data, "--srcdict", self.work / "data" / f"dict.{o.source}.txt", "--joined-dictionary"))

    # ---- runs

    def run_folder(self, row, distilled):
        return self.work / "runs" / (row + ("-distilled" if distilled else ""))

    def engine(self):
        on_gpu = self.options.device.startswith("cuda")
        return ["--engine", "torch", "--device", self.options.device] if on_gpu else []

    def train(self, row, distilled):
        o = self.options
        run = self.run_folder(row, distilled)

        def make():
            data = self.work / ("data-distilled" if distilled else "data")
            overrides = [f"data.dir={data}", f"data.source={o.source}", f"data.target={o.target}",
                         f"train.device={o.device}", f"train.max_minutes={o.minutes}", *o.set]
            self.litenat(run.name, "train", self.config(row), "--output", run, "--threads", o.threads,
                         *(argument for override in overrides for argument in ("--set", override)))
            (run / "trained").touch()

        self.once(run / "trained", make)

    def config(self, row):
        return self.options.configs / f"{row}.toml"

    def is_parallel(self, row):
        return 'family = "non_autoregressive"' in self.config(row).read_text(encoding="utf-8")

    def rows(self):
        names = self.options.rows or ROWS
        for name in names:
            if not self.config(name).exists():
                raise Failed(f"{self.config(name)}: no such configuration")
        return names

    def train_all(self):
        jobs = [(row, distilled) for row in self.rows() for distilled in (False, True)
                if not distilled or self.is_parallel(row)]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            futures = {pool.submit(self.train, *job): job for job in jobs}
            failures = [f"{self.run_folder(*futures[future]).name}: {future.exception()}"
                        for future in concurrent.futures.as_completed(futures) if future.exception()]
        if failures:
            raise Failed("\n".join(failures))
        return jobs

    # ---- scores

    def evaluate(self, name, model, *arguments):
        text = self.litenat(name, "evaluate", model, "--pairs", self.work / "test.tsv", "--json", *arguments,
                            capture=True)
        return json.loads(text)

    def search(self, row):
        o = self.options
        return ["--length-beam", o.length_beam] if self.is_parallel(row) else ["--beam", o.beam]

    def score(self, row, distilled):
        run = self.run_folder(row, distilled)
        name = run.name
        model, small = run / "model.litenat", run / "model.int8.litenat"
        self.once(model, lambda: self.litenat(name, "export", run))
        self.once(small, lambda: self.litenat(name, "quantize", model, "--calibrate", self.work / "data"))
        results = {"row": row, "distilled": distilled}
        results["info"] = self.json_once(run / "info.json", lambda: json.loads(
            self.litenat(name, "info", model, "--json", capture=True)))
        for key, file, extra in (("fp32", model, []), ("int8", small, []), ("torch", run, self.engine())):
            if key == "torch" and not extra:
                continue
            results[key] = self.json_once(run / f"score.{key}.json", lambda: self.evaluate(
                name, file, *self.search(row), *extra))
            results[key + "_one"] = self.json_once(run / f"score.{key}.one.json", lambda: self.evaluate(
                name, file, *self.search(row), *extra, "--threads", 1, "--batch-tokens", 1))
        return results

    def table(self, jobs):
        results = [self.score(*job) for job in jobs]
        self.write(self.work / "table.json", json.dumps(results, indent=1).encode("utf-8"))
        text = render(results)
        self.write(self.work / "table.md", text.encode("utf-8"))
        print(text)

    def run(self):
        until = self.options.until
        self.make_corpus()
        if until == "corpus":
            return
        self.train(TEACHER, False)
        if until == "teacher":
            return
        self.distil()
        if until == "distilled":
            return
        jobs = self.train_all()
        if until == "table":
            self.table(jobs)


def first_set(result):
    return result["sets"][0]


def total(info):
    return next(part for part in info["parts"] if part["part"] == "total")


def cells(r):
    """One row of the table."""
    counted = total(r["info"])
    gpu = r.get("torch_one")
    return [r["row"], "distilled" if r["distilled"] else "raw", f"{counted['parameters'] / 1e6:.2f}",
            f"{counted['multiply_adds'] / 1e6:.0f}", f"{first_set(r['fp32'])['bleu']:.2f}",
            f"{first_set(r['int8'])['bleu']:.2f}", f"{r['int8']['size_bytes'] / 1e6:.1f}",
            f"{first_set(r['fp32_one'])['mean_milliseconds']:.2f}", f"{first_set(r['int8_one'])['mean_milliseconds']:.2f}",
            f"{first_set(gpu)['mean_milliseconds']:.2f}" if gpu else "-"]


def render(results):
    """The table in Markdown, sentences one at a time where it says ms."""
    header = ["model", "data", "parameters, M", "multiply-adds, M", "BLEU fp32", "BLEU int8", "int8 file, MB",
              "ms fp32, CPU", "ms int8, CPU", "ms, GPU"]
    lines = [header, ["---"] * len(header)] + [cells(result) for result in results]
    text = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return text + "\nBLEU: " + first_set(results[0]["fp32"]).get("bleu_signature", "") + "\n" if results else text


def main():
    try:
        Zoo(parse_arguments()).run()
    except Failed as error:
        sys.exit(f"zoo: {error}")
    except KeyboardInterrupt:
        sys.exit("zoo: interrupted; start it again to go on")


if __name__ == "__main__":
    main()
