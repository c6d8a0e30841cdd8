"""Where an attempt at a stored run resumes, and which checkpoints can be deleted."""

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
    run: Run, compile_mode: CompileMode, source: DataSource, folder: Path
) -> CheckpointFiles:
    """A run's checkpoint files, with a fingerprint of everything that determines its numbers.

    Args:
        run: the run.
        compile_mode, source: used by this attempt.
        folder: the folder for the checkpoints of all runs.
    """
    fingerprint = {
        "run": run.id,
        "queued": run.created,
        "plan": run.plan.to_dict(),
        "way": compile_mode.key,
        "images": source.files.train_images.sha256,
        "keras": version("keras"),
    }
    return CheckpointFiles(folder, run.id, fingerprint)


def find_resume_point(files: CheckpointFiles, run: Run) -> tuple[Checkpoint | None, str]:
    """Where an attempt at a run starts: its newest usable checkpoint, or the beginning.

    Returns:
        The checkpoint or None; and a text for people that also says why checkpoints were skipped,
        empty for a first attempt.
    """
    if run.attempt == 1:
        return None, ""
    start, problems = files.read()
    if start is not None:
        text = f"resumed at the end of epoch {start.epoch}"
    elif problems:
        text = "restarted from the beginning"
    else:
        text = "restarted from the beginning: no checkpoint was found"
    return start, "; ".join((text, *problems))


def delete_unneeded_checkpoints(folder: Path, store: Store) -> None:
    """Delete the checkpoints of all runs that are neither queued nor running nor resumable.

    Args:
        folder: the folder for the checkpoints of this store's runs.
        store: holds the states of the runs.
    """
    try:
        for run_id in runs_with_checkpoints(folder):
            if not _is_needed(store, run_id):
                remove_checkpoints(folder, run_id)
    except OSError as error:
        logger.warning("cannot delete checkpoints in %s: %s", folder, error)


def _is_needed(store: Store, run_id: int) -> bool:
    try:
        return store.run(run_id).state in {"queued", "running", *RESUMABLE}
    except StoreUnavailable:
        return True
    except UnknownRun:
        return False
