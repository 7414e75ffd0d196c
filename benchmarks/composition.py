"""Run combinations of methods end to end, and compare what happens with effauto's verdict.

    python benchmarks/composition.py [--triples 500] [--forced 200] [--workers 2] [--model FOLDER]

Every pair of the methods that run here, and a random sample of triples, on a three-layer copy of
the model and 64 rows of the built-in demo's text. What is legal must train, save, reload in a
fresh process and predict. Of what is refused a sample is forced: it must fail, or be useless,
that is, cost no less in any figure than one of the two methods alone, or than the untouched model.
Each result is a line of ``benchmarks/measured/composition.jsonl``; one that is there is not made
again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from composition_cases import Bench, Case
from composition_runs import run_all
from composition_tables import broken, document, wrongly_refused

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured" / "composition.jsonl"
DOCUMENT = HERE.parent / "docs" / "composition.md"


def main() -> None:
    """Run what is missing, then write the document; the exit code is 1 if a verdict was wrong."""
    arguments = _arguments()
    if not arguments.only_write:
        with tempfile.TemporaryDirectory(prefix="effauto-composition-") as scratch:
            bench = Bench.at(arguments.bench or Path(scratch, "bench"), arguments.model)
            _measure(bench, arguments, Path(scratch))
    rows = read(arguments.results)
    report = "\n".join(document(rows)) + "\n"
    if arguments.results == MEASURED:
        DOCUMENT.write_text(report, encoding="utf-8")
    print(report)
    if broken(rows) or wrongly_refused(rows):
        raise SystemExit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, help="only so many of the pairs")
    parser.add_argument("--triples", type=int, default=500)
    parser.add_argument("--forced", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="minilm", help="a name or a folder")
    parser.add_argument("--bench", type=Path, help="keep the model's copy and the tasks here")
    parser.add_argument("--results", type=Path, default=MEASURED)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin nothing after so long")
    parser.add_argument("--only-write", action="store_true")
    return parser.parse_args()


def _measure(bench: Bench, arguments: argparse.Namespace, scratch: Path) -> None:
    started = time.monotonic()
    done = {row["key"] for row in read(arguments.results)}
    todo = [case for case in _cases(bench, arguments) if case.key not in done]
    print(f"{len(todo)} cases to run", file=sys.stderr)
    for number, row in enumerate(
        run_all(bench, todo, arguments.workers, scratch, started + 60 * arguments.minutes), start=1
    ):
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        failed = "error" in row and not row["refused"]
        if number % 50 == 0 or failed:
            told = row["error"] if failed else ""
            spent = time.monotonic() - started
            print(f"{number}/{len(todo)} {spent:.0f} s {row['key']} {told}", file=sys.stderr)


def _cases(bench: Bench, arguments: argparse.Namespace) -> list[Case]:
    """What is legal, and refused pairs; those alone first, since the forced are compared with them.

    Of a sample of the pairs, only what it is compared with is run alone.
    """
    pairs = bench.pairs()[: arguments.pairs]
    triples = islice((c for c in bench.triples() if not c.refused), arguments.triples)
    forced = [case for case in bench.pairs() if case.refused][: arguments.forced]
    alone = [case for case in bench.singles() if not case.refused]
    if arguments.pairs is not None:
        compared = {name for case in forced for name in case.names}
        alone = [case for case in alone if compared.issuperset(case.names)]
    settings = {c.key: c for pair in forced for c in bench.at_each_others_settings(pair)}
    alone += settings.values()
    alone += [Case((), kind) for kind in dict.fromkeys(case.kind for case in forced)]
    return [*alone, *(case for case in pairs if not case.refused), *forced, *triples]


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of results; a last line that was cut off is left out.

    Of a case that was refused once and is legal now, or the other way round, the later row counts.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines[:-1]]
    return list({row["key"].rstrip("!"): row for row in rows}.values())


if __name__ == "__main__":
    main()
