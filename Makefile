# make demo and make test need nothing prepared but Python 3.11 and, for the tests, Node 20.19.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help env demo fixtures chromium test quick lint bench bench-passes bench-split bench-images readme report-screenshots clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

env: $(INSTALLED)  ## Create .venv with the package and all that its development needs

$(INSTALLED): pyproject.toml
	@scripts/need python $(PYTHON)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: env  ## Optimize fixtures/plain into build/demo and print the summary
	@mkdir -p build
	@$(BIN)/v1z3r-build optimize fixtures/plain -o build/demo

fixtures: env  ## Export the fixtures by their frameworks into build/fixtures
	@scripts/need node
	@$(BIN)/python fixtures/build.py
	@$(BIN)/python fixtures/build.py --edit

chromium:  ## Install Chromium if there is none
	@scripts/need chromium

test: env fixtures chromium  ## Run all tests
	@V1Z3R_REQUIRE_FIXTURES=1 V1Z3R_REQUIRE_CHROMIUM=1 $(BIN)/pytest --numprocesses auto --dist loadgroup

quick: env  ## Run the tests that need neither fixtures nor a browser
	@$(BIN)/pytest --numprocesses auto --dist loadgroup -m 'not fixtures and not browser'

lint: env  ## Check style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: env fixtures  ## Measure the seven ratios of speed, memory and bytes
	@$(BIN)/python benchmarks/ratios.py --install-peers

bench-passes: env fixtures  ## Measure cold runs on the fixtures, pass by pass
	@$(BIN)/python benchmarks/optimize.py

bench-split: env fixtures  ## Measure how well libraries are split out
	@$(BIN)/python benchmarks/split.py

bench-images: env chromium  ## Measure images against fixed qualities and against sharp
	@scripts/need node
	@$(BIN)/python benchmarks/images.py

readme: env  ## Write what --help says into README.md
	@$(BIN)/python scripts/readme.py

report-screenshots: env fixtures chromium  ## Picture the reports on the fixtures into build/report-screenshots
	@$(BIN)/python scripts/report_screenshots.py

clean:  ## Remove all that was built, and the environment
	@rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
