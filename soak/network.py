"""A PostgreSQL server at the far end of a network that loses every packet for a while."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.report import Figure, report
from lrlab.runs.engine import Engine
from lrlab.runs.retry import RETRY_LIMIT_SECONDS
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store, StoreUnavailable
from lrlab.runs.store.database import CONNECT_TIMEOUT, LOCK_TIMEOUT
from soak.postgres import postgres_server
from soak.workers import LONG, SHORT, end_of, lives, ready_pid, resumed_again, wait

HERE, THERE = "203.0.113.1", "203.0.113.2"
"""The two ends of the network, in a range that is kept for documentation."""

MOMENT = 8.0
"""Seconds of an outage that a run outlasts."""

ONE_TRY = 2.0 * CONNECT_TIMEOUT
"""Seconds that one try may take: its connection is given up, and then a new one."""

GIVEN_UP = RETRY_LIMIT_SECONDS + 2 * ONE_TRY
"""Seconds in which a worker has given up: a try, more of them, and the last one."""

RIGHT = LOCK_TIMEOUT + ONE_TRY
"""Seconds in which all states are right again: the server lets go of what a lost worker had locked,
and the engine's try that was under way comes to its end."""


@contextmanager
def far_network() -> Iterator[str]:
    """A network of its own at the end of a cable.

    Yields:
        The name of its namespace; this end of the cable has the same name.

    Raises:
        PermissionError: none can be made here.
    """
    name = f"lrlab{os.getpid()}"
    with ExitStack() as stack:
        try:
            _call("ip", "netns", "add", name)
            stack.callback(_call, "ip", "netns", "del", name)
            _call("ip", "link", "add", name, "type", "veth", "peer", "far", "netns", name)
            # The namespace itself stays for as long as the system remembers a connection in it.
            stack.callback(_call, "ip", "link", "del", name)
            _call("ip", "addr", "add", f"{HERE}/30", "dev", name)
            _call("ip", "link", "set", name, "up")
            _call("ip", "-n", name, "addr", "add", f"{THERE}/30", "dev", "far")
            _call("ip", "-n", name, "link", "set", "far", "up")
            with lost_packets(name):
                pass
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermissionError("making a network takes root and iproute2, on Linux") from error
        yield name


@contextmanager
def lost_packets(name: str) -> Iterator[None]:
    """Every packet is lost, both ways, and nobody is told."""
    ends = (["tc"], "dev", name), (["tc", "-n", name], "dev", "far")
    for command, *end in ends:
        _call(*command, "qdisc", "add", *end, "root", "blackhole")
    try:
        yield
    finally:
        for command, *end in ends:
            _call(*command, "qdisc", "del", *end, "root")


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def seconds_to_give_up(store: Store) -> float:
    """How long a reader waits for a server of which nothing comes."""
    began = time.monotonic()
    try:
        store.runs()
    except StoreUnavailable:
        return time.monotonic() - began
    return float("inf")


def lose_packets(url: str, network: str, checkpoints: str) -> list[Figure]:
    """Lose all packets while a run goes on: for a moment, then until its worker has given up."""
    store = Store(url)
    engine = Engine(store, Settings(url, checkpoint_dir=checkpoints, worker_memory=100_000))
    engine.start()
    pid = ready_pid(engine)
    run_id = store.queue(LONG, owner="soak", name="far away")
    wait(lambda: store.epochs(run_id))
    measured = store.points(run_id)
    with lost_packets(network):
        time.sleep(MOMENT)
    wait(lambda: len(store.points(run_id)) > len(measured))
    run = store.run(run_id)
    outlasted = (run.state, run.attempt) == ("running", 1)
    kept = store.points(run_id)[: len(measured)] == measured
    measured = store.points(run_id)
    with lost_packets(network):
        began = time.monotonic()
        reader = seconds_to_give_up(store)
        wait(lambda: engine.status().fault == "reading")
        noticed = time.monotonic() - began
        wait(lambda: not lives(pid))
        worker = time.monotonic() - began
    right = wait(lambda: _ended(store, run_id))
    run = store.run(run_id)
    kept &= store.points(run_id)[: len(measured)] == measured
    resumed = resumed_again(store, run)
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    engine.stop()
    store.close()
    print(f"  no packets: {run.state}, {run.reason}; then {resumed.resumed}")
    return [
        Figure(f"{MOMENT:g} s without packets: the run goes on by itself", outlasted, 1, "", True),
        Figure("Without packets for longer: a reader gives up after", reader, ONE_TRY, "s"),
        Figure("The engine says so after", noticed, 2 * ONE_TRY, "s"),
        Figure("The worker has given up after", worker, GIVEN_UP, "s"),
        Figure("With packets again: all states are right after", right, RIGHT, "s"),
        Figure("Interrupted, with the reason", "database" in run.reason, 1, "", at_least=True),
        Figure("What was acknowledged is kept", kept, 1, "", at_least=True),
        Figure("Resumed from a checkpoint", "epoch" in resumed.resumed, 1, "", at_least=True),
        Figure("The next run is trained", after.state == "finished", 1, "", at_least=True),
    ]


def _ended(store: Store, run_id: int) -> bool:
    """Whether a run is interrupted, as far as the store can be read yet."""
    try:
        return store.run(run_id).state == "interrupted"
    except StoreUnavailable:
        return False


def main() -> bool:
    """Lose packets; whether all give up in time, and go on without a loss."""
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            far_network() as network,
            postgres_server(THERE, network) as server,
        ):
            figures = lose_packets(server.new_database(), network, folder)
    except (PermissionError, FileNotFoundError) as error:
        print(f"\nNothing is known of lost packets: {error}")
        return True
    return report("A PostgreSQL server whose packets are lost while a run goes on", figures)
