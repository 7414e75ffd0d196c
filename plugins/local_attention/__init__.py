"""Local attention: a window of the text, and its beginning. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel


class LocalAttention(Method):
    name = "local-attention"
    summary = "Let each token read a window before it and the first tokens of the text."
    stage = "design"
    slot = "attention"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    provides = frozenset({"own_attention"})
    knobs = {
        "window": Choice((16, 32, 64, 128), default=32),
        "everywhere": Choice((0, 4), default=4),
    }
    references = (
        "Beltagy, Peters and Cohan 2020, Longformer: The Long-Document Transformer, "
        "https://arxiv.org/abs/2004.05150",
        "Child, Gray, Radford and Sutskever 2019, Generating Long Sequences with Sparse "
        "Transformers, https://arxiv.org/abs/1904.10509",
        "Xiao, Tian, Chen, Han and Lewis 2024, Efficient Streaming Language Models with Attention "
        "Sinks, https://arxiv.org/abs/2309.17453",
    )
    evidence = (
        Evidence(
            claim="attention that scales linearly with length; best on text8 and enwik8",
            source="Beltagy et al. 2020, abstract",
            setting="character language models of 12 to 30 layers, texts of up to 23,040 tokens",
            checked="the abstract was read; not measured at such lengths",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A block of the window's size meets itself and the block before, whose keys are copied."""
        reach = 2.0 * setting["window"] + setting["everywhere"]
        if work.longest_tokens <= reach:
            return replace(work, reach=reach)
        gathered = (work.attention_width + work.key_width) / max(1.0, work.width)
        units = gathered * reach / setting["window"]
        return replace(work, reach=reach, activation_units=work.activation_units + units)

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        return self.restore(model, setting)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from functools import partial

        from effauto import attend_by

        from .window import windowed

        return attend_by(
            model, partial(windowed, window=setting["window"], everywhere=setting["everywhere"])
        )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LocalAttention()
