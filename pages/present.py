"""On a projector: the newest run in large type, with next to no controls."""

from __future__ import annotations

from lrlab.ui.entry import require_entry
from lrlab.ui.present import presentation

require_entry()

presentation()
