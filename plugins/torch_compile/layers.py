"""Compile a model layer by layer: equal layers share their kernels, so that depth is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effauto import TaskModel


def compile_layers(model: TaskModel) -> TaskModel:
    """Let each layer be compiled when it is first called, for any number and length of rows.

    In this process alone: the compiler's own would outlive the trial that started them.
    """
    for layer in model.layers:
        layer.compile(dynamic=True, options={"compile_threads": 1})
    return model
