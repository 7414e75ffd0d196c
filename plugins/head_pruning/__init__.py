"""Head pruning: take out attention heads that matter little, then train. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    BASELINE,
    FITS,
    Float,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# Training rows that heads are judged by.
ROWS = 256
# Queries and attention's output, keys and values are kept for the backward pass.
KEPT = 2.0


class HeadPruning(Method):
    name = "head-pruning"
    summary = "Take out the attention heads that the loss feels least, before training."
    stage = "design"
    slot = "heads"
    requires = frozenset({"transformer", "pretrained"})
    provides = frozenset({"smaller_student"})
    after = ("depth", "pairing", "vocabulary")
    before = ("body",)
    knobs = {"share": Float(0.1, 0.75, default=0.25)}
    references = (
        "Michel, Levy and Neubig 2019, Are Sixteen Heads Really Better than One?, "
        "https://arxiv.org/abs/1905.10650",
        "Voita, Talbot, Moiseev, Sennrich and Titov 2019, Analyzing Multi-Head Self-Attention: "
        "Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned, "
        "https://arxiv.org/abs/1905.09418",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.heads >= 2:
            return FITS
        return Verdict(f"needs at least two heads to choose from, and {model.name} has fewer")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Judging the heads is a forward pass, and one back to the inputs, on some of the rows."""
        gone = share_gone(work, setting["share"])
        rows = gone * (work.attention_width + 2.0 * work.key_width)
        columns = gone * work.attention_width
        vectors = work.layer_vectors * rows / max(1.0, work.layer_rows)
        removed = min(work.layer_parameters, work.width * (rows + columns) + vectors)
        trained = work.stored_layers * removed * work.weight_gradients
        units = KEPT * gone * (work.attention_width + work.key_width) / max(1.0, work.width)
        judged = work.felt(
            ROWS,
            BASELINE.batch_size,
            spared_flops=2.0 * work.projections,
            spared_pair_flops=4.0 * work.attention_width,
        )
        return replace(
            work.after(judged),
            heads=work.heads * (1.0 - gone),
            attention_width=work.attention_width * (1.0 - gone),
            key_width=work.key_width * (1.0 - gone),
            layer_parameters=work.layer_parameters - removed,
            layer_vectors=work.layer_vectors - min(work.layer_vectors, vectors),
            layer_rows=max(0.0, work.layer_rows - rows),
            trainable_parameters=max(0.0, work.trainable_parameters - trained),
            activation_units=max(0.0, work.activation_units - units),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .attention import attentions, keep_heads
        from .importance import importance

        found = attentions(model.encoder, model.layers)
        scores = importance(model, found, context, ROWS)
        for attention, score in zip(found, scores, strict=True):
            best = score.topk(kept_of(attention.heads, setting["share"])).indices
            keep_heads(attention, best.sort().values)
        return model

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        import torch

        from .attention import attentions_in, keep_heads

        for attention in list(attentions_in(model.layers)):
            keep_heads(attention, torch.arange(kept_of(attention.heads, setting["share"])))
        return model


def kept_of(heads: int, share: float) -> int:
    """How many of ``heads`` stay if ``share`` go: at least one goes, and at least one stays."""
    return max(1, heads - max(1, round(share * heads)))


def share_gone(work: Workload, share: float) -> float:
    """The share of the heads that goes, in whole heads of keys."""
    heads = round(work.heads * work.key_width / max(1.0, work.attention_width))
    return 1.0 - kept_of(heads, share) / heads if heads > 1 else share


@hookimpl
def register_methods() -> Iterator[Method]:
    yield HeadPruning()
