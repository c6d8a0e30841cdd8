"""The list of runs as people read it: a group as one entry, found by name, tag, note and state."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lrlab.runs.store import Group, Run
from lrlab.training.measurements import EpochRecord


@dataclass(frozen=True)
class RunListEntry:
    """One row of the list: a run by itself, or all runs of a group.

    Args:
        name: of the run or of the group.
        runs: one or more, the oldest first.
        kind: of the group; empty for a run by itself.
    """

    name: str
    runs: tuple[Run, ...]
    kind: str = ""

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of its runs."""
        return tuple(run.id for run in self.runs)

    @property
    def state(self) -> str:
        """The state of its run, or how many runs are in which: ``2 finished, 1 queued``."""
        return state_summary(self.runs)

    @property
    def recipe(self) -> str:
        """The recipe of its runs, or how many they are."""
        labels = dict.fromkeys(run.plan.recipe.label for run in self.runs)
        return next(iter(labels)) if len(labels) == 1 else f"{len(labels)} recipes"

    @property
    def done(self) -> float:
        """Which share of all its steps is done, from 0 to 1; what has ended is done."""
        return progress(self.runs)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all its runs, each once."""
        return tuple(dict.fromkeys(tag for run in self.runs for tag in run.tags))


def state_summary(runs: Sequence[Run]) -> str:
    """In which states runs are; a run by itself has its state's name, or ``diverged``."""
    counted = Counter("diverged" if run.diverged else run.state for run in runs)
    if len(runs) == 1:
        return next(iter(counted))
    return ", ".join(f"{count} {state}" for state, count in counted.items())


def progress(runs: Sequence[Run]) -> float:
    """The share of all steps of some runs that are done, from 0 to 1; ended runs are done."""
    total = sum(run.total_steps for run in runs)
    return sum(run.total_steps if run.ended else run.step for run in runs) / total


def list_entries(runs: Sequence[Run], groups: Sequence[Group]) -> list[RunListEntry]:
    """The runs as entries, the one with the newest run first.

    Args:
        runs: the newest first.
        groups: those whose runs make one entry each; other runs stand by themselves.
    """
    known = {group.id: group for group in groups}
    members: dict[int | str, list[Run]] = {}
    for run in runs:
        members.setdefault(run.group if run.group in known else f"run {run.id}", []).append(run)
    return [
        RunListEntry(known[key].name, tuple(reversed(found)), known[key].kind)
        if key in known
        else RunListEntry(found[0].name, (found[0],))
        for key, found in members.items()
    ]


def filter_entries(
    entries: Sequence[RunListEntry],
    text: str = "",
    state: str | None = None,
    tag: str | None = None,
) -> list[RunListEntry]:
    """The entries that have all of what is asked for.

    Args:
        entries: to choose from.
        text: words that must all stand in the names, tags or notes, in any case.
        state: one of its runs is in this state.
        tag: one of its runs has this tag.
    """
    words = text.lower().split()
    return [
        entry
        for entry in entries
        if all(word in _written(entry) for word in words)
        and (state is None or any(run.state == state for run in entry.runs))
        and (tag is None or tag in entry.tags)
    ]


def _written(entry: RunListEntry) -> str:
    said = [entry.name]
    for run in entry.runs:
        said += [str(run.id), run.name, run.notes, *run.tags]
    return "\n".join(said).lower()


def accuracy_curve(entry: RunListEntry, epochs: Mapping[int, Sequence[EpochRecord]]) -> list[float]:
    """The validation accuracy after each epoch: the mean over seeds, but of a sweep the run that
    ended best, as a mean over different recipes says nothing.

    Args:
        entry: the row.
        epochs: the store's epochs of each run, by its number.
    """
    if entry.kind != "sweep":
        return mean_accuracies([epochs[run.id] for run in entry.runs])
    curves = [mean_accuracies([epochs[run.id]]) for run in entry.runs]
    return max(curves, key=lambda curve: curve[-1:])


def mean_accuracies(epochs: Sequence[Sequence[EpochRecord]]) -> list[float]:
    """The validation accuracy after each epoch, the mean over the runs that have come so far;
    empty before the first."""
    longest = max((len(rows) for rows in epochs), default=0)
    curve = [
        fmean(rows[i].val_accuracy for rows in epochs if len(rows) > i) for i in range(longest)
    ]
    return [value for value in curve if math.isfinite(value)]


def training_seconds(runs: Sequence[Run], now: float) -> float | None:
    """How long runs have been trained, all together; None before the first began.

    Args:
        runs: whose time is taken.
        now: UTC in seconds since 1970.
    """
    spent = [(run.ended or now) - run.started for run in runs if run.started]
    return sum(spent) if spent else None
