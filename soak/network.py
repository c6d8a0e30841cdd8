"""A PostgreSQL server on a network that temporarily loses every packet."""

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
from soak.workers import LONG, SHORT, end_of, lives, ready_pid, resume_and_stop, wait

LOCAL_ADDRESS, REMOTE_ADDRESS = "203.0.113.1", "203.0.113.2"
"""The two ends of the network, in a range reserved for documentation (RFC 5737)."""

SHORT_OUTAGE = 8.0
"""Seconds of an outage that a run survives."""

ONE_TRY = 2.0 * CONNECT_TIMEOUT
"""Longest duration of one try in seconds: its connection times out, and then a new one does."""

GIVEN_UP = RETRY_LIMIT_SECONDS + 2 * ONE_TRY
"""Seconds within which a worker gives up: the first try, the retry period, and the last try."""

STATES_CORRECT = LOCK_TIMEOUT + ONE_TRY
"""Seconds within which all states are correct again: the server releases the locks of a lost
worker, and the engine's pending try ends."""


@contextmanager
def far_network() -> Iterator[str]:
    """A network namespace connected to this one by a virtual cable.

    Yields:
        The namespace's name, which is also the name of the interface at this end.

    Raises:
        PermissionError: the namespace cannot be created.
    """
    name = f"lrlab{os.getpid()}"
    with ExitStack() as stack:
        try:
            _call("ip", "netns", "add", name)
            stack.callback(_call, "ip", "netns", "del", name)
            _call("ip", "link", "add", name, "type", "veth", "peer", "far", "netns", name)
            # The namespace stays as long as the system remembers a connection in it.
            stack.callback(_call, "ip", "link", "del", name)
            _call("ip", "addr", "add", f"{LOCAL_ADDRESS}/30", "dev", name)
            _call("ip", "link", "set", name, "up")
            _call("ip", "-n", name, "addr", "add", f"{REMOTE_ADDRESS}/30", "dev", "far")
            _call("ip", "-n", name, "link", "set", "far", "up")
            with lost_packets(name):
                pass
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermissionError("creating a network requires Linux, root and iproute2") from error
        yield name


@contextmanager
def lost_packets(name: str) -> Iterator[None]:
    """Silently drops every packet in both directions."""
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
    """Seconds until a read from an unreachable server raises `StoreUnavailable`."""
    began = time.monotonic()
    try:
        store.runs()
    except StoreUnavailable:
        return time.monotonic() - began
    return float("inf")


def lose_packets(url: str, network: str, checkpoints: str) -> list[Figure]:
    """Loses all packets during a run: briefly, then until its worker gives up."""
    store = Store(url)
    engine = Engine(store, Settings(url, checkpoint_dir=checkpoints, worker_memory=100_000))
    engine.start()
    pid = ready_pid(engine)
    run_id = store.queue(LONG, owner="soak", name="far away")
    wait(lambda: store.epochs(run_id))
    measured = store.points(run_id)
    with lost_packets(network):
        time.sleep(SHORT_OUTAGE)
    wait(lambda: len(store.points(run_id)) > len(measured))
    run = store.run(run_id)
    survived = (run.state, run.attempt) == ("running", 1)
    kept = store.points(run_id)[: len(measured)] == measured
    measured = store.points(run_id)
    with lost_packets(network):
        began = time.monotonic()
        reader_gave_up = seconds_to_give_up(store)
        wait(lambda: engine.status().fault == "reading")
        noticed = time.monotonic() - began
        wait(lambda: not lives(pid))
        worker_gave_up = time.monotonic() - began
    states_correct = wait(lambda: _interrupted(store, run_id))
    run = store.run(run_id)
    kept &= store.points(run_id)[: len(measured)] == measured
    resumed = resume_and_stop(store, run)
    after = end_of(store, store.queue(SHORT, owner="soak", name="after"))
    engine.stop()
    store.close()
    print(f"  no packets: {run.state}, {run.reason}; then {resumed.resumed}")
    return [
        Figure(f"{SHORT_OUTAGE:g} s without packets: the run continues", survived, 1, "", True),
        Figure("Without packets for longer: a reader gives up after", reader_gave_up, ONE_TRY, "s"),
        Figure("The engine reports it after", noticed, 2 * ONE_TRY, "s"),
        Figure("The worker gives up after", worker_gave_up, GIVEN_UP, "s"),
        Figure(
            "With packets again: all states are correct after", states_correct, STATES_CORRECT, "s"
        ),
        Figure("Interrupted, with the reason", "database" in run.reason, 1, "", at_least=True),
        Figure("Acknowledged points are kept", kept, 1, "", at_least=True),
        Figure("Resumed from a checkpoint", "epoch" in resumed.resumed, 1, "", at_least=True),
        Figure("The next run finishes", after.state == "finished", 1, "", at_least=True),
    ]


def _interrupted(store: Store, run_id: int) -> bool:
    """Whether a run is interrupted; False while the store cannot be read."""
    try:
        return store.run(run_id).state == "interrupted"
    except StoreUnavailable:
        return False


def main() -> bool:
    """Loses packets; returns whether all parts give up in time and continue without loss."""
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            far_network() as network,
            postgres_server(REMOTE_ADDRESS, network) as server,
        ):
            figures = lose_packets(server.new_database(), network, folder)
    except (PermissionError, FileNotFoundError) as error:
        print(f"\nLost packets were not tested: {error}")
        return True
    return report("A PostgreSQL server whose packets are lost during a run", figures)
