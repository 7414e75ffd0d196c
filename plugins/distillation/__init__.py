"""Distillation: train the smaller network on what the untouched one, fine-tuned, answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# A teacher's weight has a value and AdamW's two moments, beside the student's weights.
TEACHER_BYTES = 12.0


class Distillation(Method):
    name = "distillation"
    summary = "Train a smaller network on the soft answers of the fine-tuned full one."
    stage = "finetune"
    slot = "objective"
    requires = frozenset({"smaller_student", "gradient_training"})
    after = ("adaptation", "order", "padding")  # the teacher is batched and padded alike
    knobs = {
        "temperature": Float(1.0, 8.0, default=2.0, log=True),
        "alpha": Float(0.1, 1.0, default=0.7),
        "hidden": Float(0.0, 10.0, default=0.0),
    }
    references = (
        "Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a Neural Network, "
        "https://arxiv.org/abs/1503.02531",
        "Sanh, Debut, Chaumond and Wolf 2019, DistilBERT, a distilled version of BERT, "
        "https://arxiv.org/abs/1910.01108",
        "Tung and Mori 2019, Similarity-Preserving Knowledge Distillation, "
        "https://arxiv.org/abs/1907.09682",
    )
    evidence = (
        Evidence(
            claim="the student often beats a model of its size trained without a teacher",
            source="Treviso et al. 2023, Efficient Methods for NLP: A Survey, section 6.2",
            setting="language models in general; no figure is given",
            checked="read in the survey; not measured here",
        ),
        Evidence(
            claim="40 % smaller, 60 % faster, and 97 % of the teacher's language understanding",
            source="Sanh et al. 2019, abstract",
            setting="BERT-base, distilled while pre-training, which this method does not do",
            checked="read in a summary found by a search; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """On top of the student's passes those of the teacher: training, then one to answer.

        Memory peaks in the teacher's training, with the student's weights beside it.
        """
        deeper = work.full_layers / max(1.0, work.layers)
        passed = BASELINE.epochs * work.examples * work.train_tokens
        layers = work.layer_parameters * work.full_layers
        frozen = max(0.0, 1.0 - work.weight_gradients) * work.layer_matrices * work.full_layers
        teacher = layers + work.embedding_parameters + work.head_parameters
        forward = work.forward_passes + (BASELINE.epochs + 1) * deeper
        backward = work.backward_passes + BASELINE.epochs * deeper
        own = work.backward_passes / backward if backward else 0.0
        return replace(
            work,
            forward_passes=forward,
            backward_passes=backward,
            # of these passes only the student's have adapters and are spared anything
            adapter_parameters=work.adapter_parameters * own,
            spared_flops=work.spared_flops * own,
            spared_pair_flops=work.spared_pair_flops * own,
            # what the student leaves frozen gets gradients in the teacher
            extra_train_flops=work.extra_train_flops + 2.0 * frozen * passed,
            activation_units=work.full_activation_units * deeper,
            mask_units=work.mask_units * deeper,
            pair_numbers=work.pair_numbers * deeper,
            trainable_parameters=max(work.trainable_parameters, teacher),
            optimizer_bytes=TEACHER_BYTES,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .student import fit_student

        fit = partial(
            fit_student,
            fit=training.fit,
            temperature=setting["temperature"],
            alpha=setting["alpha"],
            hidden=setting["hidden"],
        )
        return replace(training, fit=fit)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Distillation()
