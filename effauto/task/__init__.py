"""Tasks: loading, splitting, describing and exchanging labelled data."""

from effauto.task.examples import Examples
from effauto.task.exchange import read_split, write_split
from effauto.task.load import load_task
from effauto.task.task import METRICS, Task

__all__ = ["METRICS", "Examples", "Task", "load_task", "read_split", "write_split"]
