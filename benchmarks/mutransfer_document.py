"""Write ``docs/mutransfer.md`` and its pictures from what ``mutransfer.py`` measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
TITLES = {"mup": "maximal update", "sp": "standard"}
# What texts are called, and what is in the name of their picture.
TEXTS = {
    "tinyshakespeare": ("tiny Shakespeare", ""),
    "wikitext2_small": ("Wikipedia's articles", "-wikitext"),
}
FIRST = next(iter(TEXTS))
Rows = Sequence[dict[str, Any]]


def text_of(row: dict[str, Any]) -> str:
    """The folder of the text; the first lines did not say."""
    return str(row.get("text", FIRST))


def write(runs: Rows, coordinates: dict[str, Any]) -> None:
    """The page, and its pictures where matplotlib is there."""
    page = "\n".join(_page(runs, coordinates)).rstrip()
    (DOCS / "mutransfer.md").write_text(f"{page}\n", "utf-8")
    draw(runs, coordinates)


def _page(runs: Rows, coordinates: dict[str, Any]) -> Iterator[str]:
    yield "# μTransfer, measured"
    yield ""
    yield "Written by `python benchmarks/mutransfer.py`: a two-layer Llama on the characters of"
    yield "a text, in standard practice and in the maximal-update parametrisation"
    yield "(`effauto.transfer`), with AdamW, on one thread of a CPU."
    yield ""
    yield "## Coordinate check"
    yield ""
    yield from _coordinates(coordinates)
    for text, (title, suffix) in TEXTS.items():
        ours = [row for row in runs if text_of(row) == text]
        if ours:
            yield f"## The best learning rate by width: {title}"
            yield ""
            yield from _sweep(ours, suffix)
            yield f"## The bill: {title}"
            yield ""
            yield from _bill(ours)
            yield ""


def _coordinates(found: dict[str, Any]) -> Iterator[str]:
    widths = ", ".join(map(str, found["widths"]))
    yield "How much activations change in the first four steps, as the slope of its logarithm over"
    yield f"that of the width ({widths}; four seeds): 0 says that the width does not matter."
    yield ""
    yield "![coordinate check](pictures/mutransfer-coordinates.svg)"
    yield ""
    yield "| part | maximal update | standard |"
    yield "| --- | --- | --- |"
    for part, slope in found["mup"]["slopes"].items():
        yield f"| {part} | {slope:+.3f} | {found['sp']['slopes'][part]:+.3f} |"
    steepest = {k: max(map(abs, found[k]["slopes"].values())) for k in ("mup", "sp")}
    yield f"| steepest | {steepest['mup']:.3f} | {steepest['sp']:.3f} |"
    yield ""


def _sweep(runs: Rows, suffix: str) -> Iterator[str]:
    yield "Held-out loss in nats a character, the mean over seeds at the best rate, and how far"
    yield "that rate lies from the narrowest model's, in steps of a factor of two."
    yield ""
    yield f"![sweeps](pictures/mutransfer-sweep{suffix}.svg)"
    yield ""
    yield "| parametrisation | width | seeds | best rate | moved by | loss | spread |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for kind, title in TITLES.items():
        narrow = None
        for width in _widths(runs):
            means = mean_losses(runs, kind, width)
            if not means:
                continue
            rate = min(means, key=lambda rate: means[rate])
            narrow = narrow or rate
            losses = _losses(runs, kind, width, rate)
            spread = f"{stdev(losses):.3f}" if len(losses) > 1 else "–"
            yield (
                f"| {title} | {width} | {len(losses)} | 2^{math.log2(rate):.0f} "
                f"| {round(math.log2(rate / narrow)):+d} | {means[rate]:.3f} | {spread} |"
            )
    yield ""


def _bill(runs: Rows) -> Iterator[str]:
    narrow, wide = min(_widths(runs)), max(_widths(runs))
    yield f"Ways to train the model that is {wide} wide, with the same number of trials for the"
    yield "learning rate, each with one seed: the loss that is reached, the operations of all"
    yield "trainings together, the mean and the spread over the seeds."
    yield ""
    yield "| way | loss | spread | operations |"
    yield "| --- | --- | --- | --- |"
    ways = (
        (f"tuned {narrow} wide, transferred by maximal update", "mup", narrow),
        (f"tuned {wide} wide, in standard practice", "sp", wide),
        (f"tuned {wide} wide, by maximal update", "mup", wide),
        (f"tuned {narrow} wide in standard practice, rate kept", "sp", narrow),
    )
    for title, kind, tuned in ways:
        found = [_spent(runs, kind, tuned, wide, seed) for seed in _seeds(runs)]
        known = [pair for pair in found if pair is not None]
        if known:
            losses = [loss for loss, _ in known]
            spread = f"{stdev(losses):.3f}" if len(losses) > 1 else "–"
            spent = fmean(flops for _, flops in known) / 1e12
            yield f"| {title} | {fmean(losses):.3f} | {spread} | {spent:.1f} TFLOP |"


def _spent(runs: Rows, kind: str, tuned: int, wide: int, seed: int) -> tuple[float, float] | None:
    """The loss of the wide model with the rate tuned elsewhere, and all operations for it."""
    tried = [r for r in runs if (r["kind"], r["width"], r["seed"]) == (kind, tuned, seed)]
    learned = [row for row in tried if row["loss"] is not None]
    if not learned:
        return None
    rate = min(learned, key=lambda row: row["loss"])["rate"]
    last = [
        row
        for row in runs
        if (row["kind"], row["width"], row["seed"], row["rate"]) == (kind, wide, seed, rate)
    ]
    if not last or last[0]["loss"] is None:
        return None
    flops = sum(row["flops"] for row in tried)
    return last[0]["loss"], flops if tuned == wide else flops + last[0]["flops"]


def mean_losses(runs: Rows, kind: str, width: int) -> dict[float, float]:
    """By learning rate, where every seed learned."""
    seeds = len(_seeds(runs))
    found = {rate: _losses(runs, kind, width, rate) for rate in sorted({r["rate"] for r in runs})}
    return {rate: fmean(losses) for rate, losses in found.items() if len(losses) == seeds}


def _losses(runs: Rows, kind: str, width: int, rate: float) -> list[float]:
    here = (kind, width, rate)
    rows = [row for row in runs if (row["kind"], row["width"], row["rate"]) == here]
    return [row["loss"] for row in rows if row["loss"] is not None]


def _widths(runs: Rows) -> list[int]:
    return sorted({row["width"] for row in runs})


def _seeds(runs: Rows) -> list[int]:
    return sorted({row["seed"] for row in runs})


def draw(runs: Rows, coordinates: dict[str, Any]) -> None:
    """Pictures of two panels each: maximal update beside standard practice."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "effauto"
    from matplotlib import pyplot

    def panels(name: str, fill: Any) -> None:
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
        for panel, (kind, title) in zip(axes, TITLES.items(), strict=True):
            fill(panel, kind)
            panel.set_title(title)
            panel.set_xscale("log", base=2)
        axes[0].legend(fontsize=7)
        figure.tight_layout()
        path = DOCS / "pictures" / f"mutransfer-{name}.svg"
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)

    def changes(panel: Any, kind: str) -> None:
        for part, values in coordinates[kind]["changes"].items():
            panel.plot(coordinates["widths"], values, marker="o", label=part)
        panel.set_yscale("log")
        panel.set_xlabel("width")
        panel.set_ylabel("mean change of activations")

    def sweeps(panel: Any, kind: str, ours: Rows) -> None:
        for width in _widths(ours):
            means = mean_losses(ours, kind, width)
            panel.plot(list(means), list(means.values()), marker="o", label=f"{width} wide")
        panel.set_xlabel("learning rate")
        panel.set_ylabel("held-out loss, nats a character")

    panels("coordinates", changes)
    for text, (_, suffix) in TEXTS.items():
        ours = [row for row in runs if text_of(row) == text]
        if ours:
            panels(f"sweep{suffix}", partial(sweeps, ours=ours))
