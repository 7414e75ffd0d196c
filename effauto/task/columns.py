"""What a table is about: its kind of task, and which column plays which role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from effauto.errors import DataError
from effauto.traits import TaskKind

ROLES: Mapping[TaskKind, tuple[str, ...]] = {
    "text-classification": ("text", "label"),
    "pair-classification": ("text_a", "text_b", "label"),
    "token-classification": ("tokens", "tags"),
}

# Other names under which a role is found if its own is absent.
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "text": (
        *("sentence", "content", "review", "message", "document", "comment", "utterance"),
        *("query", "question", "tweet", "body"),
    ),
    "label": (
        *("labels", "class", "category", "target", "intent", "sentiment", "topic", "emotion"),
        *("gold_label",),
    ),
    "tokens": ("words",),
    "tags": ("labels", "pos_tags", "upos", "ner_tags"),
}
_PAIRS = (
    ("text_a", "text_b"),
    ("sentence1", "sentence2"),
    ("sentence_a", "sentence_b"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("question", "sentence"),
    ("question", "answer"),
    ("question", "passage"),
    ("query", "document"),
    ("query", "passage"),
)


Names = dict[str, str | None]  # role to column, or to None while it is not found


@dataclass(frozen=True)
class Columns:
    """A kind of task, and for each of its roles the name of the column that plays it."""

    kind: TaskKind
    names: Mapping[str, str]


def find_columns(
    found: Sequence[str],
    place: str,
    kind: TaskKind | None = None,
    given: Mapping[str, str] | None = None,
) -> Columns:
    """Decide the kind and the columns from names; ``given`` (role to column) goes before all else.

    Raises DataError, listing the columns found, if nothing fits or more than one thing does.
    """
    given = dict(given or {})
    _check_given(found, place, given)
    readings = {k: _names(k, found, given) for k in _kinds(kind, given)}
    fitting = {k: names for k, names in readings.items() if None not in names.values()}
    by_own_names = {k: names for k, names in fitting.items() if _by_own_names(names, given)}
    if len(fitting) > 1 and not by_own_names:  # 'question' and 'answer' rather are a pair
        fitting.pop("text-classification", None)
    chosen = by_own_names or fitting
    if len(chosen) > 1:
        raise DataError(
            f"{place}: the columns {_listed(found)} fit {' and '.join(chosen)}; say with --kind"
        )
    for fitting_kind, names in chosen.items():
        return Columns(fitting_kind, {role: name for role, name in names.items() if name})
    raise _not_found(found, place, readings)


def _kinds(kind: TaskKind | None, given: Mapping[str, str]) -> list[TaskKind]:
    """The kinds that are still possible, once one or some of its roles are given."""
    if kind is not None and kind not in ROLES:
        raise DataError(f"{kind!r} is no kind of task; known: {', '.join(ROLES)}")
    kinds = [k for k in ROLES if kind in (None, k) and set(given) <= set(ROLES[k])]
    if not kinds:
        wanted = f"a {kind} task" if kind else "one kind of task"
        raise DataError(f"{', '.join(given)} are not roles of {wanted}; {_roles_known()}")
    return kinds


def _names(kind: TaskKind, found: Sequence[str], given: Mapping[str, str]) -> Names:
    free = [column for column in found if column not in given.values()]
    names: Names = {role: given.get(role) or _column_for(role, free) for role in ROLES[kind]}
    if kind == "pair-classification" and not {"text_a", "text_b"} & set(given):
        names |= _pair(free)
    return names


def _column_for(role: str, found: Sequence[str]) -> str | None:
    for names in ((role,), _SYNONYMS.get(role, ())):
        columns = [column for column in found if column.lower() in names]
        if columns:
            return columns[0] if len(columns) == 1 else None
    return None


def _pair(found: Sequence[str]) -> Names:
    by_name = {column.lower(): column for column in found}
    for first, second in _PAIRS:
        if first in by_name and second in by_name:
            return {"text_a": by_name[first], "text_b": by_name[second]}
    return {"text_a": None, "text_b": None}


def _by_own_names(names: Names, given: Mapping[str, str]) -> bool:
    looked_for = {role: name for role, name in names.items() if role not in given}
    return all(role in ("label", str(name).lower()) for role, name in looked_for.items())


def _check_given(found: Sequence[str], place: str, given: Mapping[str, str]) -> None:
    for role, column in given.items():
        if not any(role in roles for roles in ROLES.values()):
            raise DataError(f"there is no role {role!r} for a column; {_roles_known()}")
        if column not in found:
            raise DataError(f"{place} has no column {column!r}; it has {_listed(found)}")
    if len(set(given.values())) < len(given):
        raise DataError("two roles cannot be played by the same column")


def _not_found(found: Sequence[str], place: str, readings: Mapping[TaskKind, Names]) -> DataError:
    """Say what is missing of the kind of which most is there."""
    kind = min(readings, key=lambda k: list(readings[k].values()).count(None))
    missing = [role for role, name in readings[kind].items() if name is None]
    joined = next((sign for sign in "|:\t;" if len(found) == 1 and sign in found[0]), None)
    if joined:
        return DataError(
            f"{place} is one column, {_listed(found)}: it seems to be separated by {joined!r}; "
            "save it with commas as .csv, or with tabs as .tsv"
        )
    return DataError(
        f"{place}: none of the columns {_listed(found)} is clearly the"
        f" {' or the '.join(missing)} of a {kind}; name it, as in"
        f" {' '.join(f'--column {role}=…' for role in missing)}"
    )


def _roles_known() -> str:
    return "roles: " + "; ".join(f"{', '.join(roles)} ({kind})" for kind, roles in ROLES.items())


def _listed(found: Sequence[str]) -> str:
    names = ", ".join(repr(name[:40]) for name in found[:12])
    return names + (f" and {len(found) - 12} more" if len(found) > 12 else "")
