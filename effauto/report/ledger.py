"""The ledger in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from effauto.cost.account import PHASES, Account, Spent
from effauto.cost.breakeven import BreakEven, Volume
from effauto.cost.ledger import Ledger
from effauto.quantities import show

_CALLED = {"tune": "tune: effauto itself", "infer": "infer: one request"}


def summary(ledger: Ledger) -> Iterator[str]:
    """A few sentences: the factors, and from where the plan pays."""
    if ledger.plan.name != ledger.baseline.name:
        yield f"Beside {ledger.baseline.name}: {_factors(ledger)}."
    charged = [found for found in ledger.break_even if found.searched] or ledger.break_even
    for found in charged[:1] if ledger.volume is None else charged:
        yield f"{found.sentence}{_after(found, ledger.volume)}."
    if ledger.volume is not None:
        yield f"{_monthly(ledger, ledger.volume)}."


def print_ledger(ledger: Ledger, console: Console) -> None:
    """Print the accounts phase by phase, the factors, the target and where the plan pays."""
    console.print(_phases(ledger))
    for account in dict.fromkeys((ledger.plan.name, ledger.baseline.name)):
        console.print(Text(_equation(ledger, account)))
    for sentence in _target(ledger):
        console.print(Text(sentence))
    for found in ledger.break_even:
        console.print(Text(f"{found.sentence}{_after(found, ledger.volume)}."))


def _factors(ledger: Ledger) -> str:
    named = [f"{name} ×{ledger.ratios[name]:.2g}" for name in ("E", "D", "H")]
    return f"{', '.join(named)}; in all ×{ledger.ratios['total']:.2g} of its training time"


def _phases(ledger: Ledger) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = ["Time", "Energy", "Operations", *([ledger.currency] if ledger.currency else [])]
    table.add_column("Phase", overflow="fold")
    for column in [*columns, "Untouched", "Energy"]:
        table.add_column(column, justify="right")
    for phase in PHASES:
        ours, theirs = ledger.plan.phases[phase], ledger.baseline.phases[phase]
        if ours != Spent() or theirs != Spent():
            cells = [*_cells(ours, ledger.currency), *_cells(theirs, "")[:2]]
            table.add_row(_CALLED.get(phase, phase), *cells)
    return table


def _cells(spent: Spent, currency: str) -> list[str]:
    cells = [
        show(spent.seconds, "s"),
        show(spent.joules, "joule"),
        show(spent.flops, "1"),
    ]
    return [*cells, f"{spent.money:.3g}"] if currency else cells


def _equation(ledger: Ledger, name: str) -> str:
    account: Account = ledger.plan if name == ledger.plan.name else ledger.baseline
    tokens = show(account.token_passes, "1")
    return (
        f"{name}: E {show(account.example.seconds, 's')} an example and pass, "
        f"D {show(account.examples, '1')} examples passed ({tokens} tokens), "
        f"H {account.runs:.3g} full runs"
    )


def _target(ledger: Ledger) -> Iterator[str]:
    target = ledger.target
    if target is None:
        return
    what = f"the quality of {target.quality:.3f} ({target.of})"
    if not target.reached:
        yield f"Nothing here is foretold to reach {what}."
    for reached in target.reached[:3]:
        took, used = reached.training.seconds, reached.training.joules
        yield f"{reached.name} reaches {what} for {show(took, 's')}, {show(used, 'joule')}."


def _after(found: BreakEven, volume: Volume | None) -> str:
    if volume is None or found.pays in ("always", "never"):
        return ""
    return f", which is after {show(volume.days(found) * 86400.0, 's')}"


def _monthly(ledger: Ledger, volume: Volume) -> str:
    money = volume.money + volume.storage
    return volume.sentence + (f", {money:.3g} {ledger.currency}" if ledger.currency else "")
