"""Checkpoint files: the state from which a run can resume, written atomically.

A run keeps its two newest checkpoints, so that damage to one costs only an epoch or two. A file
holds a line with the SHA-256 of the rest, a line of JSON, and a NumPy archive that is read without
pickle. It is written under a temporary name, synced, and then renamed.

Importing this module loads neither TensorFlow nor Keras, because a page deletes the checkpoints of
a run together with the run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NEWEST, OLDER, UNFINISHED = ".checkpoint", ".older", ".unfinished"
"""Suffixes of a run's files; the stem is the run's id."""


class UnusableCheckpoint(Exception):
    """A checkpoint that cannot be used; the message is the predicate of a sentence for people."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training at the end of an epoch.

    Args:
        epoch: epochs finished, 1 or more.
        variables: every variable of the network and the optimizer, in order.
        callback: the state of a reactive schedule's callback; empty for other schedules.
    """

    epoch: int
    variables: tuple[np.ndarray, ...]
    callback: Mapping[str, float]


@dataclass(frozen=True)
class CheckpointFiles:
    """The checkpoints of one run.

    Args:
        folder: the folder for the files of all runs; created when needed.
        run_id: the run.
        fingerprint: everything that determines the training, as JSON values; a checkpoint with
            another fingerprint is not used.
    """

    folder: Path
    run_id: int
    fingerprint: Mapping[str, object]

    def write(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint as the newest, and keep the previous newest as the older one.

        If the process is killed at any moment, at least one file that was complete before is
        still complete.

        Raises:
            OSError: the checkpoint cannot be written; the previous ones are unchanged.
        """
        newest, older, unfinished = (self._path(suffix) for suffix in (NEWEST, OLDER, UNFINISHED))
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                file.write(_pack(checkpoint, self.fingerprint))
                file.flush()
                os.fsync(file.fileno())
            if newest.exists():
                newest.replace(older)
            unfinished.replace(newest)
        except OSError:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(self.folder)

    def read(self) -> tuple[Checkpoint | None, tuple[str, ...]]:
        """Read the newest usable checkpoint.

        Returns:
            The checkpoint, or None if no file is usable; and for each file that had to be skipped,
            a phrase for people that says why.
        """
        problems: list[str] = []
        for which, suffix in (("latest", NEWEST), ("previous", OLDER)):
            try:
                content = self._path(suffix).read_bytes()
                return _unpack(content, self.fingerprint), tuple(problems)
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(f"its {which} checkpoint cannot be read ({error.strerror})")
            except UnusableCheckpoint as error:
                problems.append(f"its {which} checkpoint {error}")
        return None, tuple(problems)

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.run_id}{suffix}"


def remove_checkpoints(folder: Path, run_id: int) -> None:
    """Delete the checkpoints of a run, if it has any.

    Raises:
        OSError: a file cannot be deleted.
    """
    for suffix in (NEWEST, OLDER, UNFINISHED):
        (folder / f"{run_id}{suffix}").unlink(missing_ok=True)


def runs_with_checkpoints(folder: Path) -> set[int]:
    """The ids of the runs that have a file in a folder; empty if the folder does not exist."""
    paths = [path for path in folder.glob("*") if path.suffix in (NEWEST, OLDER, UNFINISHED)]
    return {int(path.stem) for path in paths if path.stem.isdecimal()}


def _pack(checkpoint: Checkpoint, fingerprint: Mapping[str, object]) -> bytes:
    header = {
        "belongs_to": fingerprint,
        "epoch": checkpoint.epoch,
        "callback": checkpoint.callback,
    }
    archive = io.BytesIO()
    np.savez(archive, *checkpoint.variables)
    content = json.dumps(header).encode() + b"\n" + archive.getvalue()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _unpack(packed: bytes, fingerprint: Mapping[str, object]) -> Checkpoint:
    """The inverse of `_pack`.

    Raises:
        UnusableCheckpoint: the content is damaged or has another fingerprint.
    """
    digest, _, content = packed.partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise UnusableCheckpoint("is damaged")
    header_line, _, archive = content.partition(b"\n")
    try:
        header = json.loads(header_line)
        if header["belongs_to"] != json.loads(json.dumps(fingerprint)):
            raise UnusableCheckpoint("was written for other data, settings or versions")
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            variables = tuple(arrays[name] for name in arrays.files)
        return Checkpoint(int(header["epoch"]), variables, dict(header["callback"]))
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UnusableCheckpoint("was not written by this version of LR Lab") from error


def _sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power failure, on POSIX systems."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
