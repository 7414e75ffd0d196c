"""Replaced-token detection: tell what a small model has filled in. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training


class ReplacedTokenDetection(Method):
    name = "replaced-token-detection"
    summary = "Learn from every piece: has a small generator replaced it? (ELECTRA)"
    stage = "pretrain"
    slot = "objective"
    requires = frozenset({"transformer", "from_scratch", "encoder", "gradient_training"})
    after = ("adaptation", "stopping")
    knobs = {
        "generator": Float(0.2, 0.6, default=0.25),
        "ending": Float(0.05, 0.5, default=0.2),
    }
    references = (
        "Clark et al. 2020, ELECTRA: Pre-training Text Encoders as Discriminators Rather Than "
        "Generators, https://arxiv.org/abs/2003.10555",
    )
    evidence = (
        Evidence(
            claim="a small model trained on one GPU for four days outperforms GPT, which took 30 "
            "times more compute, on GLUE",
            source="Clark et al. 2020, abstract",
            setting="ELECTRA-Small: 14 million parameters, fine-tuned",
            checked="recalled from the abstract; judged by fine-tuning, not as a language model",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The generator's training comes on top; the vocabulary is answered in the end only."""
        heads, ending = max(1, round(work.heads)), setting["ending"]
        share = kept_heads(heads, setting["generator"]) / heads
        tokens = work.examples * work.train_tokens
        a_pass = 2.0 * work.layer_matrices * work.layers * share**2
        crossing = 4.0 * work.attention_width * work.layers * share * work.met(work.train_tokens)
        answers = 2.0 * work.head_parameters * work.asked * share
        passes = (1.0 - ending) * work.backward_passes
        forward_and_back = 3.0 * (a_pass + answers) + (1.0 + work.attention_backward) * crossing
        generator = (
            work.layers * work.layer_parameters * share**2
            + (work.embedding_parameters + work.head_parameters) * share
        )
        return replace(
            work,
            asked=work.asked * ending,
            extra_train_flops=work.extra_train_flops + tokens * passes * forward_and_back,
            trainable_parameters=work.trainable_parameters + generator,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .contest import fit_contest

        fit = partial(
            fit_contest, fit=training.fit, share=setting["generator"], ending=setting["ending"]
        )
        return replace(training, fit=fit)


def kept_heads(heads: int, share: float) -> int:
    """Of so many heads those that the generator has."""
    return max(1, round(share * heads))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield ReplacedTokenDetection()
