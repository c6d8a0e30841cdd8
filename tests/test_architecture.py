"""Which modules may import which: the import directions described in the README."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "lrlab").rglob("*.py")]
NAMES = {str(path.relative_to(ROOT)): path for path in FILES}

LAYERS = (
    ("arrays", "params", "text"),
    ("optimizers", "schedules", "datasets"),
    ("keras",),
    ("recipes",),
    ("descent",),
    ("controls",),
    ("training",),
    ("runs",),
    ("experiments",),
    ("charts", "export"),
    ("notebook",),
    ("__init__",),
    ("ui", "__main__"),
)
"""The rooms of ``lrlab``, lowest first. A module imports from its own room and lower layers."""

HOMES = {
    "streamlit": ("app.py", "pages/", "lrlab/ui/"),
    "streamlit.delta_generator": ("lrlab/ui/app/streamlit_internals.py",),
    "streamlit.runtime": ("lrlab/ui/app/streamlit_internals.py",),
    "lrlab.ui": ("app.py", "pages/", "lrlab/ui/"),
    "tensorflow": ("lrlab/training/",),
    "keras": ("lrlab/keras/", "lrlab/training/"),
    "sqlalchemy": ("lrlab/runs/store/",),
    "sqlite3": ("lrlab/runs/store/",),
}
"""Package -> the only files that may import it, including inside functions."""


def is_type_checking_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports when it runs, including inside functions.

    ``from a import b`` gives both ``a`` and ``a.b``. Imports under ``TYPE_CHECKING`` are left out.
    """
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if is_type_checking_block(node):
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: use absolute imports"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        pending += ast.iter_child_nodes(node)


def is_in_package(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_only_where_allowed(package: str) -> None:
    users = {
        n for n, path in NAMES.items() if any(is_in_package(m, package) for m in imports(path))
    }
    assert users, f"no file imports {package}: fix the package name in HOMES"
    assert [name for name in sorted(users) if not name.startswith(HOMES[package])] == []


def room(module: str) -> str:
    """A module's room: the first name below ``lrlab``."""
    return module.split(".")[1] if "." in module else "__init__"


def module_name(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_name(name): path for name, path in NAMES.items()}
INSIDE = {name: path for name, path in MODULES.items() if name.split(".")[0] == "lrlab"}


def test_every_room_is_listed_in_exactly_one_layer() -> None:
    assert {room(module) for module in INSIDE} == {room for layer in LAYERS for room in layer}


@pytest.mark.parametrize("module", INSIDE)
def test_a_module_imports_only_from_its_own_room_and_lower_layers(module: str) -> None:
    layers = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}
    own = room(module)
    imported = {name for name in imports(INSIDE[module]) if name in INSIDE}
    violations = [m for m in sorted(imported) if room(m) != own and layers[room(m)] >= layers[own]]
    assert violations == []


def test_there_are_no_circular_imports() -> None:
    graph = {
        module: {m for m in imports(path) if m in MODULES and m != module}
        for module, path in MODULES.items()
    }
    TopologicalSorter(graph).prepare()


def run(code: str, *arguments: str) -> str:
    """The output of this code in a new Python process."""
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


LOADED = """
import sys

def loaded(*packages):
    return [name for name in sys.modules if name.split(".")[0] in packages]
"""

VISIT = """
from lrlab.recipes.plan import PRESETS
from lrlab.ui.app.server import server
from tests.app_visit import ME, PAGES, serving, visit

with serving(sys.argv[1]):
    visit()
    for plan in PRESETS.values():
        store = server().store
        store.request_stop(store.queue(plan, owner=ME, name="a run"), by=ME)
    for page in PAGES:
        session = visit(page)
        assert not session.exception, page
    assert session.metric or page != "train"
print(loaded("tensorflow", "keras", "sklearn"))
"""


def test_visiting_every_page_loads_neither_tensorflow_nor_keras_nor_scikit_learn(
    tmp_path: Path,
) -> None:
    assert run(LOADED + VISIT, f"sqlite:///{tmp_path / 'runs.db'}").strip() == "[]"


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "'streamlit', 'tensorflow', 'keras', 'sklearn', 'pandas', 'altair', 'sqlalchemy'"
    assert run(f"{LOADED}\nimport lrlab\nprint(loaded({heavy}))").strip() == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "lrlab.runs.engine",
        "lrlab.runs.store",
        "lrlab.datasets.sources",
        "lrlab.keras.code",
        "lrlab.runs.worker",
    ],
)
def test_modules_used_by_the_page_process_load_no_heavy_library(module: str) -> None:
    heavy = "'tensorflow', 'keras', 'sklearn', 'streamlit'"
    assert run(f"{LOADED}\nimport {module}\nprint(loaded({heavy}))").strip() == "[]"


MAY_LOAD_HEAVY = ("keras", "training", "runs", "experiments", "ui", "__main__")
"""Rooms with modules that load a heavy library when they are imported."""


def test_all_other_rooms_load_neither_the_store_nor_tensorflow_nor_streamlit() -> None:
    modules = ", ".join(sorted(name for name in INSIDE if room(name) not in MAY_LOAD_HEAVY))
    heavy = "'sqlalchemy', 'tensorflow', 'keras', 'sklearn', 'streamlit'"
    assert run(f"{LOADED}\nimport {modules}\nprint(loaded({heavy}))").strip() == "[]"
