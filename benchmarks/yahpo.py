"""Two of the YAHPO surrogates (Pfisterer et al. 2022, arXiv 2109.03670): what a training gives.

``FOLDER`` holds ``lcbench`` and ``rbv2_xgboost`` of https://github.com/slds-lmu/yahpo_data
(Apache-2.0). Each answers for many data sets, at once and always the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    InCondition,
    Integer,
)
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Random draws that the best, the median and the reference point of an instance come from.
DRAWS = 20_000


@dataclass(frozen=True)
class Scenario:
    """Columns in the order of the surrogate; the dearest fidelity; what is minimised."""

    instance: str
    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    targets: tuple[str, ...]
    fidelity: Mapping[str, float]
    error: str
    whole: float
    cost: str


SCENARIOS = {
    "lcbench": Scenario(
        "OpenML_task_id",
        ("OpenML_task_id",),
        ("epoch", "batch_size", "learning_rate", "momentum", "weight_decay", "num_layers",
         "max_units", "max_dropout"),
        ("time", "val_accuracy", "val_cross_entropy", "val_balanced_accuracy",
         "test_cross_entropy", "test_balanced_accuracy"),
        {"epoch": 52},
        "val_accuracy", 100.0, "time",
    ),
    "rbv2_xgboost": Scenario(
        "task_id",
        ("task_id", "booster", "num.impute.selected.cpo"),
        ("nrounds", "eta", "gamma", "lambda", "alpha", "subsample", "max_depth",
         "min_child_weight", "colsample_bytree", "colsample_bylevel", "rate_drop", "skip_drop",
         "trainsize", "repl"),
        ("acc", "bac", "auc", "brier", "f1", "logloss", "timetrain", "timepredict", "memory"),
        {"trainsize": 1.0, "repl": 10},
        "acc", 1.0, "timetrain",
    ),
}  # fmt: skip


@dataclass
class Surrogate:
    """One scenario and one data set: error and cost of a configuration, both to be minimised."""

    folder: Path
    scenario: str
    instance: str

    @property
    def name(self) -> str:
        return f"{self.scenario}:{self.instance}"

    def space(self, seed: int) -> ConfigurationSpace:
        """What can be chosen: neither the data set nor the fidelity."""
        known, space = self._known, ConfigurationSpace(seed=seed)
        fixed = {known.instance, *known.fidelity}
        entries = self._described["hyperparameters"]
        space.add([_hyperparameter(entry) for entry in entries if entry["name"] not in fixed])
        for entry in self._described["conditions"]:
            child, parent = space[entry["child"]], space[entry["parent"]]
            if entry["type"] == "IN":
                space.add(InCondition(child, parent, entry["values"]))
            else:
                space.add(EqualsCondition(child, parent, entry["value"]))
        return space

    def measure(self, drawn: Sequence[Mapping[str, Any]]) -> Array:
        """Error and cost, one row for each configuration."""
        known = self._known
        fixed = {known.instance: self.instance, **known.fidelity}
        rows = [dict(values) | fixed for values in drawn]
        words = [[self._encoding[n][row.get(n, "#na#")] for n in known.categories] for row in rows]
        numbers = [[float(row.get(name, 0.0)) for name in known.numbers] for row in rows]
        inputs = {"x_cat": np.array(words, np.int32), "x_cont": np.array(numbers, np.float32)}
        found = self._model.run(None, inputs)[0].astype(float)
        error = 1 - found[:, known.targets.index(known.error)] / known.whole
        return np.column_stack([error, found[:, known.targets.index(known.cost)]])

    @cached_property
    def drawn(self) -> Array:
        """Errors and costs of many random configurations: the scale of all that is found."""
        return self.measure(self.space(seed=12345).sample_configuration(DRAWS))

    @property
    def _known(self) -> Scenario:
        return SCENARIOS[self.scenario]

    @cached_property
    def _described(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / self.scenario / "config_space.json").read_text()))

    @cached_property
    def _encoding(self) -> dict[str, dict[str, int]]:
        return dict(json.loads((self.folder / self.scenario / "encoding.json").read_text()))

    @cached_property
    def _model(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = self.folder / self.scenario / "model.onnx"
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _hyperparameter(entry: Mapping[str, Any]) -> Any:
    if entry["type"] == "categorical":
        return Categorical(entry["name"], entry["choices"], default=entry["default"])
    kind = Integer if entry["type"] == "uniform_int" else Float
    bounds = (entry["lower"], entry["upper"])
    return kind(entry["name"], bounds, default=entry["default"], log=entry["log"])


def regret(errors: Array, scale: Array) -> float:
    """Of the best error: 0 is the best of the random draws, 1 their median."""
    return float((errors.min() - scale.min()) / (np.median(scale) - scale.min()))


def hypervolume(points: Array, scale: Array) -> float:
    """Of errors and costs, each brought to 0 at the least and 1 at the 95 % quantile of a scale."""
    low, high = scale.min(axis=0), np.quantile(scale, 0.95, axis=0)
    inside = (points - low) / (high - low)
    return _volume(inside[(inside < 1).all(axis=1)])


def _volume(inside: Array) -> float:
    """By slices along the last column, each as deep as the way to the next point."""
    if not len(inside):
        return 0.0
    if inside.shape[1] == 1:
        return float(1 - inside.min())
    ordered = inside[np.argsort(inside[:, -1])]
    ends = [*ordered[1:, -1], 1.0]
    return sum(
        (end - point[-1]) * _volume(ordered[: place + 1, :-1])
        for place, (point, end) in enumerate(zip(ordered, ends, strict=True))
        if end > point[-1]
    )
