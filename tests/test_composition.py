"""A fixed sample of what ``benchmarks/composition.py`` runs: verdicts against what happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "composition.py"
PAIRS, TRIPLES, FORCED = 8, 6, 6


@pytest.mark.slow
def test_what_is_legal_runs_and_what_is_refused_does_not(tiny_model, tmp_path):
    results = tmp_path / "results.jsonl"
    sample = ["--pairs", PAIRS, "--triples", TRIPLES, "--forced", FORCED, "--workers", 2]
    places = ["--model", tiny_model, "--bench", tmp_path / "bench", "--results", results]
    asked = [sys.executable, SCRIPT, *sample, *places]
    ended = subprocess.run(
        [*map(str, asked)], capture_output=True, text=True, timeout=900, check=False
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert sum(bool(row["refused"]) for row in rows) == FORCED
    assert sum(len(row["methods"]) == 3 for row in rows) == TRIPLES
