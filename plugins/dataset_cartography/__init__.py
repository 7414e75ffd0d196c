"""Dataset cartography: keep the rows that a cheap probe learns with difficulty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
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
    from effauto import Context, Examples

# The probe: linear heads, each from another start, on features that are computed once.
PROBES, EPOCHS = 3, 10
# Single-core seconds of an epoch of a probe, and of a row in it, measured on 384 features.
EPOCH_SECONDS, ROW_SECONDS = 8e-3, 1.7e-6
READ = "the abstract was found by a search and read; not measured here"


class DatasetCartography(Method):
    name = "dataset-cartography"
    summary = "Keep the rows that a cheap probe finds hard or ambiguous, drop likely noise."
    stage = "data"
    slot = "filter"
    requires = frozenset({"transformer", "pretrained"})
    after = ("subset",)  # a probe reads labels, so rows are bought first
    knobs = {
        "score": Choice(
            ("variability", "confidence", "correctness", "forgetting", "el2n"),
            default="variability",
        ),
        "keep": Float(0.2, 1.0, default=0.6),
        "drop_noise": Float(0.0, 0.2, default=0.05),
    }
    references = (
        "Swayamdipta, Schwartz, Lourie, Wang, Hajishirzi, Smith and Choi 2020, Dataset "
        "Cartography, https://arxiv.org/abs/2009.10795",
        "Toneva, Sordoni, Tachet des Combes, Trischler, Bengio and Gordon 2019, An Empirical Study "
        "of Example Forgetting, https://arxiv.org/abs/1812.05159",
        "Paul, Ganguli and Dziugaite 2021, Deep Learning on a Data Diet, "
        "https://arxiv.org/abs/2107.07075",
    )
    evidence = (
        Evidence(
            claim="ambiguous rows help most out of distribution, easy ones are needed to learn at "
            "all, hard ones are often mislabelled",
            source="Swayamdipta et al. 2020, abstract",
            setting="four English data sets, dynamics of the large model itself",
            checked=READ,
        ),
        Evidence(
            claim="half of the training set pruned by EL2N with slightly better test accuracy",
            source="Paul et al. 2021, abstract",
            setting="images, CIFAR-10, scores averaged over several networks",
            checked=READ,
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind != "token-classification":
            return FITS
        return Verdict("maps rows with one class each, and a tagged sentence has many")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A pass over all rows and the probes, then fewer rows; all labels were needed."""
        rows = max(1.0, work.examples / max(1.0, work.classes))
        clean = 1.0 - int(setting["drop_noise"] * rows) / rows
        kept = work.on_share(min(work.by_class(setting["keep"]), clean))
        epochs = PROBES * EPOCHS
        learning = epochs * work.examples * 2.0 * 3.0 * work.head_parameters
        probing = epochs * (EPOCH_SECONDS + ROW_SECONDS * work.examples)
        return replace(
            kept.after(work.embedded()),
            labels=work.labels,
            extra_train_flops=work.extra_train_flops + learning,
            host_seconds=kept.host_seconds + probing,
        )

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from effauto import frozen_features

        from .dynamics import record
        from .scores import chosen

        context.labels_read = max(context.labels_read, len(data))
        features = frozen_features(data, context)
        dynamics = record(features, data.labels, PROBES, EPOCHS, context)
        return data.select(chosen(data.labels, dynamics, **setting))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield DatasetCartography()
