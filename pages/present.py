"""On a projector: the newest run in large type, with hardly any controls."""

from __future__ import annotations

from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.runs.presentation import presentation

require_bootstrap()

presentation()
