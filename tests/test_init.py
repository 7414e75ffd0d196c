"""``effauto init``: answers are checked as they are given; the command that it writes works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from effauto.cli import main


def asked(*answers: str, output: Path | None = None) -> str:
    more = ["--output", str(output)] if output else []
    found = CliRunner().invoke(main, ["init", *more], input="\n".join(answers) + "\n")
    assert found.exit_code == 0, found.output
    return found.output


def test_five_answers_make_a_command_that_works(tmp_path: Path) -> None:
    data = tmp_path / "my rows.csv"
    rows = (f"{'good' if n % 2 else 'bad'} word {n},{n % 2}" for n in range(120))
    data.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    written = tmp_path / "command.sh"
    said = asked(str(data), "1MiB", "", "10min", "0", output=written)
    command = said.splitlines()[-1]
    assert written.read_text(encoding="utf-8") == f"{command}\n"
    words = shlex.split(command)
    assert words[:3] == ["effauto", "plan", str(data)]
    assert "model.size<=1MiB" in words
    assert "train.time<=10min" in words
    with CliRunner().isolated_filesystem(tmp_path):
        found = CliRunner().invoke(main, [*words[1:], "--model", "bag-of-words"])
        assert found.exit_code == 0, found.output
        assert Path("plan.json").is_file()


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        (("no/such/file", "", "", "", "", "0"), "there is no file or folder 'no/such/file'"),
        (("", "large", "", "", "", "0"), "model.size"),
        (("", "", "", "", "soon", "0"), "soon"),
    ],
)
def test_what_cannot_be_used_is_asked_again(answers: tuple[str, ...], complaint: str) -> None:
    said = asked(*answers)
    assert complaint in said
    assert said.splitlines()[-1] == "effauto plan --search-time 0 --output plan.json"
