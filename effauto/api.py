"""effauto in Python: what the command line does, as functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from effauto.budget import Budget, parse_budget
from effauto.cost import Place, parse_prices
from effauto.cost.life import parse_use
from effauto.execution.artefact import Answers, load_artefact
from effauto.hardware import this_machine
from effauto.listener import Listener, Several
from effauto.model import MINILM
from effauto.notebook import show_in_notebooks
from effauto.planner.answers.plan import Plan
from effauto.planner.answers.plan_file import read_plan
from effauto.planner.planner import make_plan
from effauto.planner.request import HERE, DataRequest, Request
from effauto.planner.running.outcome import Outcome
from effauto.planner.running.run import run_plan
from effauto.plugins import Plugins, load_plugins
from effauto.preference import Preference, parse_preference
from effauto.quantities import parse_quantity
from effauto.recipe import Recipe
from effauto.resources import RESOURCES
from effauto.traits import TaskKind


def plan(
    data: str | Path | None = None,
    *,
    budget: str | Iterable[str] = (),
    guard: str | Iterable[str] = (),
    prefer: str | None = None,
    model: str = MINILM,
    recipe: Recipe | str | None = None,
    search_time: str | float | None = None,
    max_trials: int | None = None,
    kind: TaskKind | None = None,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    max_rows: int | None = None,
    seed: int = 0,
    hardware: str = HERE,
    prices: Iterable[str] = (),
    country: str | None = None,
    pue: float = 1.0,
    requests: str | None = None,
    lifetime: str = "1year",
    store: str | None = None,
    plugins_dirs: Iterable[Path | str] = (),
    resume: bool = False,
    pareto: Iterable[str] = (),
    workers: int = 1,
    dask: str | None = None,
    listener: Listener | None = None,
    tell: Iterable[str] = (),
) -> Plan:
    """Ask which methods to combine for ``data`` (None: the built-in demo) within ``budget``.

    ``search_time`` is in seconds, or a text such as ``"4min"``; without it, or a limit on
    ``search.time``, the answer comes at once from what is known. ``prefer`` has goals in their
    order, such as ``"quality:1%,inference.latency"``: the fastest of those within a point of the
    best quality; ``guard`` has limits such as ``"worst-class>=-2%"``. A ``recipe`` that is given
    is costed and tried instead of searched for. ``listener`` is told what happens, and so are those
    of plugins whose names are in ``tell``, such as ``"mlflow"``. The rest is as in ``effauto plan
    --help``. Raises EffautoError with a sentence for input that cannot be used; a budget that
    nothing meets gives a plan whose status says so.
    """
    folders = tuple(Path(folder) for folder in plugins_dirs)
    limits = parse_budget(_texts(budget), _texts(guard))
    request = Request(
        data=DataRequest(
            None if data is None else str(data), kind, dict(columns or {}), metric, max_rows, seed
        ),
        model=model,
        budget=limits,
        prefer=Preference() if prefer is None else parse_preference(prefer),
        recipe=Recipe.parse(recipe) if isinstance(recipe, str) else recipe,
        search_time=search_seconds(search_time, limits),
        max_trials=max_trials,
        seed=seed,
        hardware=hardware,
        prices=parse_prices(prices),
        place=Place(country, (pue,) * 3),
        store=store,
        plugin_folders=folders,
        resume=resume,
        workers=workers,
        dask=dask,
        use=parse_use(requests, lifetime),
        pareto=tuple(pareto),
    )
    show_in_notebooks()
    plugins = load_plugins(folders)
    return make_plan(request, plugins, _told(listener, plugins, tell))


def run(
    plan: Plan | str | Path,
    output: str | Path,
    *,
    data: str | Path | None = None,
    prices: Iterable[str] = (),
    country: str | None = None,
    store: str | None = None,
    seed: int | None = None,
    plugins_dirs: Iterable[Path | str] = (),
    listener: Listener | None = None,
    tell: Iterable[str] = (),
) -> Outcome:
    """Carry a plan (or the plan file of that name) out at full scale into the folder ``output``."""
    chosen = plan if isinstance(plan, Plan) else read_plan(Path(plan))
    plugins = load_plugins(Path(folder) for folder in plugins_dirs)
    return run_plan(
        chosen,
        Path(output),
        plugins,
        source=None if data is None else str(data),
        store=store,
        prices=parse_prices(prices) if prices else None,
        place=Place(country) if country else None,
        seed=seed,
        listener=_told(listener, plugins, tell),
    )


def load(
    folder: str | Path,
    *,
    threads: int | None = None,
    device: Literal["cpu", "cuda"] | None = None,
    plugins_dirs: Iterable[Path | str] = (),
) -> Answers:
    """Load the model that :func:`run` left in ``folder``; its ``predict`` takes a list of inputs.

    It computes on the GPU, if there is one and its methods can, wherever it was trained; ``device``
    says otherwise. Raises ModelError if the folder holds none, or a method that it needs is not
    installed.
    """

    def methods() -> Any:
        return load_plugins(Path(folder) for folder in plugins_dirs).methods()

    here = this_machine()
    return load_artefact(Path(folder), methods, threads or here.threads, device or here.device)


def search_seconds(given: str | float | None, budget: Budget, default: float = 0.0) -> float:
    """How long to search: a text such as ``"4min"`` or seconds, within ``search.time``."""
    limit = budget.limit_on("search.time")
    if given is None:
        return default if limit is None else limit
    return min(_seconds(given), math.inf if limit is None else limit)


def _told(listener: Listener | None, plugins: Plugins, names: Iterable[str]) -> Listener:
    return Several(listener or Listener(), plugins.listeners(names))


def _texts(given: str | Iterable[str]) -> Iterable[str]:
    return [given] if isinstance(given, str) else given


def _seconds(time: str | float) -> float:
    if isinstance(time, int | float):
        return float(time)
    if time.strip() in ("0", "0s", "0min"):
        return 0.0
    return parse_quantity(time, RESOURCES["search.time"])[0]
