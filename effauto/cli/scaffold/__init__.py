"""Write the beginnings of a third party's plugin: the templates lie beside this file."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from pathlib import Path
from string import Template

import effauto
from effauto.errors import InputError, NameTaken, OutputError

TEMPLATES = Path(__file__).parent
_SUFFIX = ".template"


def write(name: str, output: Path, taken: Container[str] = ()) -> Path:
    """Write a distribution with a method ``name`` to a new folder in ``output``; return it.

    Raises InputError for a name that no method can have, NameTaken for one of ``taken``, and
    OutputError if the folder exists or cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise InputError(
            f"{name!r} cannot be a method's name: write lower-case words joined by hyphens,"
            " such as 'keep-hardest'"
        )
    if name in taken:
        raise NameTaken(f"there is already a method named {name!r}; see 'effauto methods list'")
    folder = output / f"effauto-{name}"
    try:
        folder.mkdir(parents=True)
        for path, text in _files(name):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise OutputError(f"{folder} is there already, and is left as it is") from error
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
    return folder


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """Each file's path within the new folder, and its text."""
    words = _words(name)
    for template in sorted(TEMPLATES.rglob(f"*{_SUFFIX}")):
        path = template.relative_to(TEMPLATES).with_suffix("")
        parts = [words["package"] if part == "package" else part for part in path.parts]
        yield Path(*parts), Template(template.read_text(encoding="utf-8")).substitute(words)


def _words(name: str) -> dict[str, str]:
    class_name = "".join(word.capitalize() for word in name.split("-"))
    if class_name in effauto.__all__:  # the template imports some of these
        class_name += "Method"
    return {
        "name": name,
        "package": f"effauto_{name.replace('-', '_')}",
        "class_name": class_name,
        "version": effauto.__version__,
    }
