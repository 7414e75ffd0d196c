"""Measure each method of training from scratch, alone, beside untouched training.

    python benchmarks/from_scratch.py [trainings] [lengths] [objectives] [--data FOLDER]
                                      [--seeds 3] [--rows 500] [--workers 1]

``trainings``: a Llama of four layers, 128 wide, on tiny Shakespeare, on one thread, every method
at its defaults; a line a training goes to ``measured/from_scratch.jsonl``, and one that is there is
not made again. ``lengths``: the processor seconds of one attention of that width, forward and
backward, at lengths from 128 to 4,096, to ``measured/from_scratch.lengths.json``. ``objectives``:
an encoder of that size on Wikipedia's text, from what masked language models learn, and what it is
worth when it is fine-tuned on questions, to ``measured/from_scratch.objectives.jsonl``. All end by
writing ``docs/from-scratch-methods.md``; so does the command alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

import from_scratch_document
from bench import HERE, SHARED
from from_scratch_objectives import objectives, runs
from one_thread import PLAIN, alone, trained

from effauto.model.scratch import Size, make_models
from effauto.task.corpus import load_corpus

RUNS = HERE / "measured" / "from_scratch.jsonl"
CURVES = HERE / "measured" / "from_scratch.lengths.json"
SIZE = Size(128, 4)
POSITIONS = 512
RECIPES = (
    "grouped-query-attention",
    "layer-sharing",
    "mixture-of-experts",
    "alibi",
    "local-attention",
    "linear-attention",
    "state-space",
    "entmax-attention",
    "sequence-length-warmup",
    "batch-size-warmup",
)
COSTS = ("train.cpu_time", "train.flops", "train.memory", "model.parameters", "inference.flops")
LENGTHS, REPEATS = (128, 256, 512, 1024, 2048, 4096), 3


def main() -> None:
    """Run what was asked for, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], "trainings", "lengths", "objectives"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1, help="for objectives: trainings at once")
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    if "lengths" in arguments.parts:
        CURVES.write_text(json.dumps(curves(), indent=1) + "\n", encoding="utf-8")
    if "trainings" in arguments.parts:
        trainings(arguments.data / "tinyshakespeare", arguments.seeds, arguments.rows)
    if "objectives" in arguments.parts:
        objectives(arguments.data, arguments.seeds, arguments.rows, arguments.workers)
    curve = json.loads(CURVES.read_text(encoding="utf-8")) if CURVES.exists() else {}
    from_scratch_document.write(read(RUNS), curve, runs())


def trainings(text: Path, seeds: int, rows: int) -> None:
    """Every training that is not there yet, seed by seed, each in a process of its own."""
    done = {(run["method"], run["seed"], run["rows"]) for run in read(RUNS)}
    context = multiprocessing.get_context("spawn")
    for seed in range(seeds):
        for method in (PLAIN, *RECIPES):
            if (method, seed, rows) in done:
                continue
            with context.Pool(1) as pool:
                found = pool.apply(measured, (method, seed, text, rows))
            with RUNS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
            print(found, file=sys.stderr, flush=True)


def read(path: Path) -> list[dict[str, Any]]:
    """The trainings of the file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measured(method: str, seed: int, text: Path, rows: int) -> dict[str, Any]:
    """Train once and judge what was saved on the whole test text."""
    task = load_corpus(text, seed=seed, max_rows=rows)
    (model,) = make_models(task.tokenizer, POSITIONS, (SIZE,))
    with tempfile.TemporaryDirectory(prefix="effauto-scratch-") as folder:
        costs, quality = trained(Path(folder), model, alone(method), task, seed)
    bits = 8.0 * (1.0 - quality)
    found = {"method": method, "seed": seed, "rows": rows, "bits_a_byte": bits}
    return found | {name: costs[name] for name in COSTS}


def curves() -> dict[str, list[dict[str, float]]]:
    """Processor seconds of one attention by length: the least of some repeats."""
    from from_scratch_lengths import kinds, seconds

    return {
        name: [
            {"tokens": tokens, "seconds": seconds(attention, tokens, REPEATS)} for tokens in LENGTHS
        ]
        for name, attention in kinds().items()
    }


if __name__ == "__main__":
    main()
