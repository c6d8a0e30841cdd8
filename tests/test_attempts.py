"""A real worker is killed during a run, and the next attempt continues with identical results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lrlab.recipes.plan import RunPlan
from lrlab.runs.attempts import checkpoint_files_of, delete_unneeded_checkpoints, find_resume_point
from lrlab.runs.settings import Settings
from lrlab.runs.store import Run, Store
from lrlab.runs.worker import Exit
from lrlab.training.checkpoint_files import NEWEST, OLDER, Checkpoint, runs_with_checkpoints
from lrlab.training.compile_mode import UNFUSED
from lrlab.training.trainer import train
from tests.engine_runs import ENOUGH_MEMORY, PATIENCE, RECIPE, wait_until
from tests.training_runs import SAMPLE, ListSink, plan_of

PLAN = RunPlan.of(RECIPE, epochs=8, batch_size=32, train_size=300)


def start_worker(url: str, name: str) -> subprocess.Popen[bytes]:
    """Starts a worker without an engine; it trains one run."""
    limits = ["--max-runs", "1", "--retire-above-mb", str(ENOUGH_MEMORY)]
    return subprocess.Popen(
        [sys.executable, "-m", "lrlab.runs.worker", "--name", name, *limits],
        stdin=subprocess.PIPE,
        env=os.environ | {"LRLAB_DATABASE_URL": url},
    )


def test_a_run_whose_worker_was_killed_is_resumed_with_the_same_history(
    new_store: tuple[Store, str],
) -> None:
    store, url = new_store
    folder = Settings(database_url=url).checkpoint_folder
    run_id = store.queue(PLAN, owner="ada", name="cut off")
    with start_worker(url, "first") as worker:
        wait_until(lambda: len(store.epochs(run_id)) >= 2, "two epochs had ended")
        worker.kill()
    assert store.mark_dead("first", "its worker was killed").state == "interrupted"
    assert runs_with_checkpoints(folder) == {run_id}

    store.resume(run_id, by="ada")
    with start_worker(url, "second") as worker:
        assert worker.wait(PATIENCE) == Exit.RETIRED
    run = store.run(run_id)
    assert (run.state, run.attempt) == ("finished", 2)
    assert run.resumed.startswith("resumed at the end of epoch ")
    assert runs_with_checkpoints(folder) == set()

    reference = ListSink()
    outcome = train(PLAN, reference)
    assert run.test_accuracy == outcome.test_accuracy
    history = {
        name: [getattr(row, name) for row in store.epochs(run_id)] for name in reference.history()
    }
    assert history == reference.history()
    points = [(row.step, row.loss, row.learning_rate) for row in store.points(run_id)]
    assert points == [
        (point.step, point.loss, point.learning_rate) for point in reference.all_points
    ]
    assert store.snapshot_epochs(run_id) == list(range(PLAN.epochs + 1))


# Where an attempt starts


@pytest.fixture
def interrupted(new_store: tuple[Store, str], tmp_path: Path) -> tuple[Store, Path, int]:
    """An interrupted run, queued again, with checkpoints of its first two epochs."""
    store, _ = new_store
    store.register_worker("worker")
    run_id = store.queue(plan_of({"optimizer": {"name": "sgd"}}), owner="ada", name="cut off")
    files = checkpoint_files_of(store.claim("worker"), UNFUSED, SAMPLE, tmp_path)
    for epoch in (1, 2):
        files.write(Checkpoint(epoch, (), {}))
    store.mark_dead("worker", "its worker was killed")
    store.register_worker("worker")
    store.resume(run_id, by="ada")
    return store, tmp_path, run_id


def start_attempt(store: Store, folder: Path) -> tuple[int, str]:
    """The number of epochs that the next attempt skips, and its message about it."""
    run = store.claim("worker")
    start, message = find_resume_point(checkpoint_files_of(run, UNFUSED, SAMPLE, folder), run)
    return start.epoch if start else 0, message


@pytest.mark.parametrize(
    ("damaged", "epoch", "message"),
    [
        ([], 2, "resumed at the end of epoch 2"),
        ([NEWEST], 1, "resumed at the end of epoch 1; its latest checkpoint is damaged"),
        (
            [NEWEST, OLDER],
            0,
            (
                "restarted from the beginning; its latest checkpoint is damaged; "
                "its previous checkpoint is damaged"
            ),
        ),
    ],
)
def test_an_attempt_starts_at_the_newest_undamaged_checkpoint_and_says_so(
    interrupted: tuple[Store, Path, int], damaged: list[str], epoch: int, message: str
) -> None:
    store, folder, run_id = interrupted
    for end in damaged:
        path = folder / f"{run_id}{end}"
        path.write_bytes(path.read_bytes()[:-1])
    assert start_attempt(store, folder) == (epoch, message)


def test_an_attempt_without_checkpoints_starts_from_the_beginning_and_says_so(
    interrupted: tuple[Store, Path, int], tmp_path: Path
) -> None:
    store, _, _ = interrupted
    assert start_attempt(store, tmp_path / "empty") == (
        0,
        "restarted from the beginning: no checkpoint was found",
    )


def test_a_first_attempt_reads_no_checkpoint(new_store: tuple[Store, str], tmp_path: Path) -> None:
    store, _ = new_store
    store.register_worker("worker")
    store.queue(plan_of({"optimizer": {"name": "sgd"}}), owner="ada", name="first")
    assert start_attempt(store, tmp_path) == (0, "")


def test_checkpoints_of_runs_that_cannot_be_resumed_are_deleted(
    interrupted: tuple[Store, Path, int],
) -> None:
    store, folder, run_id = interrupted
    delete_unneeded_checkpoints(folder, store)
    assert runs_with_checkpoints(folder) == {run_id}
    run: Run = store.claim("worker")
    delete_unneeded_checkpoints(folder, store)
    assert runs_with_checkpoints(folder) == {run_id}
    store.finish(run_id, run.attempt, "finished", "completed")
    delete_unneeded_checkpoints(folder, store)
    assert runs_with_checkpoints(folder) == set()
