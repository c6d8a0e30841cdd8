"""A class of thirty watching one run: real sessions over the websocket of a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import median, quantiles

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.browser import Server, running_server
from bench.report import Figure, report
from lrlab.plan import PRESETS, RunPlan
from lrlab.store import ENDED, Store

WATCHERS = 30
TIMEOUT = 10.0
"""Seconds without an answer that count as none."""
EPOCHS = 30
"""Of each run. A shorter one would be half opening and ending."""


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
        has ended them all."""
        async with websockets.connect(self.address, max_size=None) as socket:
            await self._send(socket)
            timers = await self._answer(socket, {})
            while timers:
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


def main() -> bool:
    """Print the figures; returns whether every target was met."""
    plan = replace(PRESETS["Exercise 1: Nadam"], epochs=EPOCHS)
    with running_server() as server:
        asyncio.run(_visit(server))
        store = Store(server.database_url)
        with _trained(store, plan):
            # Compiles the program, and shows how long an epoch takes when nobody watches.
            pass
        with _trained(store, plan) as alone:
            pass
        with _trained(store, plan) as watched:
            watchers, cores = asyncio.run(_class_of(server, store, watched))
        alone_seconds, watched_seconds = (
            _epoch_seconds(store, run_id) for run_id in (alone, watched)
        )
        store.close()
    updates = [seconds for watcher in watchers for seconds in watcher.updates]
    print(
        f"\n  {len(updates):,} updates of {WATCHERS} watchers; an epoch took "
        f"{watched_seconds:.2f} s, and {alone_seconds:.2f} s when nobody watched"
    )
    return report(
        "Thirty watchers",
        [
            Figure("an update, p95", quantiles(updates, n=20)[-1] * 1e3, 100, "ms"),
            Figure("updates without an answer", sum(w.timeouts for w in watchers), 0, ""),
            Figure("the page server's cores", cores, 0.5, ""),
            Figure(
                "an epoch over one that nobody watches", watched_seconds / alone_seconds, 1.15, "x"
            ),
        ],
    )


def _socket(server: Server) -> str:
    return server.address.replace("http", "ws") + "/_stcore/stream"


async def _visit(server: Server) -> None:
    """Open a page once: the first visit starts the worker."""
    await Watcher(_socket(server), run=0).watch()


async def _class_of(server: Server, store: Store, run_id: int) -> tuple[list[Watcher], float]:
    """Thirty watchers from the run's first point to its end, and the cores the server used."""
    watchers = [Watcher(_socket(server), run_id) for _ in range(WATCHERS)]
    process = psutil.Process(server.process_id)
    while store.run(run_id).step == 0:
        await asyncio.sleep(0.05)
    tasks = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    # Opening thirty pages at once is not what is measured.
    while not all(watcher.updates for watcher in watchers):
        await asyncio.sleep(0.05)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    for watcher in watchers:
        watcher.updates.clear()
    while store.run(run_id).state not in ENDED:
        await asyncio.sleep(0.2)
    cores = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began)
    await asyncio.gather(*tasks)
    return watchers, cores


@contextmanager
def _trained(store: Store, plan: RunPlan) -> Iterator[int]:
    """Queue a run and give its number; leaves when it has ended."""
    run_id = store.queue(plan, owner="bench", name="bench")
    yield run_id
    while store.run(run_id).state not in ENDED:
        time.sleep(0.1)


def _epoch_seconds(store: Store, run_id: int) -> float:
    """Of an epoch in the run's second half."""
    return median(epoch["seconds"] for epoch in store.epochs(run_id)[EPOCHS // 2 :])
