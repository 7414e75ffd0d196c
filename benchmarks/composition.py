"""Run combinations of methods end to end, and compare what happens with effauto's verdict.

    python benchmarks/composition.py [--triples 500] [--forced 200] [--workers 2] [--only-write]

Every pair of the methods that run here, and a random sample of triples, on a two-layer copy of
the default model and 64 rows of the built-in demo's text. What is legal must train, save, reload
in a fresh process and predict. Of what is refused a sample is forced: it must fail, or be useless,
that is, come out exactly like a recipe with one method less. Each result is a line of
``benchmarks/measured/composition.jsonl``; one that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from effauto.composition import Composition, compose, unusable
from effauto.errors import EffautoError
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.hardware import this_machine
from effauto.method import Method
from effauto.model import find_model
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task import load_task, write_split
from effauto.task.examples import Examples
from effauto.traits import TaskKind, TaskTraits

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured" / "composition.jsonl"
DOCUMENT = HERE.parent / "docs" / "composition.md"
KINDS: tuple[TaskKind, ...] = ("text-classification", "pair-classification", "token-classification")
LAYERS, TRAIN_ROWS, VALIDATION_ROWS, WORDS, CLASSES = 2, 64, 32, 12, 4
SECONDS = 120.0
# What two recipes have in common if one of them does nothing more than the other.
SIGNATURE = ("model.size", "model.parameters", "train.flops", "inference.flops", "quality")


def main() -> None:
    """Run what is missing, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--triples", type=int, default=500)
    parser.add_argument("--forced", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, help="only so many of the pairs, drawn at random")
    parser.add_argument("--results", type=Path, default=MEASURED)
    parser.add_argument("--only-write", action="store_true")
    arguments = parser.parse_args()
    if not arguments.only_write:
        with tempfile.TemporaryDirectory(prefix="effauto-composition-") as scratch:
            _measure(Bench.made_in(Path(scratch)), arguments)
    rows = _read(arguments.results)
    report = "\n".join(_document(rows)) + "\n"
    if arguments.results == MEASURED:
        DOCUMENT.write_text(report, encoding="utf-8")
    print(report)
    if _broken(rows):
        raise SystemExit(1)


@dataclass(frozen=True)
class Case:
    """A recipe on the first kind of task for which it is legal, or on texts if it is for none."""

    names: tuple[str, ...]
    kind: TaskKind
    refused: str = ""
    rule: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{'+'.join(self.names)}{'!' if self.refused else ''}"


@dataclass(frozen=True)
class Bench:
    """The model, the tasks and the methods that the combinations are made of."""

    folder: Path
    methods: Mapping[str, Method]

    @classmethod
    def made_in(cls, folder: Path) -> Bench:
        _write_model(folder / "model")
        for kind, examples in _tasks().items():
            data = folder / kind
            data.mkdir()
            classes = tuple(map(str, range(CLASSES)))
            write_split(examples.select(range(TRAIN_ROWS)), classes, data / "train.jsonl")
            rest = range(TRAIN_ROWS, TRAIN_ROWS + VALIDATION_ROWS)
            write_split(examples.select(rest), classes, data / "validation.jsonl")
        return cls(folder, load_plugins().methods())

    @property
    def model(self) -> str:
        return str(self.folder / "model")

    def usable(self) -> list[str]:
        """Methods that this machine and these tasks let run at all."""
        traits = find_model(self.model).traits
        return sorted(
            name
            for name, method in self.methods.items()
            if any(not unusable(method, _traits(k), traits, _hardware()) for k in KINDS)
        )

    def case(self, names: tuple[str, ...]) -> Case:
        traits = find_model(self.model).traits
        read: list[Composition] = []
        for kind in KINDS:
            read.append(
                compose(Recipe.of(*names), self.methods, _traits(kind), traits, _hardware())
            )
            if read[-1].legal:
                return Case(names, kind)
        # The refusal to weigh is the one where each method alone has nothing against the task.
        refusals = min((c.refusals for c in read), key=lambda found: _alone(found))
        place = [c.refusals for c in read].index(refusals)
        return Case(names, KINDS[place], refusals[0].sentence, refusals[0].rule)

    def job(self, case: Case, place: str) -> Job:
        return Job(
            action=TRAIN,
            data=self.folder / case.kind,
            model=self.model,
            recipe=Recipe.of(*case.names),
            task=_traits(case.kind),
            classes=tuple(map(str, range(CLASSES))),
            hardware=_hardware(),
            folder=self.folder / place / "artefact",
            cache=self.folder / place / "cache",
            time_limit=SECONDS,
        )


def _alone(refusals: Iterable[Any]) -> int:
    return sum(refusal.rule in ("fits", "needs") for refusal in refusals)


def _hardware() -> Any:
    return replace(this_machine(), threads=1)


def _traits(kind: TaskKind) -> TaskTraits:
    return TaskTraits(kind, "accuracy", TRAIN_ROWS, CLASSES, 16.0, 24.0, 32.0, 0.1, 0.3)


def _write_model(folder: Path) -> None:
    from effauto.model.transformer import load_pretrained

    files = find_model("minilm").files
    model = load_pretrained(files, "text-classification", CLASSES)
    model.keep_layers(range(LAYERS))
    model.encoder.save_pretrained(folder)  # type: ignore[operator]
    shutil.copy(files / "tokenizer.json", folder)


def _tasks() -> dict[TaskKind, Examples]:
    """Texts by library; pairs of texts, alike or not; words by their length."""
    task = load_task(None)
    rows = TRAIN_ROWS + VALIDATION_ROWS
    draw = random.Random(0)
    kept = [row for row, label in enumerate(task.train.labels) if label < CLASSES]
    kept = draw.sample(kept, 2 * rows)
    texts = [" ".join(task.train.inputs[row][0].split()[:WORDS]) for row in kept]
    labels = [task.train.labels[row] for row in kept]
    firsts, seconds = range(rows), range(rows, 2 * rows)
    pairs = [(texts[a], texts[b]) for a, b in zip(firsts, seconds, strict=True)]
    alike = [(labels[a] + labels[b]) % CLASSES for a, b in zip(firsts, seconds, strict=True)]
    words = [tuple(texts[row].split()) for row in firsts]
    tags = [tuple(min(CLASSES - 1, len(word) // 4) for word in row) for row in words]
    singles = tuple((text,) for text in texts[:rows])
    return {
        "text-classification": Examples("text-classification", singles, tuple(labels[:rows])),
        "pair-classification": Examples("pair-classification", tuple(pairs), tuple(alike)),
        "token-classification": Examples("token-classification", tuple(words), tuple(tags)),
    }


def _measure(bench: Bench, arguments: argparse.Namespace) -> None:
    names = bench.usable()
    draw = random.Random(0)
    pairs = [bench.case(pair) for pair in combinations(names, 2)]
    if arguments.sample:
        pairs = draw.sample(pairs, min(arguments.sample, len(pairs)))
    triples: dict[str, Case] = {}
    while len(triples) < arguments.triples and len(names) > 3:
        case = bench.case(tuple(sorted(draw.sample(names, 3))))
        if not case.refused:
            triples[case.key] = case
    alone = [bench.case((name,)) for name in names]
    legal = [case for case in (*alone, *pairs, *triples.values()) if not case.refused]
    refused = [case for case in pairs if case.refused]
    forced = draw.sample(refused, min(arguments.forced, len(refused)))
    done = {row["key"] for row in _read(arguments.results)}
    todo = [case for case in (*legal, *forced) if case.key not in done]
    print(f"{len(legal)} legal, {len(refused)} pairs refused, {len(todo)} to run", file=sys.stderr)
    _run_all(bench, todo, arguments)


def _run_all(bench: Bench, todo: list[Case], arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    places: SimpleQueue[tuple[str, Worker]] = SimpleQueue()
    for number in range(arguments.workers):
        places.put((f"worker-{number}", Worker(["transformer"])))

    def run(case: Case) -> dict[str, Any]:
        place, worker = places.get()
        try:
            return _outcome(bench, case, place, worker)
        finally:
            places.put((place, worker))

    with ThreadPoolExecutor(arguments.workers) as pool:
        for number, row in enumerate(pool.map(run, todo), start=1):
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            if number % 20 == 0 or row.get("error"):
                spent, error = time.monotonic() - started, row.get("error", "")
                print(f"{number}/{len(todo)} {spent:.0f} s {row['key']} {error}", file=sys.stderr)
    while not places.empty():
        places.get()[1].stop()


def _outcome(bench: Bench, case: Case, place: str, worker: Worker) -> dict[str, Any]:
    job = bench.job(case, place)
    shutil.rmtree(job.folder.parent, ignore_errors=True)
    row: dict[str, Any] = {
        "key": case.key,
        "methods": case.names,
        "kind": case.kind,
        "refused": case.refused,
        "rule": case.rule,
    }
    try:
        if case.refused:
            return row | _forced(job)
        values = worker.run(job)["values"]
        figures = worker.run(job.judging())["figures"]
        return row | {"measured": _figures(values, figures)}
    except EffautoError as error:
        return row | {"error": f"{type(error).__name__}: {error}".partition("\n")[0]}


def _figures(values: Mapping[str, float], figures: Mapping[str, Any]) -> dict[str, float]:
    quality = next(value for name, value in figures.items() if name.startswith("quality."))
    return {
        "model.size": figures["model.size"]["value"],
        "quality": quality["value"],
        **{name: values[name] for name in ("model.parameters", "train.flops", "inference.flops")},
    }


def _forced(job: Job) -> dict[str, Any]:
    """Run it in a process of its own, against the verdict."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_force, args=(job.to_json(), there))
    process.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv() if here.poll(SECONDS) else {"error": "took too long"}
    except EOFError:
        found = {"error": "the process died"}
    process.kill()
    process.join()
    return found


def _force(data: Mapping[str, Any], answer: Any) -> None:
    from effauto.execution.judge import judge
    from effauto.execution.train import train

    Composition.require_legal = lambda self: self  # type: ignore[method-assign]
    job = Job.from_json(data)
    plugins = load_plugins()
    try:
        values = train(job, plugins.methods(), lambda what, share: None)
        figures = judge(job.judging(), plugins.methods, lambda what, share: None)
        read = {name: figure.to_json() for name, figure in figures.items()}
        answer.send({"measured": _figures(values, read)})
    except BaseException as error:
        answer.send({"error": f"{type(error).__name__}: {error}".partition("\n")[0][:300]})


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _useless(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether leaving one method out gives exactly the same."""
    for other in rows:
        fewer = set(row["methods"]) - set(other["methods"])
        same_task = other["kind"] == row["kind"] and not other["refused"]
        if same_task and len(fewer) == 1 and set(other["methods"]) < set(row["methods"]):
            found = other.get("measured", {})
            if found and all(found[name] == row["measured"][name] for name in SIGNATURE):
                return True
    return False


def _broken(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Legal by the verdict, and failed."""
    return [row for row in rows if not row["refused"] and "error" in row]


def _document(rows: list[dict[str, Any]]) -> Iterator[str]:
    legal = [row for row in rows if not row["refused"]]
    forced = [row for row in rows if row["refused"]]
    broken = _broken(rows)
    rightly = [row for row in forced if "error" in row]
    useless = [row for row in forced if "error" not in row and _useless(row, rows)]
    wrongly = [row for row in forced if row not in rightly and row not in useless]
    sizes = Counter(len(row["methods"]) for row in legal)
    yield "# Composition"
    yield ""
    yield "Written by `python benchmarks/composition.py`: combinations of methods carried out end"
    yield f"to end on a {LAYERS}-layer copy of the default model and {TRAIN_ROWS} rows, each"
    yield "trained, saved, reloaded in a fresh process and asked."
    yield ""
    yield "| | run | failed |"
    yield "|---|---|---|"
    for size, name in ((1, "alone"), (2, "pairs"), (3, "triples")):
        failed = sum(len(row["methods"]) == size for row in broken)
        yield f"| legal, {name} | {sizes[size]} | {failed} |"
    yield ""
    if not legal:
        return
    good = len(legal) - len(broken)
    yield f"Of what is called legal {good / len(legal):.4f} runs (precision). Of {len(forced)}"
    yield f"refused pairs that were forced, {len(rightly)} failed, {len(useless)} came out exactly"
    yield f"like a recipe with one method less, and {len(wrongly)} ran: the verdict finds"
    yield f"{good / max(1, good + len(wrongly)):.4f} of what runs in this sample (recall)."
    for title, found in (("Legal, and failed", broken), ("Refused, and ran", wrongly)):
        if found:
            yield ""
            yield f"## {title}"
            yield ""
            for row in found:
                yield f"- {' + '.join(row['methods'])}: {row.get('error') or row['refused']}"


if __name__ == "__main__":
    main()
