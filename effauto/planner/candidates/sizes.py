"""Which sizes of model to train from scratch: those that the budget can train well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from effauto.cost import estimate
from effauto.machine import Hardware
from effauto.model import ModelSource, find_model
from effauto.model.scratch import SIZES, make_models
from effauto.planner.knowledge.scaling import law_loss
from effauto.task import Task
from effauto.workload import BASELINE, Workload

# Sizes offered on either side of the best.
BESIDE = 1


def sources(task: Task, hardware: Hardware, seconds: float) -> Mapping[str, ModelSource]:
    """Models to choose among, the one foretold to be best first; ``seconds`` is for one training.

    By the law of Hoffmann et al. 2022 for what each size can read in that time on this machine.
    The smallest is always there: what is learnt of it holds for the others (effauto.transfer).
    """
    names = list(make_models(task.tokenizer, BASELINE.max_tokens, SIZES))
    found = {name: find_model(name) for name in names}
    losses = [_loss(task, source, hardware, seconds) for source in found.values()]
    best = losses.index(min(losses))
    near = range(max(0, best - BESIDE), min(len(names), best + BESIDE + 1))
    places = [best, *(place for place in sorted({0, *near}) if place != best)]
    return {names[place]: found[names[place]] for place in places}


def _loss(task: Task, source: ModelSource, hardware: Hardware, seconds: float) -> float:
    """What the law foretells for as many passes over the text as fit into so many seconds."""
    work = Workload.untouched(task.traits, source.traits)
    passes = work.backward_passes * seconds / estimate(work, hardware)["train.time"].value
    return law_loss(replace(work, backward_passes=passes))
