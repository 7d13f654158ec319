# One short command for each chore. Every target makes or refreshes .venv by itself.

BIN := .venv/bin
# Tests that run at a time: two for each of two cores, since most of a test is waiting.
WORKERS ?= 4
# Of tests that did not come to their end (1: some failed) none may be run again as if the others were well.
ENDED = [ $$code -le 1 ] || rm -f .pytest_cache/v/cache/lastfailed; exit $$code
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock" --group build

.DEFAULT_GOAL := help
.PHONY: help run test test-failed test-long bench screenshots lint format lock install install-dev browser clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

run: install ## Start everything on embedded servers (ARGS="..." go to `callboard up`)
	@exec $(BIN)/callboard up $(ARGS)

test: install-dev browser lint ## Check style, types and layers, then run every test but the long ones
	@$(BIN)/pytest -m "not long and not alone" -n $(WORKERS) --dist loadfile $(ARGS); code=$$?; \
	[ $$code -gt 1 ] || { $(BIN)/pytest -m alone $(ARGS); alone=$$?; }; \
	[ $${alone:-5} -eq 5 ] || [ $$alone -le $$code ] || code=$$alone; \
	$(ENDED) # 5 of the second: ARGS names none of those that are held against the clock

test-failed: install-dev browser lint ## Run again, one at a time, what failed last
	@$(BIN)/pytest --last-failed --last-failed-no-failures none $(ARGS)

test-long: install-dev browser ## Run the tests that take minutes
	@$(BIN)/pytest -m long $(ARGS); code=$$?; $(ENDED)

bench: install-dev ## Measure, and print the figures of docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

screenshots: install-dev browser ## Take the pictures in docs/images anew
	@$(BIN)/python scripts/screenshots.py $(ARGS)

lint: install-dev ## Check style, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install-dev ## Put the code into its one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: install-dev ## Resolve the dependencies of pyproject.toml anew (ARGS="--upgrade" to move them)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) --all-extras --output-file requirements-dev.lock $(ARGS)
	@$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock $(ARGS)

install:
	@scripts/bootstrap run

install-dev:
	@scripts/bootstrap dev

browser:
	@scripts/install-chromium

clean: ## Remove what was built; data in .callboard stays
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
