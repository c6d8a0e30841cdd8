"""Draw the selected runs as what they are: one run, a group, or a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from lrlab.recipes.plan import RunPlan
from lrlab.runs.store import Group, Run
from lrlab.ui.app.server import server
from lrlab.ui.range_test.result import range_test_view
from lrlab.ui.runs.annotations import group_annotations, run_annotations
from lrlab.ui.runs.comparison import comparison, run_series
from lrlab.ui.runs.epoch_snapshots import epoch_snapshots_view
from lrlab.ui.runs.run_view import run_header, run_view
from lrlab.ui.runs.seeds_view import seeds_view
from lrlab.ui.sweep.result import sweep_view


def run_detail_by_id(run_id: int, plan: RunPlan) -> None:
    """Draw a run, or its whole group if it was queued in one.

    Args:
        run_id: the run.
        plan: the planned run; its recipe receives the rate that a range test suggests.
    """
    store = server().store
    run = store.run(run_id)
    if run.group is None:
        run_view(run_id)
        epoch_snapshots_view(run)
    else:
        _group_view(store.group(run.group), plan)


def run_detail(runs: Sequence[Run], plan: RunPlan) -> None:
    """Draw one run, all runs of a group, or a comparison; ``plan`` as for `run_detail_by_id`."""
    store = server().store
    group_id = runs[0].group
    ids = {run.id for run in runs}
    if group_id is not None and {run.id for run in store.runs(group=group_id)} == ids:
        group = store.group(group_id)
        _group_view(group, plan)
        if len(runs) == 1:
            run_header(runs[0])
        group_annotations(group, runs)
    elif len(runs) == 1:
        run_view(runs[0].id)
        epoch_snapshots_view(runs[0])
        run_annotations(runs[0])
    else:
        comparison(run_series(runs))


def _group_view(group: Group, plan: RunPlan) -> None:
    if group.kind == "seeds":
        seeds_view(group)
    elif group.kind == "sweep":
        sweep_view(group)
    else:
        range_test_view(group, plan)
