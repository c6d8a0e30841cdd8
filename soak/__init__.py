"""Long fault injection: ``python -m soak [PART ...]``. ``make test`` runs shorter versions."""
