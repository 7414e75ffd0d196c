"""The conformance kit passes what keeps the contract and names what breaks it."""

from __future__ import annotations

import json
import time

import pytest
from sample_plugins import GOOD

from effauto.checks import CHECKS, checks_for, run_checks
from effauto.checks.declaration import CARD_HEADINGS
from effauto.checks.examine import examine
from effauto.checks.samples import MODELS
from effauto.checks.tiny import tiny_text
from effauto.errors import ModelError
from effauto.model.scratch import Size, write_untrained
from effauto.plugins import find_in_folder, load_plugins
from effauto.traits import PLAIN_TEXT

BUNDLED = [
    pytest.param(check, marks=[pytest.mark.slow] if check.name == "runs-end-to-end" else [])
    for method in load_plugins().methods().values()
    for check in checks_for(method)
]

CARD = "# Good\n" + "".join(f"## {heading}\nSomething on `share`.\n" for heading in CARD_HEADINGS)
HEALTHY = """
from dataclasses import replace

class Good(Method):
    name, summary, stage = "good", "A method.", "data"
    references = ("Somebody 2020",)
    knobs = {"share": Float(0.1, 1.0, default=0.5), "depth": Int(1, 3, default=1)}

    def cost(self, work, setting):
        return replace(work, examples=work.examples * setting["share"])

@hookimpl
def register_methods():
    yield Good()
""".replace(', "depth": Int(1, 3, default=1)', "")

COST = '        return replace(work, examples=work.examples * setting["share"])'
FITS = "    def fits(self, task, model):\n        "
WRONG = {
    "no_reference": (("('Somebody 2020',)", "()"), "declaration-is-complete", "references"),
    "infinite": ((COST, "        return replace(work, examples=1e400)"), "cost-is-sound", "inf"),
    "negative": ((COST, "        return replace(work, examples=-1)"), "cost-is-sound", "negative"),
    "no_workload": ((COST, "        return 1"), "cost-is-sound", "no Workload"),
    "by_chance": (
        (COST, "        import random\n        return replace(work, labels=random.random())"),
        "cost-is-sound",
        "twice",
    ),
    "changes_input": (
        (COST, "        object.__setattr__(work, 'labels', 1.5)\n        return replace(work)"),
        "cost-is-sound",
        "changed the Workload",
    ),
    "changes_setting": (
        (COST, "        setting['share'] = 0.3\n        return replace(work)"),
        "cost-is-sound",
        "changed the setting",
    ),
    "raises": ((COST, "        return 1 / 0"), "cost-is-sound", "ZeroDivisionError"),
    "heavy_import": (("from dataclasses", "import torch\nfrom dataclasses"), "heavy", "torch"),
    "heavy_cost": ((COST, "        import sklearn\n" + COST), "heavy", "sklearn"),
    "no_verdict": (("    def cost", FITS + "return True\n    def cost"), "fits-answers", "Verdict"),
    "two_line_reason": (
        ("    def cost", FITS + r"return Verdict('a\nb')" + "\n    def cost"),
        "fits-answers",
        "one line",
    ),
    "contradiction": (
        ("    knobs", "    provides = removes = frozenset({'merged'})\n    knobs"),
        "composes-or-says-why",
        "contradict",
    ),
}


@pytest.fixture
def check(load, write):
    def check(source, card=CARD, name=""):
        (write() / "README.md").write_text(card)
        method = load(good=source).methods()["good"]
        return run_checks(method, name)

    return check


@pytest.mark.parametrize("check", BUNDLED, ids=str)
def test_conformance_of_bundled_methods(check):
    check()


def test_a_healthy_method_passes(check):
    assert check(HEALTHY) == []


@pytest.mark.parametrize(("change", "name", "word"), WRONG.values(), ids=WRONG)
def test_a_wrong_method_is_told_what_is_wrong(check, change, name, word):
    source = HEALTHY.replace('("Somebody 2020",)', "('Somebody 2020',)").replace(*change)
    failures = check(source, name=name)
    assert failures, f"{name} passed"
    assert word in failures[0].sentence
    assert "\n" not in failures[0].sentence


@pytest.mark.parametrize(
    ("card", "word"),
    [
        (CARD.replace("## Costs", "## Prices"), "Costs"),
        (
            CARD.replace("## Reference\nSomething", "## Reference\n  \n## Else\nSomething"),
            "nothing",
        ),
        (CARD.replace("`share`", "nothing"), "does not explain the knobs share"),
    ],
    ids=["heading", "empty", "knob"],
)
def test_an_incomplete_card_is_told(check, card, word):
    (failure,) = check(HEALTHY, card, name="card")
    assert failure.check == "card-is-complete"
    assert word in failure.sentence


def test_the_samples_are_like_the_models_there_are(tmp_path):
    from effauto.model.source import find_model

    samples = {model.name: model for model in MODELS}
    assert find_model("bag-of-words").traits.facts == samples["bag-of-words"].facts
    for kind, name in zip(PLAIN_TEXT, ("untrained", "untrained encoder"), strict=True):
        write_untrained(tmp_path / kind, Size(192, 4), tiny_text(kind)[1], positions=512)
        found = find_model(str(tmp_path / kind)).traits
        assert found.facts == samples[name].facts
        assert found.layer_parameters == samples[name].layer_parameters
    try:
        minilm = find_model("minilm").traits
    except ModelError as error:
        pytest.skip(str(error))
    assert minilm.facts == samples["small"].facts


MISCHIEF = {
    "hangs": ("import time; time.sleep(1000)", "hangs: its process had not ended after 2 s"),
    "segfaults": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    "leaves": ("import os; os._exit(7)", "exit code 7"),
    "leaves_quietly": ("import os; os._exit(0)", "before the checks were done"),
    "exits": ("import sys; sys.exit('no gpu')", "sys.exit('no gpu')"),
    "aborts_with_words": (
        "import os, sys; print('out of luck', file=sys.stderr, flush=True); os.abort()",
        "SIGABRT); its last words: out of luck",
    ),
    "hangs_in_cost": (
        HEALTHY.replace(COST, "        import time; time.sleep(1000)"),
        "hangs",
    ),
    "hangs_at_the_end": (
        "import atexit, time; atexit.register(time.sleep, 1000)\n" + HEALTHY,
        "hangs",
    ),
    "stubborn": (
        "import signal, time\nfor s in (15, 2, 1): signal.signal(s, signal.SIG_IGN)\n"
        "time.sleep(1000)",
        "hangs",
    ),
}


@pytest.mark.parametrize(("source", "words"), MISCHIEF.values(), ids=MISCHIEF)
def test_mischief_is_reported_and_not_suffered(write, source, words):
    (candidate,) = find_in_folder(write(bad=source))
    started = time.monotonic()
    examination = examine(candidate, seconds=2)
    assert time.monotonic() - started < 20
    assert words in examination.failures[-1].sentence


def test_check_from_the_command_line(write, cli):
    folder = write(good=HEALTHY, z_bad="1 / 0", talks="print('noise')\n" + GOOD)
    (folder / "README.md").write_text(CARD)
    result = cli("plugins", "check", folder / "good.py", folder / "z_bad.py", "--format", "json")
    assert result.exit_code == 1
    good, bad = json.loads(result.stdout)
    assert (good["plugin"], good["methods"], good["failures"]) == ("good", ["good"], [])
    assert "ZeroDivisionError" in bad["failures"][0]["sentence"]
    by_name = cli("--plugins-dir", folder, "plugins", "check", "good")
    assert by_name.exit_code == 0
    assert f"good: {1 + len(CHECKS)} checks passed" in by_name.stdout


def test_checking_an_unknown_plugin_is_a_sentence(cli):
    result = cli("plugins", "check", "nobody")
    assert result.exit_code == 2
    assert "'nobody' is neither a path nor one of the plugins found" in result.stderr
