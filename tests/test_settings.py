"""Settings are read from the environment, validated, and all documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lrlab.datasets.sources import DATA_VARIABLE
from lrlab.params import InvalidInput
from lrlab.runs.settings import (
    CHECKPOINT_VARIABLE,
    CLASS_VARIABLE,
    DATABASE_VARIABLE,
    INSTRUCTOR_VARIABLE,
    NUMBERS,
    Settings,
)

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_without_variables_all_settings_have_their_defaults() -> None:
    blank = {param.name: " " for param in NUMBERS} | {CLASS_VARIABLE: ""}
    assert Settings.from_environment({}) == Settings.from_environment(blank) == Settings()


def test_each_number_is_stored_in_its_setting() -> None:
    environment = {param.name: str(int(param.high) - 1) for param in NUMBERS}
    settings = Settings.from_environment(environment)
    for param in NUMBERS:
        name = param.name.removeprefix("LRLAB_").lower()
        section = settings.limits if hasattr(settings.limits, name) else settings
        assert getattr(section, name) == param.high - 1


def test_checkpoints_are_stored_beside_an_sqlite_file_unless_a_folder_is_configured() -> None:
    assert Settings().checkpoint_folder == Path(".lrlab/lrlab.db-checkpoints")
    elsewhere = Settings(database_url="sqlite:////tmp/a b/runs.db?timeout=9")
    assert elsewhere.checkpoint_folder == Path("/tmp/a b/runs.db-checkpoints")
    postgres = Settings(database_url="postgresql://ada:secret@host/runs")
    assert postgres.checkpoint_folder == Path(".lrlab/runs-checkpoints")
    configured = Settings.from_environment({CHECKPOINT_VARIABLE: " /tmp/kept "})
    assert configured.checkpoint_folder == Path("/tmp/kept")


def test_codes_are_read_and_never_printed() -> None:
    environment = {INSTRUCTOR_VARIABLE: " chalk dust ", CLASS_VARIABLE: "room 12"}
    settings = Settings.from_environment(environment)
    assert settings.codes.is_instructor("chalk dust")
    assert settings.codes.may_queue("room 12")
    assert "chalk" not in repr(settings) and "room" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("LRLAB_WORKERS", "four", "a whole number from 1 to 64"),
        ("LRLAB_WORKERS", "0", "a whole number from 1 to 64"),
        ("LRLAB_WORKERS", "1.5", "a whole number from 1 to 64"),
        ("LRLAB_RUN_MINUTES", "nan", "a number from 0.1 to 1440"),
        ("LRLAB_MAX_EPOCHS", "101", "a whole number from 1 to 100"),
        ("LRLAB_INSTRUCTOR_CODE", "12345", "at least 6 characters"),
        ("LRLAB_CLASS_CODE", "abc", "at least 6 characters"),
    ],
)
def test_an_invalid_value_is_refused_by_name(name: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidInput, match=f"settings: {name} .*{allowed}") as refused:
        Settings.from_environment({name: value})
    assert ("CODE" in name) is (value not in str(refused.value))


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(LRLAB_\w+)` \| .* \| (.*) \|$", README, re.MULTILINE))
    variables = {
        DATABASE_VARIABLE,
        CHECKPOINT_VARIABLE,
        DATA_VARIABLE,
        INSTRUCTOR_VARIABLE,
        CLASS_VARIABLE,
    }
    assert set(rows) == variables | {param.name for param in NUMBERS}
    for param in NUMBERS:
        assert rows[param.name] == f"`{param.text(param.default)}`"
