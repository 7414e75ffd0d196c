"""Ctrl-C waits for what must be done whole, and is not forgotten."""

import os
import signal
import threading

import pytest

from effauto.planner.interruption import uninterrupted


def interrupted(work):
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        work()


def test_the_block_ends_before_ctrl_c_counts():
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("whole"))
    assert done == ["whole"]
    with pytest.raises(KeyboardInterrupt):  # as before
        signal.raise_signal(signal.SIGINT)


def test_an_error_of_the_block_is_not_hidden_by_ctrl_c():
    def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        interrupted(fail)


def test_other_threads_hold_nothing_back():
    seen = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
