"""The program in docs/planner.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "planner.md"


def test_the_example_of_the_search_alone_finds_a_front(capsys):
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec(program, {})
    lines = capsys.readouterr().out.splitlines()
    assert {"small", "large"} == {word for word in ("small", "large") if word in "".join(lines)}
    assert len(lines) >= 2
