"""The same trials in effauto's store and in Optuna's RDBStorage, in turns on the same server.

effauto keeps ten measurements with ranges, versions, methods and the machine of each trial. Optuna
is given as much, which it writes one attribute at a time, and in a second row its value alone.

``pip install -c constraints.txt 'effauto[bench]'``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
from store import opened, ratios, seconds
from store_made import lines

from effauto.store.filters import Filter
from effauto.store.query import trials

ROUNDS = 5


def beside_optuna(url: Callable[[str], str], count: int) -> dict[str, Any]:
    """Milliseconds a trial to begin and finish, and to find the best of all."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = list(lines(count * ROUNDS))
    place = url("rival")
    theirs = optuna.create_study(
        storage=place if "://" in place else f"sqlite:///{place}", directions=["maximize"]
    )
    insert: tuple[list[float], ...] = ([], [], [])
    best: tuple[list[float], ...] = ([], [], [])
    with opened(url("ours")) as store:
        for number in range(ROUNDS):
            some = made[number * count : (number + 1) * count]

            def ours(some: Any = some) -> None:
                for line in some:
                    trial = store.begin_trial(
                        line.recipe, line.situation, purpose="search", seed=line.columns["seed"]
                    )
                    store.finish_trial(trial, line.measured)

            def optunas(some: Any = some) -> None:
                for line in some:
                    trial = theirs.ask()
                    for name in line.recipe.settings:
                        trial.suggest_categorical(name, [True])
                    for name, figure in line.measured.items():
                        trial.set_user_attr(name, figure.value)
                    theirs.tell(trial, line.measured["quality.accuracy"].value)

            def value_only(some: Any = some) -> None:
                for line in some:
                    theirs.tell(theirs.ask(), line.measured["quality.accuracy"].value)

            for work, times in zip((ours, optunas, value_only), insert, strict=True):
                times.append(seconds(work, 1) / count)
        for _ in range(ROUNDS):
            fresh = optuna.load_study(  # what another process sees: nothing is cached
                study_name=theirs.study_name,
                storage=place if "://" in place else f"sqlite:///{place}",
            )
            asked = (
                lambda: trials(store, Filter(), sort="quality.accuracy", limit=10),
                lambda study=fresh: _best(study),
                lambda study=fresh: study.best_trial,
            )
            for ask, times in zip(asked, best, strict=True):
                times.append(seconds(ask, 1))
    return {
        "trials": 2 * count * ROUNDS,
        "insert, ten figures each": _beside(insert[0], insert[1]),
        "insert, ten figures against one value": _beside(insert[0], insert[2]),
        "list the ten best": _beside(best[0], best[1]),
        "the ten best against the best one": _beside(best[0], best[2]),
    }


def _beside(ours: list[float], theirs: list[float]) -> dict[str, float]:
    return {
        "effauto": _middle(ours), "Optuna": _middle(theirs),
        "times_faster": round(ratios(ours, theirs), 2),
    }  # fmt: skip


def _best(study: Any) -> list[Any]:
    finished = study.get_trials(deepcopy=False)
    return sorted(finished, key=lambda trial: -trial.value)[:10]


def _middle(found: list[float]) -> float:
    return round(1e3 * sorted(found)[len(found) // 2], 3)
