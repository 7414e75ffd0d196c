"""Near-duplicate removal: train on rows that say something new. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from effauto import Evidence, Float, Int, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Examples

# Single-core seconds, fitted to this code: a row's sketch, and a word piece's shingles in it.
ROW_SECONDS = 1.5e-4
TOKEN_SECONDS = 1.2e-6


class NearDedup(Method):
    name = "near-dedup"
    summary = "Drop repeated and nearly repeated training rows."
    stage = "data"
    before = ("subset", "filter")
    needs = Needs(packages={"datasketch": "dedup"})
    knobs = {
        "threshold": Float(0.5, 1.0, default=0.8),
        "shingle": Int(2, 9, default=5),
    }
    references = (
        "Broder 1997, On the resemblance and containment of documents, "
        "https://doi.org/10.1109/SEQUEN.1997.666900",
        "Lee, Ippolito, Nystrom, Zhang, Eck, Callison-Burch and Carlini 2022, Deduplicating "
        "training data makes language models better, https://arxiv.org/abs/2107.06499",
    )
    evidence = (
        Evidence(
            claim="memorised text is emitted about ten times less often",
            source="Lee et al. 2022",
            setting="language models pre-trained on deduplicated corpora",
            checked="read in the abstract",
        ),
        Evidence(
            claim="over 4 % of standard validation sets overlapped with the training text",
            source="Lee et al. 2022",
            setting="common language-modelling corpora",
            checked="read in the abstract",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Hashing is paid; how many rows go is known only once it is done, so none are foretold."""
        row = ROW_SECONDS + TOKEN_SECONDS * work.request_tokens
        return replace(work, host_seconds=work.host_seconds + work.examples * row)

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from .duplicates import distinct_rows

        return data.select(distinct_rows(data, setting["threshold"], setting["shingle"]))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield NearDedup()


@hookimpl
def register_commands(cli: Any) -> None:
    from .leaks import leaks

    cli.add_command(leaks)
