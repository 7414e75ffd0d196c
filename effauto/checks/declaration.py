"""Does the method say what it is, and does its card say when it pays?"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from effauto.checks.check import CheckFailed, require
from effauto.checks.samples import settings
from effauto.errors import SettingError
from effauto.knobs import complete
from effauto.method import Method

CARD_HEADINGS = (
    "In one sentence",
    "When it helps, when it hurts",
    "Costs",
    "Knobs",
    "Composes with",
    "Reference",
)


def declaration_is_complete(method: Method) -> None:
    require(method.references, "references is empty: say where the method comes from")
    require(
        all(isinstance(text, str) and text.strip() for text in method.references),
        "each of references must be a text, such as 'Hu et al. 2022, arXiv:2106.09685'",
    )
    require(
        isinstance(method.version, str) and method.version,
        "version must be a text, such as '1': results are kept under it",
    )
    for claim in method.evidence:
        blank = [part for part in ("claim", "source", "setting") if not getattr(claim, part)]
        require(not blank, f"evidence {claim.claim!r} lacks its {' and '.join(blank)}")


def knobs_are_legal(method: Method) -> None:
    for setting in settings(method):
        try:
            completed = complete(method.knobs, setting)
        except SettingError as error:
            raise CheckFailed(f"{setting} is within the knobs' ranges, and yet {error}") from error
        require(completed == setting, f"the knobs read {setting} as {completed}")


def card_is_complete(method: Method) -> None:
    card = card_of(method)
    require(card.is_file(), f"there is no card {card.name} beside {card.parent.name}'s code")
    sections = sections_of(card.read_text(encoding="utf-8"))
    missing = [heading for heading in CARD_HEADINGS if heading not in sections]
    require(not missing, f"the card {card} lacks the headings: {'; '.join(missing)}")
    empty = [heading for heading in CARD_HEADINGS if not sections[heading].strip()]
    require(not empty, f"the card {card} says nothing under: {'; '.join(empty)}")
    silent = [knob for knob in method.knobs if knob not in sections["Knobs"]]
    require(not silent, f"the card {card} does not explain the knobs {', '.join(silent)}")


def card_of(method: Method) -> Path:
    """Where the method's card is, or should be."""
    return Path(inspect.getfile(type(method))).parent / "README.md"


def sections_of(card: str) -> dict[str, str]:
    """The text below each heading of a Markdown file."""
    parts = re.split(r"^#+[ \t]+(.+?)[ \t]*$", card, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
