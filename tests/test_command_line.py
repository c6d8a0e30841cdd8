"""``python -m lrlab``: its output, its errors and its exit status."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from lrlab.__main__ import EpochPrinter, main
from lrlab.datasets import sources
from lrlab.training.measurements import EpochRecord

ROOT = Path(__file__).parent.parent
KEYS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
NADAM = '{"optimizer": {"name": "nadam"}}'


@pytest.fixture
def only_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy of the full data set and nothing to download."""
    monkeypatch.delenv("LRLAB_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(sources, "PACKAGE_FOLDER", tmp_path / "package")
    monkeypatch.setattr(sources, "DOWNLOAD_URL", (tmp_path / "nowhere").as_uri() + "/")


def recipe_file(folder: Path, text: str = NADAM) -> str:
    path = folder / "recipe.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python as a command in this folder, without internet access."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "https_proxy": "http://127.0.0.1:9"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def strict_json(line: str) -> dict[str, float | str]:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not strict JSON")

    return json.loads(line, parse_constant=refuse)


def test_train_prints_one_json_line_per_epoch_and_nothing_else(tmp_path: Path) -> None:
    recipe_file(tmp_path)
    process = python(
        *("-m", "lrlab", "train", "recipe.json", "--epochs", "2", "--train-size", "256"),
        *("--batch-size", "64", "--seed", "5", "--network", "mlp"),
        folder=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    lines = [strict_json(line) for line in process.stdout.splitlines()]
    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[1]["loss"] < lines[0]["loss"]
    assert lines[0]["learning_rate"] == pytest.approx(1e-3)
    data_line, outcome = process.stderr.splitlines()[-2:]
    assert "Fashion-MNIST" in data_line
    assert outcome.startswith("completed all 8 steps; test accuracy 0.")
    assert "oneDNN" not in process.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.json"]


def test_train_with_only_the_sample_uses_all_of_it(
    only_sample: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = recipe_file(tmp_path)
    assert main(["train", recipe, "--epochs", "1", "--batch-size", "125"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert "Bundled sample" in printed.err
    assert "completed all 30 steps" in printed.err


def test_a_diverging_run_exits_successfully(
    only_sample: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = recipe_file(
        tmp_path,
        '{"optimizer": {"name": "sgd"}, "schedule": {"name": "piecewise_constant_decay",'
        ' "boundaries": [5], "values": [0.01, 1e6]}}',
    )
    assert main(["train", recipe, "--epochs", "1", "--train-size", "1000"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("diverged at step ")


def test_numbers_that_are_not_finite_are_printed_as_strings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    EpochPrinter().epoch(
        EpochRecord(
            epoch=1,
            step=8,
            loss=0.5,
            accuracy=0.1,
            val_loss=math.nan,
            val_accuracy=math.inf,
            learning_rate=-math.inf,
            seconds=1.5,
        )
    )
    line = strict_json(capsys.readouterr().out)
    assert line == {
        "epoch": 1,
        "loss": 0.5,
        "accuracy": 0.1,
        "val_loss": "NaN",
        "val_accuracy": "Infinity",
        "learning_rate": "-Infinity",
        "seconds": 1.5,
    }


def error_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr with which arguments are refused."""
    try:
        status: object = main(arguments)
    except SystemExit as exit_request:
        status = exit_request.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is not a JSON file"),
        ("", "is not a JSON file"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "A recipe must be a mapping"),
        ("{}", 'needs an "optimizer"'),
        ('{"optimizer": {"name": "adamm"}}', "'adamm'"),
        ('{"optimizer": {"name": "adam", "beta_1": 1.5}}', "beta_1 = 1.5"),
        ('{"optimizer": {"name": "adam", "beta_1": NaN}}', "beta_1 = nan"),
        ('{"optimizer": {"name": "adam", "beta_1": "x"}}', "beta_1 = 'x'"),
        ('{"optimizer": {"name": "adam", "beta_9": 0.5}}', "'beta_9'"),
    ],
)
def test_a_bad_recipe_is_refused_in_one_line(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in error_line(["train", recipe_file(tmp_path, text)], capsys)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--epochs", "0"], "epochs = 0"),
        (["--epochs", "many"], "--epochs: 'many' is not a whole number"),
        (["--batch-size", "-1"], "batch_size = -1"),
        (["--seed", "1.5"], "--seed: '1.5' is not a whole number"),
        (["--train-size", "60000"], "train_size = 60000"),
        (["--train-size", "3751"], "choose 3750 or fewer"),
        (["--network", "resnet"], "'resnet'"),
        (["--speed", "9"], "--speed"),
    ],
)
def test_a_bad_option_is_refused_in_one_line(
    options: list[str],
    expected: str,
    only_sample: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert expected in error_line(["train", recipe_file(tmp_path), *options], capsys)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["train"], ["data", "now"]])
def test_an_invalid_command_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert error_line(arguments, capsys).startswith("python -m lrlab")


def test_an_unreadable_recipe_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "missing.json cannot be read" in error_line(
        ["train", str(tmp_path / "missing.json")], capsys
    )
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "binary.json is not a JSON file" in error_line(["train", str(binary)], capsys)


def test_a_recipe_saved_with_a_byte_order_mark_is_read(
    only_sample: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(NADAM, encoding="utf-8-sig")
    assert "train_size" in error_line(["train", str(recipe), "--train-size", "45000"], capsys)


def test_bad_input_is_refused_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    recipe_file(tmp_path, '{"optimizer": {"name": "adam", "beta_1": 2}}')
    program = (
        "import sys; from lrlab.__main__ import main; status = main(['train', 'recipe.json']);"
        "print(status, sorted({'tensorflow', 'keras', 'sklearn'} & sys.modules.keys()))"
    )
    process = python("-c", program, folder=tmp_path)
    assert process.stdout.strip() == "2 []"
    assert "beta_1" in process.stderr


def test_data_prints_which_copy_is_used(
    full_data: sources.DataSource, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data"]) == 0
    assert capsys.readouterr().out == f"{full_data.description} ({full_data.path})\n"


def test_data_with_only_the_sample_says_how_to_get_the_full_set(
    only_sample: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Bundled sample of Fashion-MNIST: 5,000 training")
    assert "apt-get install dataset-fashion-mnist" in printed.out
    assert "could not be downloaded" in printed.err


def test_data_without_any_copy_says_what_to_do(
    only_sample: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path / "empty")
    assert main(["data"]) == 1
    assert "Install LR Lab again" in capsys.readouterr().err


def test_the_set_up_leaves_a_full_data_set_as_it_is(full_data: sources.DataSource) -> None:
    script = ["sh", "tools/get_data.sh", sys.executable]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True)
    # A second line would mean that the script tried to install the data.
    assert done.stdout == f"{full_data.description} ({full_data.path})\n"
    assert "Traceback" not in done.stderr
