"""A calibration measures, in a process of its own, and is kept for the next time."""

import json
import logging

import pytest

from effauto.errors import HardwareError
from effauto.hardware import cache, calibrate, this_machine
from effauto.machine import Hardware, Rate

RATES = {
    "matmul.float32",
    "matmul.bfloat16",
    "matmul.int8",
    "memory",
    "weights",
    "elementwise",
    "optimizer",
    "dispatch",
    "host",
}


def test_calibration_is_measured_and_kept(cache_folder):
    measured = calibrate(threads=1)
    assert measured.calibrated
    assert measured.threads == 1
    assert set(measured.rates) == RATES
    # Any computer of this century does a billion operations a second, and none a quadrillion.
    assert 1e9 < measured.rates["matmul.float32"].value < 1e15
    assert measured.rates["dispatch"].value > 1e4
    assert this_machine() == measured
    assert not this_machine(calibrated_if_cached=False).calibrated
    assert len(list((cache_folder / "hardware").iterdir())) == 1


def test_more_threads_than_cores_are_refused():
    with pytest.raises(HardwareError, match="may use 1 to"):
        calibrate(threads=100_000)


@pytest.fixture
def found() -> cache.Calibration:
    return cache.Calibration({"memory": Rate(3.0, 2.0, 4.0)}, 1, "2.0", "2026-01-31")


def test_cached_rates_replace_the_guesses_they_are_of(found):
    guessed = this_machine()
    cache.write(guessed, found)
    here = this_machine()
    assert here.rates["memory"] == Rate(3.0, 2.0, 4.0)
    assert here.rates["dispatch"] == guessed.rates["dispatch"]
    assert "2026-01-31" in here.sources["rates"]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"rates": 3}',
        '{"rates": {"memory": {"value": -1, "low": 0, "high": 0}}, "threads": 1}',
        '{"rates": {}, "threads": "many", "torch": "2", "date": ""}',
        "\udcff",
    ],
)
def test_a_damaged_cache_is_ignored_and_rewritten(found, damage, caplog):
    guessed = this_machine()
    cache.write(guessed, found)
    cache.path_for(guessed).write_bytes(damage.encode("utf-8", "surrogateescape"))
    with caplog.at_level(logging.WARNING):
        assert not this_machine().calibrated
    assert "damaged" in caplog.text
    cache.write(guessed, found)
    assert this_machine().calibrated


def test_a_cache_that_cannot_be_written_is_only_logged(found, cache_folder, caplog):
    cache_folder.write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        cache.write(this_machine(), found)
    assert "cannot be kept" in caplog.text


def test_hardware_survives_json():
    here = this_machine()
    assert Hardware.from_json(json.loads(json.dumps(here.to_json()))) == here
