"""Long fault injection: ``python -m soak [PART ...]``. ``make test`` runs short forms of it."""
