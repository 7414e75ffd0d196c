"""The model card that a run leaves in the model's folder."""

from __future__ import annotations

from effauto.planner.plan import Plan
from effauto.quantities import show
from effauto.resources import Figures

_TEXT = """# {title}

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

## Limits

Energy without a counter, carbon and cost are modelled from time; their ranges say how roughly.
Other machines, thread counts, batch sizes and versions give other figures.
"""

_EXAMPLES = {
    "text-classification": '"a text"',
    "language-modeling": '"a text to go on with"',
    "pair-classification": '("one text", "another text")',
    "token-classification": '["A", "list", "of", "words"]',
}


def model_card(plan: Plan, measured: Figures, folder: str = "this folder") -> str:
    """Markdown: what the model is, how to use it, what was foretold and measured."""
    steps = [f"`{step.method}` {_setting(step.setting)}".strip() for step in plan.recipe.steps]
    labels = ", ".join(f"`{label}`" for label in plan.classes[:20])
    return _TEXT.format(
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


def _setting(setting: dict[str, str | int | float | bool]) -> str:
    return ", ".join(f"{knob}={value}" for knob, value in setting.items())


def _row(name: str, foretold: Figures, measured: Figures) -> str:
    figure = measured[name]
    before = show(foretold[name].value, figure.unit) if name in foretold else ""
    spread = f"{show(figure.low, figure.unit)} … {show(figure.high, figure.unit)}"
    note = figure.note.replace("|", "/")
    return f"| {name} | {before} | {show(figure.value, figure.unit)} | {spread} | {note} |"
