"""Thirty watchers of one run: real sessions over the websocket of a real server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from statistics import mean, median, quantiles

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.browser import Server, running_server
from bench.report import Figure, report
from lrlab.recipes.plan import PRESETS
from lrlab.runs.store import ENDED, Store

WATCHERS = 30
TIMEOUT = 10.0
"""Seconds after which an update counts as unanswered."""
ROUNDS = 2
"""Repeated because the machine's speed drifts."""
EPOCHS = 100
"""More than a round has time for; the run is stopped at the end of the round."""
SETTLED = 3
"""Epochs to wait before measuring."""
WINDOW = 15.0
"""Length of each measurement in seconds."""
OWNER = "bench"


@dataclass
class Watcher:
    """A browser session on a run's page, without the browser.

    Args:
        address: URL of the server's websocket.
        run: number of the run to watch.
        updates: filled with the seconds from each update request to its last message.
        timeouts: number of updates without an answer within `TIMEOUT`.
    """

    address: str
    run: int
    updates: list[float] = field(default_factory=list)
    timeouts: int = 0

    async def watch(self) -> None:
        """Opens the page and requests updates as its timers demand.

        Returns when the run has ended: only the timer that checks the store is left then.
        """
        async with websockets.connect(self.address, max_size=None) as socket:
            await self._send(socket)
            timers = await self._answer(socket, {})
            while len(timers) > 1:
                fragment = min(timers, key=lambda name: timers[name][1])
                interval, due = timers[fragment]
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                timers[fragment] = (interval, time.monotonic() + interval)
                began = time.perf_counter()
                await self._send(socket, fragment)
                timers = await self._answer(socket, timers)
                self.updates.append(time.perf_counter() - began)

    async def _send(self, socket: websockets.ClientConnection, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.query_string = f"run={self.run}"
        message.rerun_script.page_name = "runs"
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        await socket.send(message.SerializeToString())

    async def _answer(
        self, socket: websockets.ClientConnection, timers: dict[str, tuple[float, float]]
    ) -> dict[str, tuple[float, float]]:
        """Reads until the script run ends; returns fragment -> (interval, next time due)."""
        timers, whole_page = dict(timers), not timers
        while True:
            try:
                raw = await asyncio.wait_for(socket.recv(), TIMEOUT)
            except TimeoutError:
                self.timeouts += 1
                return timers
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "new_session" and whole_page:
                timers = {}
            elif kind == "auto_rerun":
                interval = message.auto_rerun.interval
                timers[message.auto_rerun.fragment_id] = (interval, time.monotonic() + interval)
            elif kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return timers
                # A fragment requested a rerun of the whole page.
                whole_page = True


@dataclass
class Measurements:
    """Measurements of all rounds.

    Args:
        alone, watched: seconds of epochs without and with watchers.
        updates: seconds of each watcher's updates.
        timeouts: number of updates without an answer.
        cores: cores that the server used while the run was watched.
    """

    alone: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    timeouts: int = 0
    cores: list[float] = field(default_factory=list)


def main() -> bool:
    """Prints the figures and returns whether every target was met."""
    with running_server() as server:
        asyncio.run(Watcher(_socket(server), run=0).watch())  # The first visit starts the worker.
        store = Store(server.database_url)
        measured = Measurements()
        for _ in range(ROUNDS):
            asyncio.run(_measure(server, store, measured))
        store.close()
    alone, watched = median(measured.alone), median(measured.watched)
    print(
        f"\n  {len(measured.updates):,} updates of {WATCHERS} watchers; an epoch took "
        f"{watched:.2f} s, and {alone:.2f} s when nobody watched"
    )
    return report(
        "Thirty watchers",
        [
            Figure("an update, p95", quantiles(measured.updates, n=20)[-1] * 1e3, 100, "ms"),
            Figure("updates without an answer", measured.timeouts, 0, ""),
            Figure("the page server's cores", mean(measured.cores), 0.5, ""),
            Figure("an epoch over one that nobody watches", watched / alone, 1.15, "x"),
        ],
    )


async def _measure(server: Server, store: Store, measured: Measurements) -> None:
    """Trains a run, first without and then with watchers, until it is stopped."""
    plan = replace(PRESETS["Exercise 1: Nadam"], epochs=EPOCHS)
    run_id = store.queue(plan, owner=OWNER, name="bench")
    while len(store.epochs(run_id)) < SETTLED:
        if store.run(run_id).state in ENDED:
            raise RuntimeError(f"the run ended: {store.run(run_id).reason}")
        await asyncio.sleep(0.1)
    await _window(server, store, run_id, measured.alone)
    watchers = [Watcher(_socket(server), run_id) for _ in range(WATCHERS)]
    tasks = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    # Opening thirty pages at once is not part of the measurement.
    while not all(watcher.updates for watcher in watchers):
        await asyncio.sleep(0.1)
    for watcher in watchers:
        watcher.updates.clear()
    measured.cores.append(await _window(server, store, run_id, measured.watched))
    store.request_stop(run_id, by=OWNER)
    await asyncio.gather(*tasks)
    measured.updates += [seconds for watcher in watchers for seconds in watcher.updates]
    measured.timeouts += sum(watcher.timeouts for watcher in watchers)


async def _window(server: Server, store: Store, run_id: int, epochs: list[float]) -> float:
    """Waits `WINDOW` seconds and appends the seconds of the epochs trained in that time.

    Returns:
        Cores that the server used in that time.
    """
    process = psutil.Process(server.process_id)
    epochs_before, seconds_before, began = (
        len(store.epochs(run_id)),
        _cpu_seconds(process),
        time.perf_counter(),
    )
    await asyncio.sleep(WINDOW)
    cores = (_cpu_seconds(process) - seconds_before) / (time.perf_counter() - began)
    # The first of these epochs began before the window.
    epochs += [epoch.seconds for epoch in store.epochs(run_id)[epochs_before + 1 :]]
    return cores


def _cpu_seconds(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def _socket(server: Server) -> str:
    return server.address.replace("http", "ws") + "/_stcore/stream"
