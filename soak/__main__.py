"""``python -m soak [PART ...]`` runs the named parts, or all; fails if a target is missed."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = ("kills", "writes", "resume", "hostile", "damage", "workers", "disk", "network", "servers")


def main(names: list[str]) -> int:
    """Runs the named parts, or all parts if none is named; returns the exit status."""
    targets_met = [import_module(f"soak.{name}").main() for name in names or PARTS]
    return 0 if all(targets_met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
