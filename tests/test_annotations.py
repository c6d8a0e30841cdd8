"""Names, tags and notes of runs and groups, and reading epochs of several runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrlab.params import InvalidInput
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import Store, UnknownRun, WriteRefused
from lrlab.training.measurements import EpochRecord

PLAN = RunPlan.of(Recipe.from_dict({"optimizer": {"name": "adam"}}))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'runs.db'}")
    yield opened
    opened.close()


def test_annotating_a_run_changes_only_its_name_tags_and_notes(store: Store) -> None:
    run_id = store.queue(PLAN, owner="ada", name="first")
    before = store.run(run_id)
    store.annotate(run_id, by="ada", name=" best yet ", tags=["a", " b ", "a", ""])
    store.annotate(run_id, by="ada", notes="two\nlines ")
    after = store.run(run_id)
    assert (after.name, after.tags, after.notes) == ("best yet", ("a", "b"), "two\nlines")
    assert (after.plan, after.state, after.created) == (before.plan, before.state, before.created)
    store.annotate(run_id, by="ada", tags=[])
    assert store.run(run_id).tags == ()
    assert store.run(run_id).notes == "two\nlines"


def test_only_the_owner_can_annotate_a_run(store: Store) -> None:
    run_id = store.queue(PLAN, owner="ada", name="first")
    with pytest.raises(WriteRefused, match="belongs to another browser"):
        store.annotate(run_id, by="eve", name="mine now")
    assert store.run(run_id).name == "first"
    with pytest.raises(UnknownRun):
        store.annotate(run_id + 1, by="ada", name="x")


def test_only_the_owner_can_rename_a_group(store: Store) -> None:
    group = store.queue_group({"a": PLAN}, owner="ada", name="first", kind="seeds")
    store.rename_group(group, by="ada", name=" best yet ")
    assert store.group(group).name == "best yet"
    with pytest.raises(WriteRefused, match="belongs to another browser"):
        store.rename_group(group, by="eve", name="mine now")
    with pytest.raises(InvalidInput, match="1 to 100"):
        store.rename_group(group, by="ada", name=" ")
    with pytest.raises(UnknownRun):
        store.rename_group(group + 1, by="ada", name="x")
    assert store.group(group).name == "best yet"


@pytest.mark.parametrize(
    "annotation",
    [
        {"name": " "},
        {"tags": ["x" * 31]},
        {"tags": ["a,b"]},
        {"tags": ["a\nb"]},
        {"tags": [str(i) for i in range(11)]},
        {"notes": "x" * 4_001},
        {"notes": "bell \a"},
    ],
)
def test_an_invalid_annotation_changes_nothing(store: Store, annotation: dict) -> None:
    run_id = store.queue(PLAN, owner="ada", name="first")
    before = store.run(run_id)
    with pytest.raises(InvalidInput):
        store.annotate(run_id, by="ada", **annotation)
    assert store.run(run_id) == before


def test_epochs_of_several_runs_are_read_at_once(store: Store) -> None:
    store.register_worker("w")
    ids = [store.queue(PLAN, owner=owner, name="r") for owner in ("ada", "bob", "eve")]
    for run_id in ids[:2]:
        run = store.claim("w")
        for epoch in (1, 2):
            store.record_epoch(
                run_id, run.attempt, EpochRecord(epoch, epoch * 10, 1, 0.5, 1, run_id / 10, 0.1, 1)
            )
        store.finish(run_id, run.attempt, "finished", "done")
    epochs_by_run = store.epochs_of(ids)
    assert {run_id: [e.epoch for e in rows] for run_id, rows in epochs_by_run.items()} == {
        ids[0]: [1, 2],
        ids[1]: [1, 2],
        ids[2]: [],
    }
    assert epochs_by_run[ids[1]] == store.epochs(ids[1])
    assert store.epochs_of([]) == {}
