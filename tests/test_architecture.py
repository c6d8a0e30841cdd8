"""Who may import whom: the directions that the README's house section promises."""

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

UI = ("app.py", "pages/", "lrlab/ui/")
HOMES = {
    "streamlit": UI,
    "lrlab.ui": UI,
    "sqlalchemy": ("lrlab/store/",),
    "sqlite3": ("lrlab/store/",),
}
"""What only files below these paths import, at any place in them."""

HEAVY = ("tensorflow", "keras")
"""What only `lrlab.training` imports at module level."""

AROUND = ("lrlab.store", "lrlab.engine", "lrlab.settings", "lrlab.training", "lrlab.ui")
CORE = [
    name
    for name in NAMES
    if name.startswith("lrlab/")
    and not name.startswith(("lrlab/ui/", "lrlab/store/", "lrlab/training/"))
    and not name.startswith("lrlab/engine/")
    and name not in ("lrlab/__main__.py", "lrlab/settings.py")
]
"""Descriptions, recipe, simulation, charts and words: what is loaded without any of `AROUND`."""


def is_for_types_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path, *, in_functions: bool = True) -> Iterator[str]:
    """The modules a file imports when it runs, in full; ``from a import b`` gives both ``a`` and
    ``a.b``."""
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if is_for_types_alone(node):
            waiting += node.orelse
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if not in_functions:
                continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_only_at_home(package: str) -> None:
    users = {n for n, path in NAMES.items() if any(below(m, package) for m in imports(path))}
    assert users, f"nobody imports {package}: this test looks for the wrong thing"
    assert [name for name in sorted(users) if not name.startswith(HOMES[package])] == []


@pytest.mark.parametrize("package", HEAVY)
def test_tensorflow_and_keras_are_imported_at_module_level_in_training_alone(
    package: str,
) -> None:
    users = {
        name
        for name, path in NAMES.items()
        if any(below(module, package) for module in imports(path, in_functions=False))
    }
    assert [name for name in sorted(users) if not name.startswith("lrlab/training/")] == []


@pytest.mark.parametrize("name", CORE)
def test_the_core_loads_without_store_engine_training_and_pages(name: str) -> None:
    used = set(imports(NAMES[name], in_functions=False))
    assert [m for m in sorted(used) if any(below(m, package) for package in AROUND)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path
        for name, path in NAMES.items()
    }
    graph = {
        module: {m for m in imports(path, in_functions=False) if m in modules and m != module}
        for module, path in modules.items()
    }
    TopologicalSorter(graph).prepare()


def run(code: str, *arguments: str) -> str:
    """What this code prints in a Python of its own."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED = """
import sys

def loaded(*packages):
    return [name for name in sys.modules if name.split(".")[0] in packages]
"""

VISIT = """
from lrlab.plan import PRESETS
from lrlab.ui.server import server
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


def test_a_visit_of_every_page_loads_neither_tensorflow_nor_keras_nor_scikit_learn(
    tmp_path: Path,
) -> None:
    assert run(LOADED + VISIT, f"sqlite:///{tmp_path / 'runs.db'}").strip() == "[]"


def test_the_package_itself_is_light() -> None:
    heavy = "'streamlit', 'tensorflow', 'keras', 'sklearn', 'pandas', 'altair', 'sqlalchemy'"
    assert run(f"{LOADED}\nimport lrlab\nprint(loaded({heavy}))").strip() == "[]"


@pytest.mark.parametrize(
    "module", ["lrlab.engine", "lrlab.store", "lrlab.training.data", "lrlab.training.worker"]
)
def test_what_the_pages_process_uses_of_training_is_light(module: str) -> None:
    heavy = "'tensorflow', 'keras', 'sklearn', 'streamlit'"
    assert run(f"{LOADED}\nimport {module}\nprint(loaded({heavy}))").strip() == "[]"
