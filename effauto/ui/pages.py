"""What each page shows, as texts for its template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from markdown_it import MarkdownIt
from starlette.datastructures import QueryParams

from effauto.budget import parse_budget
from effauto.checks.declaration import card_of
from effauto.errors import InputError, StoreError
from effauto.method import Method
from effauto.report.page.page import Page, page_of_study, page_of_trials
from effauto.report.page.render import embedded
from effauto.report.trials import describe, figures, row, titles
from effauto.report.wanted import wanted
from effauto.store import Store, TrialRecord, open_store
from effauto.store.filters import Filter
from effauto.store.query import trial, trials
from effauto.store.seen import tasks
from effauto.store.studies import studies, study

Found = dict[str, Any]
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SIZE = 100  # trials on a page
MOST_STUDIES = 500
MOST_POINTS = 2000  # more would make a chart slow
COLUMNS = (
    "task",
    "candidate",
    "fidelity",
    "quality",
    "inference.latency",
    "model.size",
    "train.time",
)
ONE = ("task", "model", "hardware", "since", "state", "purpose")
SEVERAL = ("method", "without", "where")
SORTS = ("", "quality", "inference.latency", "model.size", "train.time", "train.energy")


@dataclass(frozen=True)
class Pages:
    """Reads the results at ``db`` anew for each page, so that it shows what was just measured."""

    db: str | None
    methods: Mapping[str, Method]

    def studies(self) -> Found:
        """All searches, newest first."""
        with self._opened() as store:
            return {"studies": studies(store, MOST_STUDIES)}

    def study(self, number: int) -> tuple[Page, bool]:
        """One search as a page, and whether it is still under way."""
        with self._opened() as store:
            found = study(store, number)
            page = page_of_study(found, trials(store, Filter(study=number)))
        return page, found.state == "running"

    def trials(self, asked: QueryParams) -> Found:
        """A page of trials, filtered as ``effauto results list`` does."""
        number = _number(asked.get("page", "1"))
        with self._opened() as store:
            sort = _resource(store, asked.get("sort"))
            found = trials(store, _filter(asked), sort=sort, limit=number * SIZE + 1)
        shown = found[(number - 1) * SIZE : number * SIZE]
        return {
            "columns": titles(COLUMNS),
            "rows": [(record.id, row(record, COLUMNS), record.state) for record in shown],
            "asked": {name: asked.get(name, "") for name in (*ONE, "sort")},
            "several": {name: " ".join(asked.getlist(name)) for name in SEVERAL},
            "sorts": SORTS,
            "page": number,
            "before": _turned(asked, number - 1) if number > 1 else "",
            "after": _turned(asked, number + 1) if len(found) > number * SIZE else "",
        }

    def fronts(self, asked: QueryParams) -> Found:
        """All trials of a task as points, and the front of any two figures."""
        budget = parse_budget(" ".join(asked.getlist("budget")).split())
        with self._opened() as store:
            known = tasks(store)
            task = asked.get("task") or next(iter(known), "")
            which = replace(_filter(asked), task=task or None, state="finished")
            found = trials(store, which, limit=MOST_POINTS) if task else []
        page = page_of_trials(task, found, budget)
        return {
            "page": page,
            "data": embedded(page.data),
            "tasks": known,
            "task": task,
            "budget": " ".join(asked.getlist("budget")),
            "model": asked.get("model", ""),
            "method": " ".join(asked.getlist("method")),
            "most": MOST_POINTS,
        }

    def trial(self, name: str) -> Found:
        """One trial closely."""
        with self._opened() as store:
            record = trial(store, name)
        return {"trial": record, "lines": describe(record), "figures": figures(record)}

    def compare(self, asked: QueryParams) -> Found:
        """Two trials beside each other."""
        with self._opened() as store:
            pair = [trial(store, asked[name]) for name in ("a", "b") if asked.get(name)]
        if len(pair) != 2:
            raise InputError("name two trials, as in /compare?a=12&b=15")
        names = sorted(pair[0].measured.keys() & pair[1].measured.keys())
        return {"pair": pair, "rows": [_beside(name, *pair) for name in names]}

    def methods_known(self) -> Found:
        """All methods, by stage."""
        return {"methods": sorted(self.methods.values(), key=lambda method: method.name)}

    def method(self, name: str) -> Found:
        """One method: what it declares, and its card, in which HTML is text."""
        if name not in self.methods:
            raise StoreError(f"There is no method {name!r}.")
        method, card = self.methods[name], card_of(self.methods[name])
        text = card.read_text(encoding="utf-8") if card.is_file() else "It has no card."
        text = COMMENT.sub("", text)
        html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
        return {"method": method, "card": html}

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        store = open_store(self.db, create=self.db is None)
        try:
            yield store
        finally:
            store.close()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**6):
        raise InputError(f"{text!r} is no page")
    return int(text)


def _turned(asked: QueryParams, page: int) -> str:
    """The address of another page of the same."""
    kept = [(name, value) for name, value in asked.multi_items() if value and name != "page"]
    return f"?{urlencode([*kept, ('page', page)])}"


def _filter(asked: QueryParams) -> Filter:
    """What the form's fields say; several names or limits stand apart by blanks."""
    given: dict[str, Any] = {name: asked[name] for name in ONE if asked.get(name)}
    for name in SEVERAL:
        given[name] = tuple(" ".join(asked.getlist(name)).split())
    return wanted(**given)


def _resource(store: Store, sort: str | None) -> str | None:
    """``quality`` stands for the metric of the newest trial's task."""
    if sort != "quality":
        return sort or None
    newest = trials(store, limit=1)
    return f"quality.{newest[0].task_traits.metric}" if newest else None


def _beside(name: str, one: TrialRecord, other: TrialRecord) -> tuple[str, ...]:
    """The resource, both values, and by which factor the second is the first."""
    a, b = one.measured[name].value, other.measured[name].value
    factor = f"×{b / a:.2f}" if a > 0 else ""
    return name, *row(one, [name]), *row(other, [name]), factor
