"""Follow a recipe through its real verbs on tensors without numbers, and count what it does."""

from effauto.execution.tracing.trace import trace

__all__ = ["trace"]
