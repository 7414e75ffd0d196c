"""The command line answers fast, on stdout only, and shows errors as sentences."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest
from sample_plugins import GOOD

HEAVY = {"torch", "transformers", "smac", "sklearn", "scipy", "pandas", "sqlalchemy", "networkx"}
HEAVY |= {"pint", "ConfigSpace", "rich.markdown"}


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "list"], ["plugins", "--help"]])
def test_imports_nothing_heavy(arguments):
    program = (
        "import sys; from effauto.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stderr.strip() == ""


@pytest.mark.timing
@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "list"]])
def test_answers_within_half_a_second_of_cpu(arguments):
    assert min(_cpu_seconds(arguments) for _ in range(3)) < 0.5


def _cpu_seconds(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "effauto", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_exit_codes_of_errors_are_their_own(write, cli):
    folder = write(
        fails="@hookimpl\ndef register_commands(cli):\n"
        "    from effauto.errors import Infeasible\n"
        "    @cli.command('tight')\n    def tight(): raise Infeasible('nothing fits')\n"
        "    @cli.command('stopped')\n    def stopped(): raise KeyboardInterrupt\n"
        "    @cli.command('three')\n    def three(): return 3\n"
        "    @cli.command('bug')\n    def bug(): 1 / 0\n"
    )
    tight = cli("--plugins-dir", folder, "tight")
    assert (tight.exit_code, tight.stdout, tight.stderr) == (3, "", "Error: nothing fits\n")
    stopped = cli("--plugins-dir", folder, "stopped")
    assert (stopped.exit_code, stopped.stdout) == (130, "")
    assert cli("--plugins-dir", folder, "three").exit_code == 3
    assert isinstance(cli("--plugins-dir", folder, "bug").exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["--nonsense"], ["plugins", "list", "--format", "xml"], ["methods", "show"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_no_traceback(cli, arguments):
    result = cli(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_a_reader_that_leaves_early_is_no_error():
    run = subprocess.run(
        f"{sys.executable} -m effauto methods list --format json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in run.stderr


def test_a_reader_that_leaves_early_costs_no_plan(tmp_path):
    saved = tmp_path / "plan.json"
    asked = [sys.executable, "-m", "effauto", "plan", "--model", "bag-of-words"]
    asked += ["--search-time", "0", "--db", str(tmp_path / "x.db"), "--output", str(saved)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        run.stdout.close()
        assert "Traceback" not in run.stderr.read()
    assert json.loads(saved.read_text())["effauto_plan"]


def test_tables_fit_80_columns(write, cli):
    folder = write(good=GOOD.replace("A method.", "x" * 80))
    for arguments in (["plugins", "list"], ["methods", "list"], ["methods", "show", "good"]):
        shown = cli("--plugins-dir", folder, *arguments)
        assert shown.exit_code == 0
        assert max(map(len, shown.stdout.splitlines())) <= 80
        assert "\x1b" not in shown.stdout


def test_methods_say_why_they_cannot_run_here(write, cli):
    folder = write(
        good=GOOD,
        other=GOOD.replace("good", "other").replace(
            "\n\n", "\n    needs = Needs(packages={'a_library_nobody_has': 'dream'})\n\n"
        ),
    )
    listed = cli("--plugins-dir", folder, "methods", "list", "--format", "json")
    by_name = {entry["method"]: entry for entry in json.loads(listed.stdout)}
    assert by_name["good"]["runs_here"] is True
    assert by_name["other"]["runs_here"] is False
    assert by_name["other"]["reason"].endswith("pip install 'effauto[dream]'")


def test_a_method_is_shown_with_its_knobs_and_its_card(write, cli):
    folder = write(good=GOOD.replace("\n\n", "\n    knobs = {'depth': Int(1, 6, default=2)}\n\n"))
    (folder / "README.md").write_text("# A card\nIt helps [sometimes].")
    shown = cli("--plugins-dir", folder, "methods", "show", "good")
    assert "1 … 6" in shown.stdout
    assert "It helps [sometimes]." in shown.stdout
    found = json.loads(
        cli("--plugins-dir", folder, "methods", "show", "good", "--format", "json").stdout
    )
    assert found["knobs"]["depth"] == {
        "kind": "int",
        "low": 1,
        "high": 6,
        "default": 2,
        "log": False,
    }


def test_a_misspelt_method_gets_a_suggestion(write, cli):
    result = cli("--plugins-dir", write(good=GOOD), "methods", "show", "godo")
    assert result.exit_code == 2
    assert "did you mean good?" in result.stderr
