"""``effauto estimate``: the figures of each tier beside one another."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def estimated(cli, tiny_model):
    def estimated(*arguments):
        result = cli("estimate", "--model", tiny_model, "--max-rows", 100, *arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return estimated


def test_the_closed_form_answers_at_once(estimated):
    found = json.loads(estimated("--format", "json"))
    assert list(found["tiers"]) == ["closed"]
    assert found["tiers"]["closed"]["train.time"]["unit"] == "s"


def test_every_cheaper_tier_is_beside_the_one_asked_for(estimated):
    found = json.loads(estimated("--recipe", "lora", "--tier", "pilot", "--format", "json"))
    tiers = found["tiers"]
    assert list(tiers) == ["closed", "traced", "pilot"]
    assert tiers["traced"]["train.time"]["tier"] == "calibrated"
    assert tiers["traced"]["train.memory"]["tier"] == "traced"
    assert tiers["pilot"]["train.time"]["tier"] == "pilot"
    assert found["notes"] == []
    for figures in tiers.values():
        for figure in figures.values():
            assert figure["low"] <= figure["value"] <= figure["high"]
    closed, traced = (tiers[tier]["train.flops"]["value"] for tier in ("closed", "traced"))
    assert traced == pytest.approx(closed, rel=0.3)


def test_the_table_names_what_could_not_be_followed(estimated):
    shown = estimated("--recipe", "head-only", "--tier", "traced")
    assert "train.time" in shown
    assert "Note: head-only: its train cannot be followed" in shown


def test_another_machine_is_traced_for_but_not_piloted_on(cli, estimated):
    found = json.loads(estimated("--hardware", "t4", "--tier", "traced", "--format", "json"))
    assert found["tiers"]["traced"]["train.time"]["tier"] == "traced"
    refused = cli("estimate", "--hardware", "t4", "--tier", "pilot")
    assert refused.exit_code == 2
    assert "t4 is not this machine" in refused.output


def test_an_illegal_recipe_is_refused(cli):
    result = cli("estimate", "--recipe", "lora+bitfit", "--tier", "traced")
    assert result.exit_code == 2
    assert "both take the slot" in result.output


def test_a_bag_of_words_is_not_traced(cli):
    result = cli("estimate", "--model", "bag-of-words", "--max-rows", 100, "--tier", "traced")
    assert result.exit_code == 0, result.output
    assert "no network to trace" in result.output
