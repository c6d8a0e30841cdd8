"""``python -m bench [PART ...]`` measures all parts or those named; fails if a target is missed."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = ("previews", "browser", "training", "watchers")


def main(names: list[str]) -> int:
    """Run the named parts, all of them if none is named."""
    met = [import_module(f"bench.{name}").main() for name in names or PARTS]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
