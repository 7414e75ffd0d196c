"""effauto recommends which efficiency methods to combine for a language model, within a budget.

A plugin needs nothing but this module: ``from effauto import Method, Needs, hookimpl``.
Python users have ``plan``, ``run`` and ``load``; these import what is heavy when first called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from effauto.errors import DeclarationError, EffautoError
from effauto.hookspecs import hookimpl
from effauto.knobs import Choice, Float, Int, Setting
from effauto.listener import Listener
from effauto.machine import Accelerator, Hardware, Rate
from effauto.method import FITS, Evidence, Method, Needs, Verdict
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import BASELINE, SCRATCH_BASELINE, Workload

if TYPE_CHECKING:
    from effauto.api import load, plan, run
    from effauto.estimator import EffAutoClassifier
    from effauto.execution.attention import attend_by, attentions, same_hooks
    from effauto.execution.batches import Batch, collate, encode_training
    from effauto.execution.context import Context
    from effauto.execution.embedding import embed, frozen_features
    from effauto.execution.encoding import Pieces
    from effauto.execution.gates import gate_gradients
    from effauto.execution.masking import Masking
    from effauto.execution.predictor import Predictor, Runtime
    from effauto.execution.rows import row_losses, rows_at
    from effauto.execution.training import Descent, Moment, Training
    from effauto.model.transformer import TaskModel
    from effauto.planner.search import Search
    from effauto.results import Results
    from effauto.task.examples import Examples
    from effauto.task.load import load_task

__version__ = "0.1.0"

_LATE = {
    "plan": "effauto.api",
    "run": "effauto.api",
    "load": "effauto.api",
    "Search": "effauto.planner.search",
    "Results": "effauto.results",
    "attend_by": "effauto.execution.attention",
    "attentions": "effauto.execution.attention",
    "same_hooks": "effauto.execution.attention",
    "EffAutoClassifier": "effauto.estimator",
    "Context": "effauto.execution.context",
    "Predictor": "effauto.execution.predictor",
    "Runtime": "effauto.execution.predictor",
    "Batch": "effauto.execution.batches",
    "Descent": "effauto.execution.training",
    "Moment": "effauto.execution.training",
    "Masking": "effauto.execution.masking",
    "Pieces": "effauto.execution.encoding",
    "Training": "effauto.execution.training",
    "collate": "effauto.execution.batches",
    "embed": "effauto.execution.embedding",
    "frozen_features": "effauto.execution.embedding",
    "gate_gradients": "effauto.execution.gates",
    "encode_training": "effauto.execution.batches",
    "row_losses": "effauto.execution.rows",
    "rows_at": "effauto.execution.rows",
    "TaskModel": "effauto.model.transformer",
    "Examples": "effauto.task.examples",
    "load_task": "effauto.task.load",
}

__all__ = [
    "BASELINE",
    "FITS",
    "SCRATCH_BASELINE",
    "Accelerator",
    "Batch",
    "Choice",
    "Context",
    "DeclarationError",
    "Descent",
    "EffAutoClassifier",
    "EffautoError",
    "Evidence",
    "Examples",
    "Float",
    "Hardware",
    "Int",
    "Listener",
    "Masking",
    "Method",
    "ModelTraits",
    "Moment",
    "Needs",
    "Pieces",
    "Predictor",
    "Rate",
    "Recipe",
    "Results",
    "Runtime",
    "Search",
    "Setting",
    "TaskModel",
    "TaskTraits",
    "Training",
    "Verdict",
    "Workload",
    "attend_by",
    "attentions",
    "collate",
    "embed",
    "encode_training",
    "frozen_features",
    "gate_gradients",
    "hookimpl",
    "load",
    "load_task",
    "plan",
    "row_losses",
    "rows_at",
    "run",
    "same_hooks",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'effauto' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)
