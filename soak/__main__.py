"""``python -m soak [PART ...]`` runs all parts or those named; fails if a target is missed."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = ("kills", "writes", "resume", "hostile", "damage", "workers", "disk", "network", "servers")


def main(names: list[str]) -> int:
    """Run the named parts, all of them if none is named."""
    met = [import_module(f"soak.{name}").main() for name in names or PARTS]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
