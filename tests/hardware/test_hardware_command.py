"""``effauto hardware`` shows, lists and measures."""

import json

from effauto.machine import Hardware


def test_show_tells_each_rate_and_where_it_is_from(cli):
    answer = cli("hardware", "show")
    assert answer.exit_code == 0
    assert "operations of float32 matrix products" in answer.output
    assert "guessed" in answer.output
    assert max(map(len, answer.output.splitlines()[:20])) <= 80


def test_show_json_states_its_units_and_can_be_read_back(cli):
    described = json.loads(cli("hardware", "show", "t4", "--format", "json").stdout)
    assert described["units"]["rates.memory"] == "byte/s"
    assert Hardware.from_json(described).device == "cuda"


def test_list_has_this_machine_and_the_profiles(cli):
    listed = json.loads(cli("hardware", "list", "--format", "json").stdout)
    names = [machine["name"] for machine in listed]
    assert names[0] == "here"
    assert "raspberry-pi-5" in names
    assert "raspberry-pi-5" in cli("hardware", "list").output


def test_an_unknown_machine_is_wrong_input(cli):
    answer = cli("hardware", "show", "nope")
    assert answer.exit_code == 2
    assert "known: here, laptop-2core" in answer.stderr


def test_calibrate_measures_for_the_next_plans(cli):
    measured = json.loads(cli("hardware", "calibrate", "--threads", 1, "--format", "json").stdout)
    assert measured["calibrated"]
    assert "measured here" in cli("hardware", "show").output
