"""Several workers at once: none waits for another, none is lost without a second try."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import psutil
import pytest
from sample_plugins import NAPS, PROLOGUE
from sample_tasks import HARDWARE

from effauto.errors import Crashed, TimedOut, WorkerLost
from effauto.execution.crew import Crew, Done, LocalHand, local_crew
from effauto.execution.pool import Worker
from effauto.machine import Accelerator
from effauto.recipe import Recipe

DONE = Done({}, {}, ())


class Fake:
    """A hand that does what it is told, and remembers how often it was asked."""

    def __init__(self, do=lambda: DONE):
        self.do, self.asked, self.stopped = do, 0, threading.Event()

    def start(self):
        pass

    def carry_out(self, job, seconds, progress):
        self.asked += 1
        return self.do()

    def stop(self):
        self.stopped.set()


def losing(times):
    """What loses its worker so many times, and then is done."""
    left = iter(range(times))

    def do():
        for _ in left:
            raise WorkerLost("gone")
        return DONE

    return do


def submit(crew, place=0):
    return crew.submit(place, None, 10.0, print)


def test_all_hands_work_at_once():
    together = threading.Barrier(3, timeout=5)

    def meet():
        together.wait()
        return DONE

    with Crew([Fake(meet) for _ in range(3)]) as crew:
        assert [f.result() for f in [submit(crew, place) for place in range(3)]] == [DONE] * 3
    assert all(hand.stopped.is_set() for hand in crew._hands)


def test_what_was_lost_with_its_worker_is_done_once_more():
    hand = Fake(losing(1))
    with Crew([hand]) as crew:
        assert submit(crew).result() is DONE
    assert hand.asked == 2


def test_what_is_lost_twice_is_lost():
    hand = Fake(losing(2))
    with Crew([hand]) as crew, pytest.raises(WorkerLost):
        submit(crew).result()
    assert hand.asked == 2


def test_what_crashes_by_itself_is_not_done_again():
    def crash():
        raise Crashed("died of SIGSEGV")

    hand = Fake(crash)
    with Crew([hand]) as crew, pytest.raises(Crashed):
        submit(crew).result()
    assert hand.asked == 1


def test_nothing_is_done_again_when_all_is_to_stop():
    hand = Fake()

    def until_stopped():
        hand.stopped.wait(5)
        raise WorkerLost("stopped")

    hand.do = until_stopped
    crew = Crew([hand])
    future = submit(crew)
    crew.stop()
    with pytest.raises(WorkerLost):
        future.result()
    assert hand.asked == 1


@pytest.fixture
def naps(job, tmp_path):
    """A job that sleeps for a while before it trains."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "naps.py").write_text(PROLOGUE + NAPS)
    details = {"answers": str(tmp_path / "answers.json")}
    return job(Recipe.of("naps"), plugin_folders=(tmp_path / "plugins",), details=details)


@pytest.fixture
def one():
    """A crew of one process, which is ready."""
    with Crew([LocalHand(Worker(["linear"]))]) as crew:
        crew.start()
        yield crew


def wait_for_the_trial(crew):
    worker = psutil.Process(crew._hands[0].worker._process.pid)
    while not worker.children():
        time.sleep(0.05)
    return worker


def test_a_trial_survives_the_loss_of_its_worker(one, naps):
    future = one.submit(0, naps, 60.0, lambda what, share: None)
    worker = wait_for_the_trial(one)
    os.kill(worker.pid, signal.SIGKILL)
    done = future.result(timeout=60)
    assert done.values["train.time"] > 0
    assert "quality.accuracy" in done.judged
    assert len(done.answers) == 40
    assert not naps.folder.exists()


def test_stopping_ends_a_trial_at_once(one, naps):
    future = one.submit(0, naps, 60.0, lambda what, share: None)
    worker = wait_for_the_trial(one)
    started = [worker, *worker.children()]
    one.stop()
    with pytest.raises(WorkerLost):
        future.result(timeout=5)
    assert psutil.wait_procs(started, timeout=5)[1] == []


def test_a_trial_keeps_its_time(one, naps):
    future = one.submit(0, naps, 0.0, lambda what, share: None)
    with pytest.raises(TimedOut, match="the 1 s it may take"):
        future.result(timeout=30)


def test_each_worker_sees_a_gpu_of_its_own(monkeypatch):
    two = replace(HARDWARE, accelerators=(Accelerator("A", 2**30), Accelerator("A", 2**30)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    seen = [hand.worker._environment for hand in local_crew(2, ["linear"], two)._hands]
    assert seen == [{"CUDA_VISIBLE_DEVICES": "2"}, {"CUDA_VISIBLE_DEVICES": "5"}]
    assert [h.worker._environment for h in local_crew(2, ["linear"], HARDWARE)._hands] == [{}, {}]


def test_a_machine_is_shared_in_equal_parts():
    machine = replace(HARDWARE, cores=8, threads=8, memory_bytes=16 * 2**30)
    part = machine.shared(4)
    assert (part.cores, part.threads, part.memory_bytes) == (2, 2, 4 * 2**30)
    assert part.name != machine.name
    matmul, dispatch = "matmul.float32", "dispatch"
    assert part.rates[matmul].value == pytest.approx(machine.rates[matmul].value / 4)
    assert part.rates[dispatch] == machine.rates[dispatch]
    assert part.watts.value == pytest.approx(machine.watts.value / 4)
    assert part.power_counter is None
    assert machine.shared(1) is machine
    with pytest.raises(ValueError, match="8 core"):
        machine.shared(9)
    gpus = replace(machine, accelerators=(Accelerator("A", 2**30),) * 2, power_counter="NVML")
    assert len(gpus.shared(2).accelerators) == 1
    assert gpus.shared(2).rates[matmul] == gpus.rates[matmul]
    with pytest.raises(ValueError, match="2 GPU"):
        gpus.shared(3)
