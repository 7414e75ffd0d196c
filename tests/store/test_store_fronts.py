"""The front of two resources is the same however little of a database is read for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import finished

from effauto.recipe import Recipe
from effauto.store import Store, fronts, open_store
from effauto.store.filters import Filter
from effauto.store.fronts import pareto, unbeaten

few = st.integers(0, 6).map(float)


@given(st.lists(st.tuples(few, few), max_size=20))
def test_no_other_beats_those_on_the_front(points: list[tuple[float, float]]) -> None:
    front = unbeaten([(point, number) for number, point in enumerate(points)])

    def beaten(x: float, y: float) -> bool:
        return any(a <= x and b <= y and (a, b) != (x, y) for a, b in points)

    assert sorted(front) == [n for n, point in enumerate(points) if not beaten(*point)]


@pytest.mark.parametrize("first", [1, 2, 5])
def test_few_are_read_and_none_is_missed(
    store: Store, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    figures = [(7 * n % 23 / 23, (11 * n % 19 + 1) / 1e3) for n in range(24)]
    figures += figures[:3]  # equals stand side by side
    for seed, (quality, latency) in enumerate(figures):
        finished(store, Recipe(), quality=quality, latency=latency, seed=seed)
    asked = (store, Filter(), "quality.accuracy", "inference.latency")
    everything = [record.number for record in pareto(*asked)]
    monkeypatch.setattr(fronts, "FIRST", first)
    assert sorted(record.number for record in pareto(*asked)) == sorted(everything)
    assert len(everything) > 1


def test_a_front_of_nothing_is_empty(tmp_path: Path) -> None:
    store = open_store(tmp_path / "empty.db")
    assert pareto(Store(store.own), Filter(), "quality.accuracy", "model.size") == []
    store.close()
