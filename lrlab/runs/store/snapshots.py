"""What a network learned, kept as small archives: written by workers, read without TensorFlow."""

from __future__ import annotations

import io

import numpy as np
from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.run_rows import WriteRefused, find_current_attempt, plan_from
from lrlab.runs.store.schema import artifacts
from lrlab.training.measurements import EpochSnapshot, Mistakes, RunResult

LEARNED, MISTAKES, KERAS_FILE = "learned", "mistakes", "keras_file"
"""What there is of a run, by its name in the table."""


class SnapshotStore(StorePart):
    """What the store keeps of a run besides numbers."""

    def record_snapshot(self, run_id: int, attempt: int, learned: EpochSnapshot) -> None:
        """Add what the network has learned by an epoch's end.

        Raises:
            StaleAttempt: that attempt is over.
            WriteRefused: the run has that epoch already.
        """
        content = _pack(
            filters=learned.filters,
            scale=np.float64(learned.scale),
            **({} if learned.confusion is None else {"confusion": learned.confusion}),
        )
        with self._database.writing() as connection:
            find_current_attempt(connection, run_id, attempt)
            _add(connection, run_id, learned.epoch, {LEARNED: content})

    def record_result(self, run_id: int, attempt: int, result: RunResult) -> None:
        """Add what there is once a run has trained all its epochs.

        Raises:
            StaleAttempt: that attempt is over.
            WriteRefused: the run has it already.
        """
        contents = {MISTAKES: _pack(**vars(result.mistakes)), KERAS_FILE: result.keras_file}
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            _add(connection, run_id, plan_from(row.plan).epochs, contents)

    def snapshot_epochs(self, run_id: int) -> list[int]:
        """The epochs of which `learned` knows something, in order; 0 is before the first."""
        query = select(artifacts.c.epoch).where(
            artifacts.c.run_id == run_id, artifacts.c.name == LEARNED
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(artifacts.c.epoch)))

    def learned(self, run_id: int, epoch: int) -> EpochSnapshot | None:
        """What a run's network had learned by the end of an epoch; None where it is not known."""
        content = self._read(run_id, LEARNED, epoch)
        if content is None:
            return None
        found = _unpack(content)
        return EpochSnapshot(epoch, found["filters"], float(found["scale"]), found.get("confusion"))

    def mistakes(self, run_id: int) -> Mistakes | None:
        """The test images a run's network got wrong; None until it has trained all its epochs."""
        content = self._read(run_id, MISTAKES)
        return None if content is None else Mistakes(**_unpack(content))

    def keras_file(self, run_id: int) -> bytes | None:
        """A run's network as the content of a ``.keras`` file; None until it is trained."""
        return self._read(run_id, KERAS_FILE)

    def has_keras_file(self, run_id: int) -> bool:
        """Whether `keras_file` has something to give."""
        there = exists().where(artifacts.c.run_id == run_id, artifacts.c.name == KERAS_FILE)
        with self._database.reading() as connection:
            return bool(connection.scalar(select(there)))

    def _read(self, run_id: int, name: str, epoch: int | None = None) -> bytes | None:
        query = select(artifacts.c.content).where(
            artifacts.c.run_id == run_id, artifacts.c.name == name
        )
        if epoch is not None:
            query = query.where(artifacts.c.epoch == epoch)
        with self._database.reading() as connection:
            return connection.scalar(query)


def delete_snapshots_after(connection: Connection, run_id: int, epoch: int) -> None:
    """Remove what a run learned after its first ``epoch`` epochs, and what came of it in the end;
    with 0 also what there was before the first."""
    past = (artifacts.c.epoch > epoch) | (artifacts.c.name != LEARNED)
    if epoch == 0:
        past = artifacts.c.epoch >= 0
    connection.execute(delete(artifacts).where(artifacts.c.run_id == run_id, past))


def _add(connection: Connection, run_id: int, epoch: int, contents: dict[str, bytes]) -> None:
    rows = [
        {"run_id": run_id, "epoch": epoch, "name": name, "content": content}
        for name, content in contents.items()
    ]
    try:
        connection.execute(insert(artifacts), rows)
    except IntegrityError as error:
        raise WriteRefused(f"Run {run_id} has this of epoch {epoch} already.") from error


def _pack(**arrays: np.ndarray) -> bytes:
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()


def _unpack(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
