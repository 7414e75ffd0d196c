"""Energy is counted where there is a counter, and never guessed in its name."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from effauto.execution.energy import counted
from effauto.hardware import this_machine


def test_without_a_counter_nothing_is_claimed():
    with counted(replace(this_machine(), power_counter=None)) as reading:
        pass
    assert reading.values == {}


def test_with_a_counter_codecarbon_is_read_without_the_network(monkeypatch):
    pytest.importorskip("codecarbon")

    def refuse(*_, **__):
        raise AssertionError("a network call")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with counted(replace(this_machine(), power_counter="RAPL")) as reading:
        sum(range(200_000))
    assert reading.joules is not None
    assert reading.joules >= 0
