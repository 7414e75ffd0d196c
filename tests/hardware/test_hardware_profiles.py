"""Profiles are whole and sane; a user's own file is read, or refused in a sentence."""

import json
from dataclasses import dataclass, replace

import pytest

from effauto.errors import HardwareError
from effauto.hardware import machine, profile, profiles, this_machine
from effauto.machine import Hardware

TABLE = """
processor = "A machine"
cores = 4
memory_gib = 8
peak = { float32 = 0.2, memory = 20, calls = 1 }
shares = [0.2, 0.5, 0.9]
watts = [5, 10, 15]
year = 2024
source = "its maker"
"""


@pytest.mark.parametrize("known", profiles().values(), ids=profiles())
def test_profile_is_whole(known):
    assert known.origin == "profile"
    assert set(known.rates) == set(this_machine().rates)
    assert "20" in known.sources["rates"]
    assert known.rates["matmul.float32"].high < 1e14
    assert known.watts.high <= 700
    if known.device == "cuda":
        assert known.accelerators[0].capability >= (7, 0)
        assert known.rates["matmul.int8"].value >= known.rates["matmul.float32"].value


def test_machines_are_found_by_name():
    assert machine("here").origin == "detected"
    assert machine("t4") is profile("t4")


@pytest.mark.parametrize("find", [machine, profile])
def test_an_unknown_name_gets_the_list(find):
    with pytest.raises(HardwareError, match=r"'nope'.*laptop-2core.*h100"):
        find("nope")


@dataclass
class Offering:
    offered: dict[str, Hardware]

    def hardware(self) -> dict[str, Hardware]:
        return self.offered


def test_plugins_add_machines_but_replace_none():
    mine = replace(profile("t4"), name="mine")
    plugins = Offering({"mine": mine, "t4": mine})
    assert machine("mine", plugins) is mine
    assert machine("t4", plugins).name == "t4"


def test_a_table_in_toml(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TABLE)
    mine = machine(str(path))
    assert mine.name == "mine"
    assert mine.rates["matmul.float32"].value == pytest.approx(1e11)
    assert mine.rates["matmul.int8"] == mine.rates["matmul.float32"]


def test_what_show_prints_can_be_read_back(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(this_machine().to_json()))
    assert machine(str(path)) == this_machine()


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("absent.toml", None, "there is no file"),
        ("broken.toml", "cores = ", "is no TOML"),
        ("broken.json", "{", "is no JSON"),
        ("deep.json", "[" * 100_000, "is no JSON"),
        ("list.json", "[]", "holds no table"),
        ("short.toml", "cores = 4", "does not state its processor"),
        ("slow.toml", TABLE.replace("float32 = 0.2", "float32 = 0"), "cannot be read"),
        ("word.toml", TABLE.replace("[5, 10, 15]", '"hot"'), "cannot be read"),
        ("half.json", '{"name": "x", "rates": {}}', "describes no whole machine"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path, name, text, complaint):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(HardwareError, match=complaint):
        machine(str(tmp_path / name))
