"""Plan and run effauto on public data sets, beside three references, and write the tables.

    python benchmarks/results.py --data FOLDER [--rows 4000] [--search-time 4min] [TASK …]

For each task: a plan under a budget after some minutes of search, its run, and the runs of what a
user might do instead: a bag of words, frozen features with a linear head, the untouched full
fine-tuning. A search knows the shipped trials of the other tasks, and those of the tasks before
it, but none of its own. Quality is on the test split. Every step is kept in
``benchmarks/measured``; a step that is there is not done again. ``--only-write`` makes the tables
from what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import registry

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured"
STORE = MEASURED / "results.db"
DOCUMENT = HERE.parent / "docs" / "results.md"
TASKS = ("trec6", "sms_spam", "sst2", "banking77", "sick", "ewt_pos")
BUDGET = ("inference.latency<=8ms", "model.size<=60MiB", "train.time<=4min")
# What a user might do without effauto: the model and the recipe of each.
REFERENCES = {
    "bag of words": ("bag-of-words", "untouched"),
    "frozen features": ("minilm", "head-only"),
    "full fine-tuning": ("minilm", "untouched"),
}
SHOWN = (
    ("train.time", "training"),
    ("train.memory", "training memory"),
    ("train.flops", "training FLOPs"),
    ("train.energy", "energy"),
    ("train.carbon", "CO2e"),
    ("inference.latency", "latency"),
    ("inference.throughput", "throughput"),
    ("inference.memory", "serving memory"),
    ("inference.flops", "request FLOPs"),
    ("model.size", "size"),
    ("model.parameters", "parameters"),
)


def main() -> None:
    """Measure what is missing, then write the tables."""
    arguments = _arguments()
    MEASURED.mkdir(exist_ok=True)
    if not arguments.only_write:
        _measure(arguments)
    write_document()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--search-time", default="4min")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-references", action="store_true")
    parser.add_argument("--only-write", action="store_true")
    return parser.parse_args()


def _measure(arguments: argparse.Namespace) -> None:
    """All plans and their runs, then the references, cheapest first: each step that is missing."""
    if not arguments.only_references:
        for task in arguments.tasks:
            _plan_and_run(task, arguments)
    for name in REFERENCES:
        for task in arguments.tasks:
            _reference(task, name, arguments)


def _plan_and_run(task: str, arguments: argparse.Namespace) -> None:
    plan = MEASURED / f"{task}.plan.json"
    if not plan.exists():
        budget = [part for limit in BUDGET for part in ("--budget", limit)]
        searched = ["--search-time", arguments.search_time, "--resume", *budget]
        with tempfile.TemporaryDirectory() as folder:
            others = Path(folder) / "registry.db"
            registry.build(others, without=task)
            asked = ["plan", *_data(task, arguments), *searched, "--output", str(plan)]
            _effauto(*asked, EFFAUTO_REGISTRY=str(others))
    _run(plan, MEASURED / f"{task}.chosen.json")
    _forget_path(plan, task)


def _forget_path(plan: Path, task: str) -> None:
    """Where the data lay on this machine is nobody's business."""
    found = json.loads(plan.read_text(encoding="utf-8"))
    found["data"]["source"] = task
    plan.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _reference(task: str, name: str, arguments: argparse.Namespace) -> None:
    model, recipe = REFERENCES[name]
    slug = name.replace(" ", "-")
    result = MEASURED / f"{task}.{slug}.json"
    if result.exists():
        return
    plan = MEASURED / f"{task}.{slug}.plan.json"
    given = ["--model", model, "--recipe", recipe, "--search-time", "0"]
    _effauto("plan", *_data(task, arguments), *given, "--output", str(plan))
    _run(plan, result)
    plan.unlink()


def _data(task: str, arguments: argparse.Namespace) -> list[str]:
    data = str(arguments.data / task)
    return [data, "--max-rows", str(arguments.rows), "--seed", str(arguments.seed)]


def _run(plan: Path, result: Path) -> None:
    if result.exists() or json.loads(plan.read_text())["status"] == "infeasible":
        return
    with tempfile.TemporaryDirectory() as folder:
        printed = _effauto("run", str(plan), "--output", f"{folder}/model", "--format", "json")
    outcome = json.loads(printed)
    outcome["folder"] = ""
    outcome["commit"] = _commit()
    result.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    asked = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(asked, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _effauto(*words: str, **environment: str) -> str:
    """Run one command; its progress goes to the terminal, its answer is returned."""
    started = time.monotonic()
    print("effauto", *words, file=sys.stderr)
    command = [sys.executable, "-m", "effauto", *words, "--db", str(STORE)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    if done.returncode not in (0, 3):
        raise SystemExit(f"effauto {words[0]} ended with {done.returncode}")
    print(f"  {time.monotonic() - started:.0f} s", file=sys.stderr)
    return done.stdout


def write_document() -> None:
    """Write ``docs/results.md`` from the measured files."""
    DOCUMENT.write_text("\n".join(_document()) + "\n", encoding="utf-8")


def _document() -> Iterator[str]:
    plans = {path.name.split(".")[0]: json.loads(path.read_text()) for path in
             sorted(MEASURED.glob("*.plan.json")) if path.name.count(".") == 2}  # fmt: skip
    yield "# Results"
    yield ""
    yield "Written by `python benchmarks/results.py`; the figures are in `benchmarks/measured`."
    if not plans:
        return
    yield from _setting(next(iter(plans.values())))
    yield ""
    yield "## Chosen, and what one might do instead"
    yield ""
    yield "Quality on the test split, which no search saw, with its 80 % interval over rows. Each"
    yield "search knew the shipped trials of the other tasks, none of its own."
    yield ""
    titles = ("task", "rows", "recipe chosen", "chosen", *REFERENCES)
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"
    for task in TASKS:
        if task in plans:
            yield _quality_row(task, plans[task])
    yield ""
    yield "## Searches"
    yield ""
    yield "| task | trials (failed) | seconds | energy, modelled | limits met in the run |"
    yield "|---|---|---|---|---|"
    for task in TASKS:
        if task in plans:
            yield _search_row(task, plans[task])
    yield ""
    yield "## Costs, foretold and measured"
    yield ""
    yield "Each cell: foretold before the run → measured. The chosen recipe's estimate was"
    yield "corrected by its search; the references' rest on the calibration and on earlier trials."
    for task in TASKS:
        if task in plans:
            yield from _costs(task)


def _setting(plan: dict[str, Any]) -> Iterator[str]:
    hardware = plan["hardware"]
    limits = ", ".join(f"`{limit}`" for limit in BUDGET)
    yield ""
    yield f"Machine: {hardware['processor']}, {hardware['threads']} threads of {hardware['cores']},"
    yield f"Python {platform.python_version()}, seed {plan['seed']}; a shared machine, so times"
    yield f"vary. Budget: {limits}. Training rows are capped at {plan['data']['max_rows']}."
    yield f"Measured at commit {' and '.join(_commits())}."


def _commits() -> list[str]:
    slugs = ("chosen", *(name.replace(" ", "-") for name in REFERENCES))
    outcomes = [_outcome(task, slug) for task in TASKS for slug in slugs]
    return sorted({outcome.get("commit", "unknown") for outcome in outcomes if outcome})


def _quality_row(task: str, plan: dict[str, Any]) -> str:
    cells = [_quality(task, "chosen"), *(_quality(task, n.replace(" ", "-")) for n in REFERENCES)]
    steps = " + ".join(step["method"] for step in plan["recipe"]) or "untouched"
    return (
        f"| {task} | {plan['task']['examples']} | {plan['model']}: {steps} | {' | '.join(cells)} |"
    )


def _quality(task: str, which: str) -> str:
    outcome = _outcome(task, which)
    if outcome is None:
        return "–"
    name = next(n for n in outcome["measurement"] if n.startswith("quality."))
    figure = outcome["measurement"][name]
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"


def _search_row(task: str, plan: dict[str, Any]) -> str:
    search, outcome = plan["search"], _outcome(task, "chosen")
    met = "–"
    if outcome is not None:
        met = ", ".join(
            f"{limit['resource']} {'yes' if limit['met'] else 'NO'}" for limit in outcome["budget"]
        )
    energy = _shown(search["energy"], "joule")
    trials = f"{search['trials']} ({search['failed']})"
    return f"| {task} | {trials} | {search['seconds']:.0f} | {energy} | {met} |"


def _costs(task: str) -> Iterator[str]:
    which = {"chosen": "chosen"} | {name: name.replace(" ", "-") for name in REFERENCES}
    outcomes = {name: _outcome(task, slug) for name, slug in which.items()}
    found = {name: outcome for name, outcome in outcomes.items() if outcome}
    yield ""
    yield f"### {task}"
    yield ""
    yield "| | " + " | ".join(found) + " |"
    yield "|---|" + "---|" * len(found)
    for resource, title in SHOWN:
        yield f"| {title} | " + " | ".join(_cell(o, resource) for o in found.values()) + " |"


def _cell(outcome: dict[str, Any], resource: str) -> str:
    foretold, measured = (outcome[kind].get(resource) for kind in ("estimate", "measurement"))
    before = _shown(foretold["value"], foretold["unit"]) if foretold else "–"
    return (
        f"{before} → {_shown(measured['value'], measured['unit'])}" if measured else f"{before} → –"
    )


def _outcome(task: str, which: str) -> dict[str, Any] | None:
    path = MEASURED / f"{task}.{which}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _shown(value: float, unit: str) -> str:
    from effauto.quantities import show

    return show(value, unit)


if __name__ == "__main__":
    main()
