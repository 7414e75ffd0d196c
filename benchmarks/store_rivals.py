"""The same trials in effauto's store and in Optuna's RDBStorage, in turns on the same server.

Optuna keeps a value and the parameters of a trial; effauto ten measurements with ranges, versions,
methods and the machine. ``pip install -c constraints.txt 'effauto[bench]'``.
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
    """Seconds a trial to begin and finish, and to list the ten best of all."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = list(lines(count * ROUNDS))
    place = url("rival")
    theirs = optuna.create_study(
        storage=place if "://" in place else f"sqlite:///{place}", directions=["maximize"]
    )
    insert: tuple[list[float], list[float]] = ([], [])
    best: tuple[list[float], list[float]] = ([], [])
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

            insert[0].append(seconds(ours, 1) / count)
            insert[1].append(seconds(optunas, 1) / count)
        fresh = {}
        for _ in range(ROUNDS):
            best[0].append(
                seconds(lambda: trials(store, Filter(), sort="quality.accuracy", limit=10), 1)
            )
            fresh["study"] = optuna.load_study(  # what another process sees: nothing is cached
                study_name=theirs.study_name,
                storage=place if "://" in place else f"sqlite:///{place}",
            )
            best[1].append(seconds(lambda: _best(fresh["study"]), 1))
    return {
        "trials": count * ROUNDS,
        "insert": {"effauto": _middle(insert[0]), "Optuna": _middle(insert[1]),
                   "times_faster": round(ratios(*insert), 2)},
        "list the ten best": {"effauto": _middle(best[0]), "Optuna": _middle(best[1]),
                              "times_faster": round(ratios(*best), 2)},
    }  # fmt: skip


def _best(study: Any) -> list[Any]:
    finished = study.get_trials(deepcopy=False)
    return sorted(finished, key=lambda trial: -trial.value)[:10]


def _middle(found: list[float]) -> float:
    return round(1e3 * sorted(found)[len(found) // 2], 3)
