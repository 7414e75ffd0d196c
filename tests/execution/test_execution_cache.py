"""What recipes share is made once, and charged to each that uses it."""

from __future__ import annotations

import numpy as np
import pytest

from effauto.execution.cache import remember
from effauto.execution.meter import Meter


class Maker:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return {"a": np.arange(1000.0), "b": np.eye(3, dtype=np.int64)}


def busy(maker, meter):
    """Make the arrays in some time, and with some operations."""

    def make():
        end = meter.lap()[0] + 0.2
        while meter.lap()[0] < end:
            pass
        meter.flops.charged += 1e6
        return maker()

    return make


def test_what_is_kept_is_what_was_made(tmp_path):
    maker = Maker()
    first = remember(tmp_path / "cache" / "x", maker, Meter())
    second = remember(tmp_path / "cache" / "x", maker, Meter())
    assert maker.times == 1
    for name in ("a", "b"):
        assert np.array_equal(first[name], second[name])
        assert first[name].dtype == second[name].dtype
    assert remember(tmp_path / "cache" / "y", maker, Meter())
    assert maker.times == 2


def test_who_finds_it_made_is_charged_its_cost(tmp_path):
    maker, first, second = Maker(), Meter(), Meter()
    remember(tmp_path / "x", busy(maker, first), first)
    remember(tmp_path / "x", maker, second)
    first.stop()
    second.stop()
    assert maker.times == 1
    assert second.seconds == pytest.approx(second.charged_seconds, abs=0.5)
    assert 0.2 <= second.charged_seconds <= first.seconds
    assert second.charged_cpu > 0
    assert second.flops.total == first.flops.total == 1e6
    assert second.memory >= 0


@pytest.mark.parametrize("content", [b"", b"not arrays", None])
def test_a_damaged_file_is_made_anew(tmp_path, content):
    maker = Maker()
    remember(tmp_path / "x", maker, Meter())
    file = tmp_path / "x.safetensors"
    file.write_bytes(file.read_bytes()[:-10] if content is None else content)
    remember(tmp_path / "x", maker, Meter())
    remember(tmp_path / "x", maker, Meter())
    assert maker.times == 2


def test_a_place_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("in the way")
    maker = Maker()
    for _ in range(2):
        assert set(remember(tmp_path / "file" / "x", maker, Meter())) == {"a", "b"}
    assert maker.times == 2


def test_nothing_is_kept_of_what_failed(tmp_path):
    def fail():
        raise ValueError("no arrays")

    with pytest.raises(ValueError, match="no arrays"):
        remember(tmp_path / "x", fail, Meter())
    assert list(tmp_path.iterdir()) == []
