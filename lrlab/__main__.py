"""The command line: train a recipe in the foreground, or find and download the data.

    python -m lrlab train RECIPE.json [--epochs N] [--batch-size N] [--seed N]
                                      [--network NAME] [--train-size N]
    python -m lrlab data

Results go to stdout, everything else to stderr. The exit status is 0; 2 for invalid input, which is
detected before TensorFlow is loaded; 1 if no copy of the data is usable; 130 after Ctrl-C. A run
that diverges is a valid result, so it exits with 0.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lrlab.datasets.sources import FETCH_HINT, NoData, find_source
from lrlab.datasets.split import check_train_size
from lrlab.export import read_json
from lrlab.params import InvalidInput
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import PLAN_PARAMS, RunPlan
from lrlab.recipes.recipe import Recipe

if TYPE_CHECKING:
    from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult

NO_DATA = 1
REFUSED = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """A parser that reports errors on one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with status 2."""
        self.exit(REFUSED, f"{self.prog}: {message}\n")


class EpochPrinter:
    """The sink of the command line: prints one line of strict JSON per epoch."""

    def started(self, phase: str) -> None:
        """Not shown."""

    def points(self, points: list[Point]) -> bool:
        """Not shown. Never requests a stop: Ctrl-C ends a run in the foreground."""
        return False

    def epoch(self, record: EpochRecord) -> None:
        """Print the epoch's line at once, even into a pipe."""
        line = {key: json_number(value) for key, value in asdict(record).items() if key != "step"}
        print(json.dumps(line, allow_nan=False), flush=True)

    def snapshot(self, snapshot: EpochSnapshot) -> None:
        """Not shown."""

    def result(self, result: RunResult) -> None:
        """Not shown."""


def json_number(number: float) -> float | str:
    """The number for strict JSON, which lacks NaN and infinity: those become their names."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file.

    Raises:
        InvalidInput: the file cannot be read, is too large, is not JSON or has no valid recipe.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    return Recipe.from_dict(read_json(content, str(path)))


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Discard what native code writes to stderr.

    TensorFlow logs to the file descriptor while it is imported, before its log settings apply.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as null_device:
        os.dup2(null_device.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def whole_number(text: str) -> int:
    """Parse the value of an option.

    Raises:
        ArgumentTypeError: it is not a whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def train_command(options: argparse.Namespace) -> None:
    """Train a recipe and print its epochs.

    Raises:
        InvalidInput: the recipe, an option or the training-set size is invalid.
    """
    values = {param.name: getattr(options, param.name) for param in PLAN_PARAMS}
    settings = {name: value for name, value in values.items() if value is not None}
    plan = RunPlan.of(read_recipe(options.recipe), options.network, **settings)
    source = find_source(download=True)
    if options.train_size is None:
        plan = replace(plan, train_size=min(plan.train_size, source.largest_train_size))
    check_train_size(source, plan.train_size)
    for line in (*source.warnings, source.description):
        print(line, file=sys.stderr)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with muted_stderr():
        from lrlab.training.trainer import train
    outcome = train(plan, EpochPrinter(), source)
    accuracy = outcome.test_accuracy
    test_result = "" if accuracy is None else f"; test accuracy {accuracy:.4f}"
    print(f"{outcome.text}{test_result}", file=sys.stderr)


def data_command(options: argparse.Namespace) -> None:
    """Download the data if needed and print on stdout which copy is used."""
    source = find_source(download=True)
    for warning in source.warnings:
        print(warning, file=sys.stderr)
    print(f"{source.description} ({source.path})")
    if source.key == "sample":
        print(f"The full dataset is not on this computer. To get it: {FETCH_HINT}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its options; exits with a one-line message if they are invalid."""
    parser = Parser(prog="python -m lrlab", description="LR Lab on the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    training = commands.add_parser("train", help="train a recipe; print one JSON line per epoch")
    training.set_defaults(command=train_command)
    training.add_argument("recipe", type=Path, metavar="RECIPE.json")
    training.add_argument("--network", default="mlp", metavar="NAME", help=", ".join(NETWORKS))
    for param in PLAN_PARAMS:
        flag = f"--{param.name.replace('_', '-')}"
        training.add_argument(flag, type=whole_number, metavar="N", help=param.help)
    data = commands.add_parser(
        "data", help="show which copy of Fashion-MNIST is used; download it if necessary"
    )
    data.set_defaults(command=data_command)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the arguments after ``python -m lrlab``; those of this process by default.

    Returns:
        The exit status.
    """
    options = parse(arguments)
    try:
        options.command(options)
    except InvalidInput as error:
        print(f"python -m lrlab: {error}", file=sys.stderr)
        return REFUSED
    except NoData as error:
        print(f"python -m lrlab: {error}", file=sys.stderr)
        return NO_DATA
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
