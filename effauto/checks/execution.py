"""Does a recipe with the method run: train, save, and predict the same after reloading?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from effauto.checks.check import CheckFailed, require
from effauto.checks.imports import environment, last_line, python
from effauto.checks.tiny import (
    CLASSES,
    tiny_examples,
    tiny_text,
    tiny_traits,
    write_tiny_model,
)
from effauto.composition import compose
from effauto.execution.artefact import load_artefact
from effauto.execution.job import TRAIN, Job
from effauto.hardware import this_machine
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model import BAG_OF_WORDS, find_model
from effauto.model.scratch import Size, write_untrained
from effauto.plugins import load_plugins
from effauto.plugins.find import import_path
from effauto.recipe import Recipe
from effauto.task.examples import Examples
from effauto.task.exchange import write_split
from effauto.task.vocabulary import pieces_of
from effauto.traits import PLAIN_TEXT, TaskKind

KINDS: tuple[TaskKind, ...] = ("text-classification", "pair-classification", "token-classification")
SECONDS = 90
_PROGRAM = "from effauto.checks.execution import predict_anew; predict_anew()"


def runs_end_to_end(method: Method) -> None:
    """Run on a tiny random model, for one kind of task that it fits.

    Alone where that is legal, else with the first bundled method that makes it so; a second time
    continued from the training of the first. A method that this machine or environment cannot run
    is not asked.
    """
    hardware = replace(this_machine(), threads=1)
    if not method.needs.met(hardware):
        return
    with tempfile.TemporaryDirectory(prefix="effauto-check-") as scratch:
        write_tiny_model(Path(scratch))
        job = _legal_job(method, Path(scratch), hardware)
        if job is None:
            return
        methods = _methods(method)
        from effauto.execution.train import train

        measured = train(job, methods, lambda what, share: None)
        broken = [name for name, value in measured.items() if not 0 <= value < float("inf")]
        require(not broken, f"running it measures no number for {', '.join(broken)}")
        rows = [list(row) for row in _examples(job.task.kind).inputs[:12]]
        here = load_artefact(job.folder, lambda: methods, 1).predict_indices(rows)
        continued = replace(job, folder=Path(scratch) / "continued")
        train(continued, methods, lambda what, share: None)
        shared = load_artefact(continued.folder, lambda: methods, 1).predict_indices(rows)
        require(
            here == shared,
            "continued from the tensors that an equal training left, it predicts otherwise: what "
            "the training leaves must be in the model's tensors",
        )
        anew = _in_fresh_process(method, job.folder, rows)
        require(
            json.loads(json.dumps(here)) == anew,
            "a fresh process that loads the saved model predicts otherwise",
        )


def _methods(method: Method) -> dict[str, Method]:
    return {**load_plugins().methods(), method.name: method}


def _legal_job(method: Method, folder: Path, hardware: Hardware) -> Job | None:
    methods = _methods(method)
    recipes = [Recipe.of(method.name), *(Recipe.of(method.name, other) for other in methods)]
    places: list[tuple[str, TaskKind]]
    places = [(model, kind) for model in (str(folder), BAG_OF_WORDS) for kind in KINDS]
    places += [(_untrained(folder / kind, kind), kind) for kind in PLAIN_TEXT]
    for model, kind in places:
        for recipe in recipes:
            traits = find_model(model).traits
            if compose(recipe, methods, tiny_traits(kind), traits, hardware).legal:
                return _job(recipe, model, kind, folder, hardware)
    return None


def _untrained(folder: Path, kind: TaskKind) -> str:
    """A model of two layers, 32 wide, to be trained from scratch."""
    write_untrained(folder, Size(32, 2), tiny_text(kind)[1], positions=64)
    return str(folder)


def _examples(kind: TaskKind) -> Examples:
    return tiny_text(kind)[0] if kind in PLAIN_TEXT else tiny_examples(kind)


def _pieces(kind: TaskKind) -> tuple[str, ...]:
    from tokenizers import Tokenizer

    return pieces_of(Tokenizer.from_str(tiny_text(kind)[1]))


def _job(recipe: Recipe, model: str, kind: TaskKind, folder: Path, hardware: Hardware) -> Job:
    classes = _pieces(kind) if kind in PLAIN_TEXT else CLASSES
    write_split(_examples(kind), classes, folder / "train.jsonl")
    return Job(
        action=TRAIN,
        data=folder,
        model=model,
        recipe=recipe,
        task=tiny_traits(kind),
        classes=classes,
        hardware=hardware,
        folder=folder / "artefact",
        cache=folder / "cache",
        details={"share_training": True},
    )


def _in_fresh_process(method: Method, folder: Path, rows: list[list[str]]) -> Any:
    cls = type(method)
    top = sys.modules[cls.__module__.partition(".")[0]]
    asked = {
        "file": str(top.__file__),
        "module": cls.__module__,
        "name": cls.__qualname__,
        "folder": str(folder),
        "rows": rows,
    }
    try:
        answer = subprocess.run(
            python("-c", _PROGRAM),
            env=environment(),
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(f"loading the saved model takes over {SECONDS} s") from error
    why = last_line(answer.stderr)
    require(answer.returncode == 0, f"a fresh process cannot load the saved model: {why}")
    return json.loads(last_line(answer.stdout))


def predict_anew() -> None:
    """Load the model named on standard input and print what it predicts, as JSON."""
    asked = json.loads(sys.stdin.read())
    if asked["module"].startswith("effauto_local_"):
        path = Path(asked["file"])
        import_path(path.parent if path.name == "__init__.py" else path)
    method: Method = attrgetter(asked["name"])(import_module(asked["module"]))()
    methods: Mapping[str, Method] = _methods(method)
    predictor = load_artefact(Path(asked["folder"]), lambda: methods, 1)
    print("\n" + json.dumps(predictor.predict_indices(asked["rows"])))
