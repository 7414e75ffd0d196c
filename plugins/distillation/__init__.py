"""Distillation: train the smaller network on what the untouched one, fine-tuned, answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

FLOAT_BYTES = 4.0


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
        """Before the student its teacher: the untouched model's training, then a pass to ask it.

        The student's weights are there meanwhile, as trained numbers of float32.
        """
        teacher = work.loaded()
        if work.train_tokens < work.longest_tokens:  # rows are grouped, then, for the teacher too
            teacher = teacher.by_length()
        student = FLOAT_BYTES * (work.parameters + work.adapter_parameters)
        taught = replace(teacher, beside_bytes=student)
        asked = replace(work.loaded().read_once(), beside_bytes=student)
        return work.after(taught, asked)

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
