"""Do importing the plugin, ``fits`` and ``cost`` leave heavy libraries alone?"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path

from effauto.checks.check import CheckFailed, require
from effauto.checks.costing import fitting
from effauto.checks.samples import settings, workloads
from effauto.method import Method
from effauto.plugins.find import import_path

HEAVY = ("torch", "transformers", "tensorflow", "jax", "peft", "onnxruntime", "sklearn", "scipy")
SECONDS = 60

_PROGRAM = "from effauto.checks.imports import report; report({!r}, {!r}, {!r})"


def imports_nothing_heavy(method: Method) -> None:
    """Asked in a fresh process, since here something else may have imported them."""
    cls = type(method)
    top = sys.modules[cls.__module__.partition(".")[0]]
    program = _PROGRAM.format(str(top.__file__), cls.__module__, cls.__qualname__)
    try:
        asked = subprocess.run(
            python("-c", program),
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(f"importing it and asking its cost takes over {SECONDS} s") from error
    require(asked.returncode == 0, f"a fresh process cannot import it: {last_line(asked.stderr)}")
    heavy = last_line(asked.stdout)
    require(not heavy, f"to import it, or its fits or cost, imports {heavy}: import inside verbs")


def report(file: str, module: str, qualname: str) -> None:
    """Ask ``fits`` and ``cost`` of the class, and print the heavy libraries that came with it."""
    if module.startswith("effauto_local_"):
        path = Path(file)
        import_path(path.parent if path.name == "__init__.py" else path)
    method: Method = attrgetter(qualname)(import_module(module))()
    for task, model in fitting(method):
        method.cost(next(workloads(task, model)), next(settings(method)))
    print("\n" + ", ".join(name for name in HEAVY if name in sys.modules))


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-P", *arguments]


def environment() -> dict[str, str]:
    """This process's import path, without the current folder, for a child."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2].strip()
