"""What masked language models learn from, judged by hidden pieces and by fine-tuning the body."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import HERE
from one_thread import PLAIN, alone, trained

from effauto.model import find_model
from effauto.model.scratch import Size, make_models
from effauto.planner.situation import piece_counter
from effauto.recipe import Recipe
from effauto.task import Task, load_task
from effauto.traits import MASKED_LANGUAGE_MODELING

RUNS = HERE / "measured" / "from_scratch.objectives.jsonl"
NONE = "not pre-trained"
OBJECTIVES = (
    NONE,
    PLAIN,
    "masking-rate",
    "whole-word-masking",
    "span-denoising",
    "replaced-token-detection",
)
SIZE, POSITIONS = Size(128, 4), 128
TEXT, TASK = "wikitext2_small", "trec6"
TUNED_ROWS = 2000
TUNING = Recipe.of(full_finetune={"epochs": 6, "learning_rate": 5e-4})
COSTS = ("train.cpu_time", "train.flops", "train.memory")


def objectives(data: Path, seeds: int, rows: int, workers: int) -> None:
    """Every one that is not there yet, seed by seed, each in a process of its own."""
    done = {(run["objective"], run["seed"], run["rows"]) for run in runs()}
    wanted = [(o, s, data, rows) for s in range(seeds) for o in OBJECTIVES]
    left = [one for one in wanted if (one[0], one[1], one[3]) not in done]
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, maxtasksperchild=1) as pool:
        for found in pool.imap_unordered(_measured, left):
            with RUNS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
            print(found, file=sys.stderr, flush=True)


def runs() -> list[dict[str, Any]]:
    """What was measured."""
    return [json.loads(line) for line in RUNS.read_text().splitlines()] if RUNS.exists() else []


def _measured(asked: tuple[str, int, Path, int]) -> dict[str, Any]:
    objective, seed, data, rows = asked
    found = {"objective": objective, "seed": seed, "rows": rows}
    with tempfile.TemporaryDirectory(prefix="effauto-objective-") as name:
        folder = Path(name)
        text = load_task(data / TEXT, kind=MASKED_LANGUAGE_MODELING, seed=seed, max_rows=rows)
        (model,) = make_models(text.tokenizer, POSITIONS, (SIZE,))
        if objective == NONE:
            body = _random(folder / "body", model, text, seed)
        else:
            costs, quality = trained(folder, model, alone(objective), text, seed)
            found |= {cost: costs[cost] for cost in COSTS}
            found["bits_a_byte"] = 8.0 * (1.0 - quality)
            body = folder / "artefact"
        tuned = folder / "tuned"
        tuned.mkdir()
        count = piece_counter(find_model(str(body)))
        task = load_task(data / TASK, seed=seed, max_rows=TUNED_ROWS, count_tokens=count)
        _, found["accuracy"] = trained(tuned, str(body), TUNING, task, seed)
    return found


def _random(folder: Path, model: str, text: Task, seed: int) -> Path:
    """The same body, its numbers as they were drawn."""
    import torch

    from effauto.execution.weights import write_tensors
    from effauto.model.fresh import untrained
    from effauto.model.transformer import portable_state, save_config

    torch.manual_seed(seed)
    source = find_model(model).files
    drawn = untrained(source, text.kind, len(text.classes)).settle()
    folder.mkdir()
    shutil.copy(source / "tokenizer.json", folder)
    save_config(drawn, folder)
    write_tensors(folder / "model.safetensors", portable_state(drawn))
    return folder
