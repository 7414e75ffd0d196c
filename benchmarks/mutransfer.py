"""Show that settings transfer across widths: the coordinate check, the sweeps, and the bill.

    python benchmarks/mutransfer.py [coordinates] [sweep] [--text NAME] [--workers 2]
                                    [--data FOLDER]

A small Llama on the characters of a text (tiny Shakespeare unless one of ``TEXTS`` is named), in
standard practice (``sp``) and in the maximal-update parametrisation (``mup``), base 32 wide.
``coordinates`` compares how activations change at widths 64 to 1024 and writes
``measured/mutransfer.coordinates.json``; ``sweep`` trains at four widths, with eight learning
rates and three seeds, and adds a line a training to
``measured/mutransfer.jsonl``; one that is there is not made again. Both end by writing
``docs/mutransfer.md`` and its pictures; so does the command alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import mutransfer_document
from bench import HERE, SHARED

TEXTS = tuple(mutransfer_document.TEXTS)
RUNS = HERE / "measured" / "mutransfer.jsonl"
COORDINATES = HERE / "measured" / "mutransfer.coordinates.json"
BASE, LAYERS, HEAD = 32, 2, 16
WIDTHS, SEEDS = (32, 64, 128, 256), (0, 1, 2)
RATES = tuple(2.0**-power for power in range(10, 2, -1))
STEPS, BATCH, TOKENS = 120, 16, 64
JUDGED = 40  # batches of held-out text
CHECKED = {"widths": (64, 128, 256, 512, 1024), "seeds": 4, "steps": 4, "rate": 2e-3, "base": 64}
PARTS = tuple(
    f"model.layers.{layer}{part}" for layer in range(LAYERS) for part in (".self_attn", ".mlp", "")
)


def main() -> None:
    """Run what was asked for, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], "coordinates", "sweep"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin nothing after so long")
    parser.add_argument("--text", default=mutransfer_document.FIRST, choices=TEXTS)
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    text = arguments.data / arguments.text
    if "coordinates" in arguments.parts:
        COORDINATES.write_text(json.dumps(coordinates(text), indent=1) + "\n", encoding="utf-8")
    if "sweep" in arguments.parts:
        sweep(text, arguments.workers, time.monotonic() + 60 * arguments.minutes)
    mutransfer_document.write(read(RUNS), json.loads(COORDINATES.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Run:
    """One training."""

    kind: str
    width: int
    rate: float
    seed: int


def sweep(text: Path, workers: int, end: float) -> None:
    """Every training that is not there yet, narrow ones first."""
    rows = [row for row in read(RUNS) if mutransfer_document.text_of(row) == text.name]
    done = {(row["kind"], row["width"], row["rate"], row["seed"]) for row in rows}
    wanted = (Run(k, w, r, s) for w, s, k, r in product(WIDTHS, SEEDS, ("mup", "sp"), RATES))
    todo = [run for run in wanted if tuple(asdict(run).values()) not in done]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = [pool.submit(trained, run, text, end) for run in todo]
        for number, ended in enumerate(as_completed(waiting), start=1):
            if (row := ended.result()) is not None:
                with RUNS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{number}/{len(todo)} {row}", file=sys.stderr, flush=True)


def read(path: Path) -> list[dict[str, Any]]:
    """The trainings of the file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def trained(run: Run, text: Path, end: float) -> dict[str, Any] | None:
    """Train once on one thread: held-out loss in nats a character, operations, seconds."""
    import torch

    if time.monotonic() > end:
        return None
    torch.set_num_threads(1)
    started = time.process_time()
    rows = Characters(text)
    model, optimizer = made(run.kind, run.width, run.seed, run.rate, rows.count, BASE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    for batch in rows.batches("train", STEPS, seed=run.seed):
        model(input_ids=batch, labels=batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        held_out = [
            model(input_ids=b, labels=b).loss.item() for b in rows.batches("validation", JUDGED)
        ]
    loss = sum(held_out) / len(held_out)
    return asdict(run) | {
        "text": text.name,
        "loss": round(loss, 4) if loss == loss else None,
        "flops": STEPS * flops_of_a_step(run.width, rows.count),
        "cpu": round(time.process_time() - started, 1),
    }


class Characters:
    """The text's characters as numbers, in batches of tokens."""

    def __init__(self, folder: Path) -> None:
        import torch

        texts = {s: (folder / f"{s}.txt").read_text("utf-8") for s in ("train", "validation")}
        characters = sorted(set("".join(texts.values())))
        places = {character: number for number, character in enumerate(characters)}
        self.count = len(characters)
        self._ids = {s: torch.tensor([places[c] for c in text]) for s, text in texts.items()}

    def batches(self, split: str, count: int, seed: int = 0) -> Iterator[Any]:
        """So many batches drawn at random, (BATCH, TOKENS)."""
        import torch

        generator, ids = torch.Generator().manual_seed(seed), self._ids[split]
        for _ in range(count):
            starts = torch.randint(0, len(ids) - TOKENS, (BATCH,), generator=generator)
            yield torch.stack([ids[start : start + TOKENS] for start in starts])


def config_of(width: int, characters: int, **more: Any) -> Any:
    """A Llama's: heads of 16 numbers, an inner layer of twice the width."""
    from transformers import LlamaConfig

    return LlamaConfig(
        hidden_size=width, num_hidden_layers=LAYERS, intermediate_size=2 * width,
        num_attention_heads=width // HEAD, num_key_value_heads=width // HEAD,
        vocab_size=characters, max_position_embeddings=TOKENS, bos_token_id=0, eos_token_id=0,
        **more,
    )  # fmt: skip


def made(
    kind: str, width: int, seed: int, rate: float, characters: int, base: int
) -> tuple[Any, Any]:
    """A new model and its optimizer."""
    import torch
    from transformers import LlamaForCausalLM

    from effauto.transfer import maximal_update, parameter_groups

    torch.manual_seed(seed)
    model = LlamaForCausalLM(config_of(width, characters))
    groups: Any = model.parameters()
    if kind == "mup":
        scaled = maximal_update(model, config_of(base, characters))
        groups = parameter_groups(model, scaled, rate)
    return model, torch.optim.AdamW(groups, lr=rate, weight_decay=0.0)


def flops_of_a_step(width: int, characters: int) -> int:
    """Forward and backward, counted; torch sees into no fused attention, so by an eager one."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import LlamaForCausalLM

    with torch.device("meta"):
        model = LlamaForCausalLM(config_of(width, characters, attn_implementation="eager"))
        batch = torch.zeros((BATCH, TOKENS), dtype=torch.long)
        with FlopCounterMode(display=False) as counter:
            model(input_ids=batch).logits.sum().backward()
    return int(counter.get_total_flops())


def coordinates(text: Path) -> dict[str, Any]:
    """Slopes and changes of both parametrisations."""
    import torch

    from effauto.transfer.coordinates import coordinate_check

    torch.set_num_threads(1)
    rows = Characters(text)
    batches = list(rows.batches("train", CHECKED["steps"] + 1))
    found: dict[str, Any] = {"widths": CHECKED["widths"]}
    for kind in ("mup", "sp"):
        measured = coordinate_check(
            lambda width, seed, kind=kind: made(
                kind, width, seed, CHECKED["rate"], rows.count, CHECKED["base"]
            ),
            PARTS, batches, CHECKED["widths"], CHECKED["seeds"],
        )  # fmt: skip
        found[kind] = {"changes": measured.changes, "slopes": measured.slopes}
    return found


if __name__ == "__main__":
    main()
