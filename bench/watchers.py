"""A class of thirty watching one run: real sessions over the websocket of a real server."""

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
"""Seconds without an answer that count as none."""
ROUNDS = 2
"""The machine's speed drifts."""
EPOCHS = 100
"""More than a round has time for; its run is stopped."""
SETTLED = 3
"""Epochs before anything is measured."""
WINDOW = 15.0
"""Seconds of each measurement."""
ME = "bench"


@dataclass
class Watcher:
    """One browser's session on the page of a run, without the browser.

    Args:
        address: the server's websocket.
        run: the number of the run to watch.
        updates: filled with the seconds from asking for an update to its last message.
    """

    address: str
    run: int
    updates: list[float] = field(default_factory=list)
    timeouts: int = 0

    async def watch(self) -> None:
        """Open the page and ask for every update that its timers call for, until the run's end
        has ended all but the one that looks for trouble with the store."""
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
        """Reads up to the end of a script's run; returns each fragment's interval and next time."""
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
                # A part of the page asked for all of it.
                whole_page = True


@dataclass
class Measured:
    """What was measured.

    Args:
        alone, watched: seconds of epochs that nobody and that the class watched.
        updates: seconds of each update of the class.
        timeouts: updates without an answer.
        cores: that the server used while the class watched.
    """

    alone: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    timeouts: int = 0
    cores: list[float] = field(default_factory=list)


def main() -> bool:
    """Print the figures; returns whether every target was met."""
    with running_server() as server:
        asyncio.run(Watcher(_socket(server), run=0).watch())  # The first visit starts the worker.
        store = Store(server.database_url)
        measured = Measured()
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


async def _measure(server: Server, store: Store, measured: Measured) -> None:
    """Trains a run, with nobody and then with a class that watches it, up to its end."""
    plan = replace(PRESETS["Exercise 1: Nadam"], epochs=EPOCHS)
    run_id = store.queue(plan, owner=ME, name="bench")
    while len(store.epochs(run_id)) < SETTLED:
        if store.run(run_id).state in ENDED:
            raise RuntimeError(f"the run ended: {store.run(run_id).reason}")
        await asyncio.sleep(0.1)
    await _window(server, store, run_id, measured.alone)
    watchers = [Watcher(_socket(server), run_id) for _ in range(WATCHERS)]
    tasks = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    # Opening thirty pages at once is not what is measured.
    while not all(watcher.updates for watcher in watchers):
        await asyncio.sleep(0.1)
    for watcher in watchers:
        watcher.updates.clear()
    measured.cores.append(await _window(server, store, run_id, measured.watched))
    store.request_stop(run_id, by=ME)
    await asyncio.gather(*tasks)
    measured.updates += [seconds for watcher in watchers for seconds in watcher.updates]
    measured.timeouts += sum(watcher.timeouts for watcher in watchers)


async def _window(server: Server, store: Store, run_id: int, epochs: list[float]) -> float:
    """Adds the seconds of the epochs that lie in the next `WINDOW`; returns the cores that the
    server used in it."""
    process = psutil.Process(server.process_id)
    before, used, began = len(store.epochs(run_id)), _used(process), time.perf_counter()
    await asyncio.sleep(WINDOW)
    cores = (_used(process) - used) / (time.perf_counter() - began)
    # The first of them began earlier.
    epochs += [epoch.seconds for epoch in store.epochs(run_id)[before + 1 :]]
    return cores


def _used(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def _socket(server: Server) -> str:
    return server.address.replace("http", "ws") + "/_stcore/stream"
