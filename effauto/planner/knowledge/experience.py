"""What was measured on this machine, beside what is foretold of it today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from effauto.composition import compose
from effauto.cost import estimate
from effauto.cost.corrections import Pair
from effauto.machine import Hardware
from effauto.method import Method
from effauto.store import Store, TrialRecord
from effauto.workload import Workload

# Earlier trials that correct estimates, newest first: an instant plan must be instant.
MOST_RECORDS = 64

Pairs = dict[str, list[Pair]]


def earlier(store: Store, hardware: Hardware, versions: Mapping[str, str]) -> list[TrialRecord]:
    """The newest finished trials on this machine, of no other ``versions`` of their methods."""
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    wanted = Filter(state="finished", hardware=hardware.name, versions=versions)
    return trials(store, wanted, limit=MOST_RECORDS)


def experience(
    records: Iterable[TrialRecord], methods: Mapping[str, Method], hardware: Hardware
) -> Pairs:
    """By model, what was measured on this machine beside what is foretold of it today."""
    pairs: Pairs = {}
    for record in records:
        used = frozenset(step.method for step in record.recipe.steps)
        if record.hardware != hardware.name or not used <= methods.keys():
            continue
        composition = compose(record.recipe, methods, record.task_traits, record.model, hardware)
        work = Workload.untouched(record.task_traits, record.model)
        for method, setting in composition.steps:
            work = method.cost(work, setting)
        foretold = estimate(work.on_share(record.fidelity), hardware)
        pairs.setdefault(record.model.name, []).extend(
            Pair(name, figure.value, record.measured[name].value, used)
            for name, figure in foretold.items()
            if name in record.measured and record.measured[name].tier == "measured"
        )
    return pairs
