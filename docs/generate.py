"""Write the parts of README.md and docs/ that are made from the code; ``--check`` only compares.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; NAME is one of PARTS.
``--demo`` also runs what ``make demo`` runs, which takes minutes, and shows what it printed.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import measured
from parts import PARTS, cards, demo

ROOT = Path(__file__).resolve().parents[1]
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may have generated parts."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *cards()]


def parts_of(path: Path) -> dict[str, Callable[[], str]]:
    """What may be generated on a page; a card has a part of its own."""
    if method := cards().get(path):
        return {"measured": partial(measured.card, method)}
    return dict(PARTS)


def renewed(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with its generated parts made anew; a part that ``parts`` lacks stays."""

    def renew(found: re.Match[str]) -> str:
        start, name, old, end = found.groups()
        return f"{start}\n{parts[name]().strip()}\n\n{end}" if name in parts else start + old + end

    return _PART.sub(renew, text)


def stale(paths: Iterable[Path]) -> dict[Path, str]:
    """The pages that are not what the code says, each with the difference."""
    differences = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if text != (new := renewed(text, parts_of(path))):
            lines = difflib.unified_diff(text.split("\n"), new.split("\n"), str(path), "the code")
            differences[path] = "\n".join(lines)
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--demo", action="store_true")
    given = parser.parse_args()
    if given.check:
        differences = stale(pages())
        print(*differences.values(), sep="\n", end="")
        return 1 if differences else 0
    for path in pages():
        parts = parts_of(path) | ({"demo": demo} if given.demo else {})
        path.write_text(renewed(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
