"""What runs are used to find out: sweeps, range tests, comparisons and diagnoses."""
