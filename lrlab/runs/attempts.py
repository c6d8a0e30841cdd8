"""Where an attempt at a stored run goes on, and which checkpoints nobody needs any more."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path

from lrlab.datasets.sources import DataSource
from lrlab.runs.store import RESUMABLE, Run, Store, StoreUnavailable, UnknownRun
from lrlab.training.checkpoint_files import (
    Checkpoint,
    CheckpointFiles,
    remove_checkpoints,
    runs_with_checkpoints,
)
from lrlab.training.compile_mode import CompileMode

logger = logging.getLogger("lrlab.worker")


def checkpoint_files_of(
    run: Run, way: CompileMode, source: DataSource, folder: Path
) -> CheckpointFiles:
    """A run's checkpoints, bound to all that decides its numbers.

    Args:
        run: the run.
        way, source: how and on what it is trained now.
        folder: where the checkpoints of all runs lie.
    """
    belongs_to = {
        "run": run.id,
        "queued": run.created,
        "plan": run.plan.to_dict(),
        "way": way.key,
        "images": source.files.train_images.sha256,
        "keras": version("keras"),
    }
    return CheckpointFiles(folder, run.id, belongs_to)


def find_resume_point(files: CheckpointFiles, run: Run) -> tuple[Checkpoint | None, str]:
    """Where a run's attempt starts: at its newest sound checkpoint, else at its beginning.

    Returns:
        The checkpoint, and the same in words, with what was the matter with those that had to be
        passed over; no words for a first attempt.
    """
    if run.attempt == 1:
        return None, ""
    start, passed_over = files.read()
    if start is not None:
        said = f"resumed at the end of epoch {start.epoch}"
    elif passed_over:
        said = "begun anew"
    else:
        said = "begun anew: no epoch had been kept"
    return start, "; ".join((said, *passed_over))


def delete_unneeded_checkpoints(folder: Path, store: Store) -> None:
    """Remove the checkpoints of all runs that can neither go on nor be resumed.

    Args:
        folder: where the checkpoints of this store's runs lie.
        store: says what became of the runs.
    """
    try:
        for run_id in runs_with_checkpoints(folder):
            if not _may_go_on(store, run_id):
                remove_checkpoints(folder, run_id)
    except OSError as error:
        logger.warning("checkpoints in %s cannot be removed: %s", folder, error)


def _may_go_on(store: Store, run_id: int) -> bool:
    try:
        return store.run(run_id).state in {"queued", "running", *RESUMABLE}
    except StoreUnavailable:
        return True
    except UnknownRun:
        return False
