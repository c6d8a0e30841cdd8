"""Epoch snapshots, results and trained networks, stored as small archives.

Workers write them; they are read without TensorFlow.
"""

from __future__ import annotations

import io

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from lrlab.runs.store.database import StorePart
from lrlab.runs.store.run_rows import WriteRefused, find_current_attempt
from lrlab.runs.store.schema import artifacts
from lrlab.runs.store.states import plan_from
from lrlab.training.measurements import EpochSnapshot, Mistakes, RunResult

EPOCH_SNAPSHOT, MISTAKES, KERAS_FILE = "learned", "mistakes", "keras_file"
"""Their names in the table of artifacts; version 3 of the schema already wrote "learned"."""


class SnapshotStore(StorePart):
    """A run's epoch snapshots, mistakes and trained network, each stored as one artifact."""

    def record_snapshot(self, run_id: int, attempt: int, snapshot: EpochSnapshot) -> None:
        """Add an epoch snapshot.

        Raises:
            StaleAttempt: the attempt is over.
            WriteRefused: the run already has a snapshot of that epoch.
        """
        content = _pack(
            filters=snapshot.filters,
            scale=np.array(snapshot.scale, np.float64),
            **({} if snapshot.confusion is None else {"confusion": snapshot.confusion}),
        )
        with self._database.writing() as connection:
            find_current_attempt(connection, run_id, attempt)
            _add(connection, run_id, snapshot.epoch, {EPOCH_SNAPSHOT: content})

    def record_result(self, run_id: int, attempt: int, result: RunResult) -> None:
        """Add the result of a run that has trained all its epochs.

        Raises:
            StaleAttempt: the attempt is over.
            WriteRefused: the run already has a result.
        """
        contents = {MISTAKES: _pack(**vars(result.mistakes)), KERAS_FILE: result.keras_file}
        with self._database.writing() as connection:
            row = find_current_attempt(connection, run_id, attempt)
            _add(connection, run_id, plan_from(row.plan).epochs, contents)

    def snapshot_epochs(self, run_id: int) -> list[int]:
        """The epochs that have a snapshot, in order; 0 means before the first epoch."""
        query = select(artifacts.c.epoch).where(
            artifacts.c.run_id == run_id, artifacts.c.name == EPOCH_SNAPSHOT
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(artifacts.c.epoch)))

    def epoch_snapshot(self, run_id: int, epoch: int) -> EpochSnapshot | None:
        """The snapshot taken at the end of an epoch; None if there is none."""
        content = self._read(run_id, EPOCH_SNAPSHOT, epoch)
        if content is None:
            return None
        arrays = _unpack(content)
        return EpochSnapshot(
            epoch, arrays["filters"], float(arrays["scale"]), arrays.get("confusion")
        )

    def mistakes(self, run_id: int) -> Mistakes | None:
        """The test images that a run's network got wrong; None until all epochs are trained."""
        content = self._read(run_id, MISTAKES)
        return None if content is None else Mistakes(**_unpack(content))

    def keras_file(self, run_id: int) -> bytes | None:
        """A run's trained network as the content of a ``.keras`` file; None until it is trained."""
        return self._read(run_id, KERAS_FILE)

    def has_keras_file(self, run_id: int) -> bool:
        """Whether `keras_file` returns a file."""
        stored = exists().where(artifacts.c.run_id == run_id, artifacts.c.name == KERAS_FILE)
        with self._database.reading() as connection:
            return bool(connection.scalar(select(stored)))

    def _read(self, run_id: int, name: str, epoch: int | None = None) -> bytes | None:
        query = select(artifacts.c.content).where(
            artifacts.c.run_id == run_id, artifacts.c.name == name
        )
        if epoch is not None:
            query = query.where(artifacts.c.epoch == epoch)
        with self._database.reading() as connection:
            return connection.scalar(query)


def delete_snapshots_after(connection: Connection, run_id: int, epoch: int) -> None:
    """Delete a run's result and its snapshots of later epochs; 0 deletes all of its snapshots."""
    later: ColumnElement[bool] = (artifacts.c.epoch > epoch) | (artifacts.c.name != EPOCH_SNAPSHOT)
    if epoch == 0:
        later = artifacts.c.epoch >= 0
    connection.execute(delete(artifacts).where(artifacts.c.run_id == run_id, later))


def _add(connection: Connection, run_id: int, epoch: int, contents: dict[str, bytes]) -> None:
    rows = [
        {"run_id": run_id, "epoch": epoch, "name": name, "content": content}
        for name, content in contents.items()
    ]
    try:
        connection.execute(insert(artifacts), rows)
    except IntegrityError as error:
        raise WriteRefused(f"Run {run_id} already has data for epoch {epoch}.") from error


def _pack(**arrays: np.ndarray) -> bytes:
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    return archive.getvalue()


def _unpack(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
