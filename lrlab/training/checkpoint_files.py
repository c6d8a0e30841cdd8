"""Checkpoints: what a run needs to go on, in files that are whole or not there.

A run has two files, the newest and the one before it, so that damage to one costs an epoch or two
and no more. A file is a line with the SHA-256 of all that follows, a line of JSON, and a NumPy
archive read without pickle. It is written beside its place, synced, and then renamed.

Importing this module loads neither TensorFlow nor Keras: a page removes the files of a run that
it deletes.
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
from typing import Any

import numpy as np

NEWEST, OLDER, UNFINISHED = ".checkpoint", ".older", ".unfinished"
"""How the names of a run's files end; before it stands the run's number."""


class DamagedCheckpoint(Exception):
    """A checkpoint that cannot be used; the message says why, in a few words for people."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training as it stands at the end of an epoch.

    Args:
        epoch: epochs finished, 1 or more.
        variables: every variable of the network and the optimizer, in their order.
        callback: what the callback of a reactive schedule remembers, fit for JSON; empty for
            other schedules.
    """

    epoch: int
    variables: tuple[np.ndarray, ...]
    callback: Mapping[str, Any]


@dataclass(frozen=True)
class CheckpointFiles:
    """The checkpoints of one run.

    Args:
        folder: where the files of all runs lie; it is made when it is needed.
        run_id: the run.
        belongs_to: what decides the training, fit for JSON: a checkpoint that was written for
            anything else is not used.
    """

    folder: Path
    run_id: int
    belongs_to: Mapping[str, Any]

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint as the newest, and the newest so far as the older one.

        Whenever the process is killed, at least one file that was whole before is whole after.

        Raises:
            OSError: it cannot be written; what was there before still is.
        """
        newest, older, unfinished = (self._path(end) for end in (NEWEST, OLDER, UNFINISHED))
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                file.write(_packed(checkpoint, self.belongs_to))
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
        """The newest sound checkpoint, and of each that had to be passed over, why.

        None when there is no sound one.
        """
        passed_over = []
        for which, end in (("last", NEWEST), ("last but one", OLDER)):
            try:
                content = self._path(end).read_bytes()
                return _unpacked(content, self.belongs_to), tuple(passed_over)
            except FileNotFoundError:
                continue
            except OSError as error:
                passed_over.append(f"its {which} checkpoint cannot be read ({error.strerror})")
            except DamagedCheckpoint as error:
                passed_over.append(f"its {which} checkpoint {error}")
        return None, tuple(passed_over)

    def _path(self, end: str) -> Path:
        return self.folder / f"{self.run_id}{end}"


def remove_checkpoints(folder: Path, run_id: int) -> None:
    """Remove the checkpoints of a run; one that has none is fine.

    Raises:
        OSError: a file cannot be removed.
    """
    for end in (NEWEST, OLDER, UNFINISHED):
        (folder / f"{run_id}{end}").unlink(missing_ok=True)


def runs_with_checkpoints(folder: Path) -> set[int]:
    """The numbers of the runs that have a file in a folder, which need not exist."""
    names = [path for path in folder.glob("*") if path.suffix in (NEWEST, OLDER, UNFINISHED)]
    return {int(path.stem) for path in names if path.stem.isdecimal()}


def _packed(checkpoint: Checkpoint, belongs_to: Mapping[str, Any]) -> bytes:
    about = {
        "belongs_to": belongs_to,
        "epoch": checkpoint.epoch,
        "callback": checkpoint.callback,
    }
    archive = io.BytesIO()
    np.savez(archive, *checkpoint.variables)
    content = json.dumps(about).encode() + b"\n" + archive.getvalue()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _unpacked(packed: bytes, belongs_to: Mapping[str, Any]) -> Checkpoint:
    """What `_packed` was given.

    Raises:
        Damaged: it is not that, or was written for something else.
    """
    digest, _, content = packed.partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise DamagedCheckpoint("is damaged")
    about, _, archive = content.partition(b"\n")
    try:
        found = json.loads(about)
        if found["belongs_to"] != json.loads(json.dumps(belongs_to)):
            raise DamagedCheckpoint("was written for other data, settings or versions")
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            variables = tuple(arrays[name] for name in arrays.files)
        return Checkpoint(int(found["epoch"]), variables, dict(found["callback"]))
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DamagedCheckpoint("is not one that this LR Lab wrote") from error


def _sync_folder(folder: Path) -> None:
    """Makes renames in a folder last through a power failure, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
