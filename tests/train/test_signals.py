"""The first signal asks politely, the second SIGINT does not, and everything is as before afterwards."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from framework.train.signals import StopSignals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_only_raises_the_flag(number: signal.Signals) -> None:
    with StopSignals() as stop:
        assert not stop
        assert stop.received is None
        send(number)
        assert stop
        assert stop.received == number.name


def test_a_second_sigint_interrupts_at_once() -> None:
    with StopSignals() as stop:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert stop.received == "SIGINT"


def test_sigint_after_sigterm_interrupts_at_once_and_a_second_sigterm_does_not() -> None:
    with StopSignals() as stop:
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        assert stop.received == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_the_former_handlers_are_put_back() -> None:
    seen: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(ValueError, match="inside"), StopSignals():
            raise ValueError("inside")
        assert signal.getsignal(signal.SIGINT) is before
        send(signal.SIGTERM)
        assert seen == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, former)


def test_another_thread_leaves_the_handlers_alone() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    during: list[object] = []

    def work() -> None:
        with StopSignals() as stop:
            during.extend((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), bool(stop)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert during == [*before, False]
