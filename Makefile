# make run   installs LR Lab and opens it        make test   installs test tools, runs all tests
# make data  gets the full Fashion-MNIST         make bench  compares measurements with targets
# make soak  injects faults for half an hour     make audit  checks for known vulnerabilities
# make clean removes .venv, .lrlab with its runs, and caches

# The first working Python of a version that LR Lab is tested with.
PYTHON = $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$name; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test bench soak audit data clean

help:
	@sed -n 's/^# make/make/p' Makefile

run: data
	$(BIN)/streamlit run app.py

test: $(READY_DEV) data
	@command -v chromium || command -v chromium-browser || command -v google-chrome || tools/apt_install.sh chromium
	@ls -d /usr/lib/postgresql/*/bin 2>/dev/null || tools/apt_install.sh postgresql
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(READY_DEV) data
	$(BIN)/python -m bench

soak: $(READY_DEV) data
	$(BIN)/python -m soak

audit: $(READY_DEV)
	@$(BIN)/pip-audit --local --strict || { echo "make audit failed: either vulnerabilities were" \
		"found (listed above), or pypi.org could not be reached or has no data for the package named" \
		"above (some mirrors serve packages only). In that case nothing was checked."; exit 1; }

data: $(READY)
	@tools/get_data.sh $(BIN)/python

clean:
	rm -rf .venv .lrlab .pytest_cache .ruff_cache .mypy_cache .hypothesis

.venv/bin/python:
	@python="$(PYTHON)"; test -n "$$python" || \
		{ echo "LR Lab needs Python 3.11, 3.12 or 3.13; none was found. Install one."; exit 1; }; \
		$$python -m venv .venv

$(READY): requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	$(PIP) -r requirements-dev.txt
	@touch $@
