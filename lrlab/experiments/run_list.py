"""The list of runs: one entry for each single run or group, and how entries are filtered."""

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
    """One row of the list: a single run, or all runs of a group.

    Args:
        name: the name of the run or group.
        runs: one or more, oldest first.
        kind: the group's kind; empty for a single run.
    """

    name: str
    runs: tuple[Run, ...]
    kind: str = ""

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of its runs."""
        return tuple(run.id for run in self.runs)

    @property
    def state(self) -> str:
        """The state of its run, or the number of runs in each state: ``2 finished, 1 queued``."""
        return state_summary(self.runs)

    @property
    def recipe(self) -> str:
        """The label of its runs' recipe, or the number of different recipes."""
        labels = dict.fromkeys(run.plan.recipe.label for run in self.runs)
        return next(iter(labels)) if len(labels) == 1 else f"{len(labels)} recipes"

    @property
    def done(self) -> float:
        """The progress of its runs (see `progress`), from 0 to 1."""
        return progress(self.runs)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its runs, without duplicates."""
        return tuple(dict.fromkeys(tag for run in self.runs for tag in run.tags))


def state_summary(runs: Sequence[Run]) -> str:
    """The number of runs in each state; for a single run just its state.

    A run that diverged counts as ``diverged``.
    """
    counts = Counter("diverged" if run.diverged else run.state for run in runs)
    if len(runs) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def progress(runs: Sequence[Run]) -> float:
    """The share of the runs' steps that is done, from 0 to 1; a run that has ended counts fully."""
    total = sum(run.total_steps for run in runs)
    return sum(run.total_steps if run.ended else run.step for run in runs) / total


def list_entries(runs: Sequence[Run], groups: Sequence[Group]) -> list[RunListEntry]:
    """The runs as list entries, the entry with the newest run first.

    Args:
        runs: newest first.
        groups: the groups that make one entry each; all other runs get an entry of their own.
    """
    groups_by_id = {group.id: group for group in groups}
    members: dict[int | str, list[Run]] = {}
    for run in runs:
        group = None if run.group is None else groups_by_id.get(run.group)
        members.setdefault(group.id if group else f"run {run.id}", []).append(run)
    entries = []
    for key, group_runs in members.items():
        if isinstance(key, int):
            group = groups_by_id[key]
            entries.append(RunListEntry(group.name, tuple(reversed(group_runs)), group.kind))
        else:
            entries.append(RunListEntry(group_runs[0].name, (group_runs[0],)))
    return entries


def filter_entries(
    entries: Sequence[RunListEntry],
    text: str = "",
    state: str | None = None,
    tag: str | None = None,
) -> list[RunListEntry]:
    """The entries that meet all conditions.

    Args:
        entries: the entries to choose from.
        text: words that must all occur in the entry's names, run ids, tags or notes, ignoring
            case.
        state: at least one run must be in this state.
        tag: at least one run must have this tag.
    """
    words = text.lower().split()
    return [
        entry
        for entry in entries
        if all(word in _searchable_text(entry) for word in words)
        and (state is None or any(run.state == state for run in entry.runs))
        and (tag is None or tag in entry.tags)
    ]


def _searchable_text(entry: RunListEntry) -> str:
    texts = [entry.name]
    for run in entry.runs:
        texts += [str(run.id), run.name, run.notes, *run.tags]
    return "\n".join(texts).lower()


def accuracy_curve(entry: RunListEntry, epochs: Mapping[int, Sequence[EpochRecord]]) -> list[float]:
    """The validation accuracy after each epoch: the mean over an entry's runs.

    For a sweep it is the curve of the run with the best last accuracy instead, because a mean
    over different recipes is meaningless.

    Args:
        entry: the list entry.
        epochs: run id -> the run's epochs.
    """
    if entry.kind != "sweep":
        return mean_accuracies([epochs[run.id] for run in entry.runs])
    curves = [mean_accuracies([epochs[run.id]]) for run in entry.runs]
    return max(curves, key=lambda curve: curve[-1:])


def mean_accuracies(epochs: Sequence[Sequence[EpochRecord]]) -> list[float]:
    """The validation accuracy after each epoch, the mean over the runs that completed it.

    Args:
        epochs: the epochs of each run.

    Returns:
        One value per epoch, without values that are not finite; empty before the first epoch.
    """
    longest = max((len(rows) for rows in epochs), default=0)
    curve = [
        fmean(rows[i].val_accuracy for rows in epochs if len(rows) > i) for i in range(longest)
    ]
    return [value for value in curve if math.isfinite(value)]


def training_seconds(runs: Sequence[Run], now: float) -> float | None:
    """The total training time of runs in seconds; None if none has started.

    Args:
        runs: the runs.
        now: the current time, UTC in seconds since 1970, for runs that have not ended.
    """
    durations = [(run.ended or now) - run.started for run in runs if run.started]
    return sum(durations) if durations else None
