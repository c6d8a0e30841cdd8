"""Questions put to runs: sweeps, range tests, comparisons, and what went wrong."""
