"""One broken plugin never takes another, or the command line, with it."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest
from sample_plugins import GOOD, PROLOGUE

from effauto import bundled
from effauto.errors import InputError, PluginError
from effauto.plugins import Candidate, Plugins, find_in_folder, guarded, load_plugins
from effauto.plugins.find import find_bundled

OTHER = GOOD.replace("good", "other")
MACHINE = "@hookimpl\ndef register_hardware(): yield "

BROKEN = {
    "cannot_import": "import a_library_nobody_has",
    "syntax_error": "def f(:",
    "exits": "import sys; sys.exit('no gpu')",
    "unknown_hook": OTHER + "@hookimpl\ndef register_nonsense(): ...",
    "unknown_argument": OTHER + "@hookimpl\ndef register_commands(cli, x): ...",
    "fails_half_way": OTHER + "    raise RuntimeError('half way')",
    "not_a_method": "@hookimpl\ndef register_methods(): return ['a string']",
    "not_even_a_list": "@hookimpl\ndef register_methods(): return 7",
    "same_name": GOOD,
    "two_hooks_fail": "def f(): raise ValueError\n"
    "a = hookimpl(specname='register_methods')(lambda: f())\n"
    "b = hookimpl(specname='register_methods')(lambda: f())",
    "bad_declaration": "class Bad(Method): name = 'Not Kebab'",
    "wrong_signature": OTHER.replace("\n\n", "\n    def cost(self, work): return work\n\n"),
    "offers_nothing": "x = 1",
    "forgot_hookimpl": OTHER.replace("@hookimpl", ""),
    "exits_in_hook": "@hookimpl\ndef register_methods(): raise SystemExit(3)",
    "no_message": "class E(Exception):\n    def __str__(self): raise self\nraise E",
    "steals_a_command": "@hookimpl\ndef register_commands(cli): cli.command('plan')(lambda: None)",
    "bad_hardware": MACHINE + "'a machine'",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_only_the_broken_plugin_is_off(write, cli, source):
    folder = write(a_good=GOOD, z_broken=source)
    listed = cli("--plugins-dir", folder, "plugins", "list", "--format", "json")
    assert listed.exit_code == 0
    status = {entry["plugin"]: entry for entry in json.loads(listed.stdout)}
    assert status["a_good"]["status"] == "ok"
    assert status["a_good"]["methods"] == ["good"]
    assert status["z_broken"]["status"] == "broken"
    assert status["z_broken"]["reason"]
    assert "Warning: plugin z_broken" in listed.stderr
    assert "Traceback" not in listed.output


def test_a_reason_says_what_and_where(load):
    plugins = load(broken="\n\nimport a_library_nobody_has")
    assert [broken.reason for broken in plugins.broken] == [
        "ModuleNotFoundError: No module named 'a_library_nobody_has' (broken.py, line 4)"
    ]


def test_a_forgotten_hookimpl_is_named(load):
    (broken,) = load(broken=BROKEN["forgot_hookimpl"]).broken
    assert broken.reason == "register_methods lacks @hookimpl in front, so effauto does not call it"


def test_the_earlier_plugin_keeps_its_name(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, source in ((first, GOOD), (second, OTHER)):
        folder.mkdir()
        (folder / "same.py").write_text(PROLOGUE + source)
    plugins = load_plugins([first, second])
    assert plugins.origin_of("good") == str(first / "same.py")
    assert "other" not in plugins.methods()
    assert str(first / "same.py") in plugins.broken[0].reason


def test_two_packages_of_one_name_keep_their_own_modules(tmp_path):
    for number in ("1", "2"):
        package = tmp_path / number / "same"
        package.mkdir(parents=True)
        (package / "number.py").write_text(f"NUMBER = {number}")
        (package / "__init__.py").write_text("from .number import NUMBER\n")
    loaded = [next(find_in_folder(tmp_path / number)).load() for number in ("1", "2")]
    assert [module.NUMBER for module in loaded] == [1, 2]


def test_a_folder_may_itself_be_a_plugin_and_import_its_own_files_late(tmp_path):
    package = tmp_path / "alone"
    package.mkdir()
    (package / "words.py").write_text("SUMMARY = 'from words'")
    (package / "__init__.py").write_text(
        PROLOGUE
        + GOOD.replace("yield", "from .words import SUMMARY\n    assert SUMMARY\n    yield")
    )
    assert list(Plugins(find_in_folder(package)).methods()) == ["good"]


def test_folders_come_from_the_environment_too(write, monkeypatch, tmp_path):
    folder = write(good=GOOD)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("EFFAUTO_PLUGINS_DIR", f"{folder}{os.pathsep}{other}")
    plugins = load_plugins([folder])
    assert plugins.folders == (folder, other)
    assert plugins.origin_of("good") == str(folder / "good.py")
    assert plugins.distribution_version("good") == ""


def test_a_missing_folder_is_a_sentence(monkeypatch, cli):
    monkeypatch.setenv("EFFAUTO_PLUGINS_DIR", "/nowhere/at/all")
    with pytest.raises(InputError, match="/nowhere/at/all"):
        load_plugins()
    result = cli("plugins", "list")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: cannot look for plugins in /nowhere/at/all")


def test_a_blocked_plugin_is_left_out(write, monkeypatch):
    monkeypatch.setenv("EFFAUTO_BLOCK_PLUGINS", "bad,good")
    assert "good" not in load_plugins([write(good=GOOD)]).methods()


def test_strict_raises_what_the_plugin_raised(write, monkeypatch):
    monkeypatch.setenv("EFFAUTO_STRICT_PLUGINS", "1")
    with pytest.raises(ModuleNotFoundError, match="a_library_nobody_has"):
        load_plugins([write(broken=BROKEN["cannot_import"])])


def test_what_a_later_failure_takes_away(load):
    plugins = load(good=GOOD + MACHINE + "1 / 0", other=OTHER)
    assert list(plugins.methods()) == ["good", "other"]
    plugins.hardware()
    assert list(plugins.methods()) == ["other"]


def test_an_installed_distribution_is_found(tmp_path, monkeypatch):
    info = tmp_path / "sleepy-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sleepy\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[effauto]\nsleep = sleepy_module\ngone = not_there\n")
    (tmp_path / "sleepy_module.py").write_text(PROLOGUE + GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    plugins = load_plugins()
    assert plugins.origin_of("good") == "sleepy 1.2"
    assert plugins.distribution_version("good") == "1.2"
    assert [broken.name for broken in plugins.broken] == ["gone"]


def test_the_same_object_twice_is_refused():
    class Nothing:
        """Has no hooks."""

    plugins = Plugins([Candidate("nothing", "here", "", Nothing)])
    assert plugins.broken[0].reason == "it implements none of effauto's hooks"


def test_a_failing_answer_names_the_method(load):
    method = load(good=GOOD).methods()["good"]
    with pytest.raises(PluginError, match="good failed: ZeroDivisionError"):
        guarded(method, lambda x: x / 0, 1)
    assert guarded(method, method.fits, None, None)


def test_a_plugin_adds_commands_and_one_that_steals_adds_none(write, cli):
    folder = write(
        adds="@hookimpl\ndef register_commands(cli):\n"
        "    @cli.command('hello')\n    def hello():\n        'Say hello.'\n        print('hi')\n",
        steals="@hookimpl\ndef register_commands(cli):\n"
        "    cli.command('innocent')(lambda: None)\n    cli.command('hello')(lambda: None)\n",
    )
    for _ in range(2):  # nothing is left over from an earlier run in the same process
        assert cli("--plugins-dir", folder, "hello").stdout == "hi\n"
        help_text = cli("--plugins-dir", folder, "--help")
        assert "Say hello." in help_text.stdout
        assert "innocent" not in help_text.stdout
        assert "there is already a command named 'hello'" in help_text.stderr


def test_every_bundled_plugin_loads():
    found = list(find_bundled())
    loaded = Plugins(found, strict=True)
    assert [*loaded.origins] == [candidate.name for candidate in found]
    assert len(loaded.methods()) + len(loaded._listeners) >= len(found)


def test_bundled_plugins_import_nothing_of_effauto_but_its_public_names():
    folders = [Path(folder) for folder in bundled.__path__]
    for path in (path for folder in folders for path in folder.glob("*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("effauto") for alias in node.names), path
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert not (node.module or "").startswith("effauto."), path
