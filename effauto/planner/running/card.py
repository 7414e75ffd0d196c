"""The model card that a run leaves in the model's folder."""

from __future__ import annotations

from collections.abc import Iterator

from effauto.model import BAG_OF_WORDS
from effauto.planner.answers.plan import Plan
from effauto.quantities import show
from effauto.resources import QUALITY, Figures

_TEXT = """---
{front}
---

# {title}

Trained by effauto for {kind} on `{task}` (fingerprint `{fingerprint}`, {examples} training
examples, {classes} classes).

- Model: {model}
- Recipe: {recipe}
- Labels: {labels}

## Use

```python
import effauto

model = effauto.load({folder!r})
model.predict([{example}])
```

## Measured

On {hardware}, {threads} threads, after reloading the saved folder in a fresh process. Quality is on
the test split, which neither the search nor the training saw. A range is the middle 80 %.

| | foretold | measured | range | note |
|---|---|---|---|---|
{rows}

## Efficiency

After the climate performance model card of Hershcovich et al. 2022
(https://arxiv.org/abs/2205.05071).

| | |
|---|---|
{efficiency}

## Use it elsewhere

`recipe.json` makes this model again: `effauto run recipe.json --output FOLDER`. `requirements.txt`
has the versions it was made with. {elsewhere}

## Limits

Energy without a counter, carbon and cost are modelled from time; their ranges say how roughly.
Other machines, thread counts, batch sizes and versions give other figures.
"""

_TAGS = {
    "text-classification": "text-classification",
    "pair-classification": "text-classification",
    "token-classification": "token-classification",
    "language-modeling": "text-generation",
    "masked-language-modeling": "fill-mask",
}
_SPENT = {
    "train.time": "Time to train the final model",
    "train.flops": "Operations to train it",
    "train.energy": "Energy to train it",
    "train.carbon": "CO2 equivalent of that",
    "train.memory": "Peak memory of training",
    "inference.latency": "Time of a request",
    "inference.flops": "Operations of a request",
    "model.size": "Size of the folder",
}
_ELSEWHERE = {
    True: """Where the folder has a `config.json` and `model.safetensors`, transformers' `AutoModel`
and `AutoTokenizer` load the body; `model.onnx`, if there is one, runs in onnxruntime alone.""",
    False: """A bag of words is arrays of numbers and a vocabulary, which effauto
reads.""",
}
_EXAMPLES = {
    "text-classification": '"a text"',
    "language-modeling": '"a text to go on with"',
    "masked-language-modeling": '"a text with a <mask> in it"',
    "pair-classification": '("one text", "another text")',
    "token-classification": '["A", "list", "of", "words"]',
}


def model_card(plan: Plan, measured: Figures, folder: str = "this folder") -> str:
    """Markdown: what the model is, how to use it, what was foretold and measured."""
    steps = [f"`{step.method}` {_setting(step.setting)}".strip() for step in plan.recipe.steps]
    labels = ", ".join(f"`{label}`" for label in plan.classes[:20])
    return _TEXT.format(
        front=front_matter(plan, measured),
        efficiency="\n".join(f"| {what} | {value} |" for what, value in efficiency(plan, measured)),
        elsewhere=_ELSEWHERE[plan.model != BAG_OF_WORDS],
        title=f"{plan.model} for {plan.task_name}",
        kind=plan.task.kind,
        task=plan.task_name,
        fingerprint=plan.fingerprint,
        examples=plan.task.examples,
        classes=len(plan.classes),
        model=plan.model,
        recipe="; ".join(steps) or "none: the untouched model, fully fine-tuned",
        labels=labels + (" …" if len(plan.classes) > 20 else ""),
        folder=folder,
        example=_EXAMPLES[plan.task.kind],
        hardware=plan.hardware.name,
        threads=plan.hardware.threads,
        rows="\n".join(_row(name, plan.estimate, measured) for name in sorted(measured)),
    )


def front_matter(plan: Plan, measured: Figures) -> str:
    """What the hub reads of a card, as YAML: kind of task, metric and value on the test split."""
    from huggingface_hub import EvalResult, ModelCardData

    metric = plan.task.metric
    quality = measured[QUALITY + metric].value
    result = EvalResult(
        task_type=_TAGS[plan.task.kind],
        dataset_type=plan.task_name,
        dataset_name=plan.task_name,
        metric_type=metric,
        metric_value=round(quality, 4),
    )
    data = ModelCardData(
        model_name=f"{plan.model} for {plan.task_name}",
        library_name="effauto",
        pipeline_tag=_TAGS[plan.task.kind],
        tags=["effauto", *(step.method for step in plan.recipe.steps)],
        eval_results=[result],
    )
    return str(data.to_yaml()).strip()


def efficiency(plan: Plan, measured: Figures) -> Iterator[tuple[str, str]]:
    """What training and serving take, as far as it was measured; how it was known is said."""
    for name, what in _SPENT.items():
        if name in measured:
            figure = measured[name]
            known = f" ({figure.note})" if figure.note else ""
            yield what, f"{show(figure.value, figure.unit)}{known}".replace("|", "/")
    searched = plan.search
    if searched.get("trials"):
        energy = show(float(searched["energy"]), "joule")
        took = f"{searched['trials']} trials, {show(float(searched['seconds']), 's')}, {energy}"
        yield "All experiments for it", took
    yield "Place", plan.place.country or "not named"
    yield "Carbon intensity", plan.place.note


def _setting(setting: dict[str, str | int | float | bool]) -> str:
    return ", ".join(f"{knob}={value}" for knob, value in setting.items())


def _row(name: str, foretold: Figures, measured: Figures) -> str:
    figure = measured[name]
    before = show(foretold[name].value, figure.unit) if name in foretold else ""
    spread = f"{show(figure.low, figure.unit)} … {show(figure.high, figure.unit)}"
    note = figure.note.replace("|", "/")
    return f"| {name} | {before} | {show(figure.value, figure.unit)} | {spread} | {note} |"
