# make run   sets LR Lab up and opens it        make test   installs what tests need, runs them all
# make data  gets the full Fashion-MNIST        make bench  measures, figure beside target
# make soak  injects faults for half an hour     make audit looks for known holes in packages
# make clean removes what these made

# The first Python that really runs and is one of those LR Lab was tested with.
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
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(READY_DEV) data
	$(BIN)/python -m bench

soak: $(READY_DEV) data
	$(BIN)/python -m soak

audit: $(READY_DEV)
	@$(BIN)/pip-audit --local --strict || { echo "make audit: holes are known, which are listed above;" \
		"or pypi.org, which knows them, could not be asked, or has no answer for the package that is" \
		"named above (some mirrors give packages and no more). Then nothing is known of holes."; exit 1; }

data: $(READY)
	@tools/get_data.sh $(BIN)/python

clean:
	rm -rf .venv .lrlab .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@python="$(PYTHON)"; test -n "$$python" || \
		{ echo "LR Lab needs Python 3.11, 3.12 or 3.13, and there is none."; exit 1; }; \
		$$python -m venv .venv

$(READY): requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	$(PIP) -r requirements-dev.txt
	@touch $@
