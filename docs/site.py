"""Gather the pages of the documentation's site: README, docs/, and each method's card.

    python docs/site.py FOLDER      # then: mkdocs build --strict

Links between files of the repository become links between pages; a link to what is no page, such as
a script, becomes its text.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def main() -> None:
    """Write all pages below the folder that was named."""
    target = Path(sys.argv[1]).resolve()
    shutil.rmtree(target, ignore_errors=True)
    pages = places()
    for source, place in pages.items():
        page = target / place
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(linked(source, place, pages), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "pictures", target / "pictures")


def places() -> dict[Path, str]:
    """Where each file's page stands in the site."""
    found = {ROOT / "README.md": "index.md", ROOT / "docs" / "index.md": "words.md"}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        found.setdefault(path, path.relative_to(ROOT / "docs").as_posix())
    for path in sorted((ROOT / "plugins").glob("*/README.md")):
        found[path] = f"cards/{path.parent.name}.md"
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        found[ROOT / name] = name.lower()
    return found


def linked(source: Path, place: str, pages: dict[Path, str]) -> str:
    """The file's text with links from its page to the others."""

    def link(match: re.Match[str]) -> str:
        text, aim, part = match[1], match[2], match[3] or ""
        if "://" in aim or aim.startswith("mailto:"):
            return match[0]
        found = (source.parent / aim).resolve()
        if found not in pages:
            return text if found.suffix != ".svg" else match[0]
        up = "../" * place.count("/")
        return f"[{text}]({up}{pages[found]}{part})"

    text = LINK.sub(link, source.read_text(encoding="utf-8"))
    up = "../" * place.count("/")
    return re.sub(r"\]\((?:\.\./)*(?:docs/)?pictures/", f"]({up}pictures/", text)


if __name__ == "__main__":
    main()
