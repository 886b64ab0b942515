# `make run` shows the whole thing on simulated data; `make test` passes the tests. Both set up
# `.venv` in the checkout first, from requirements.lock and nothing else.

SHELL := /bin/sh
CHECKOUT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(CHECKOUT)/.venv/bin
READY := $(CHECKOUT)/.venv/ready
PIP := "$(BIN)/python" -m pip install --quiet --disable-pip-version-check
GET_UV := $(PIP) --only-binary :all: uv==0.13.9
# Like pip, it trusts the certificates that the system trusts.
UV := "$(BIN)/uv" pip install --quiet --system-certs --python "$(BIN)/python"

# `make test-all` adds the runs that are killed, the dashboards in a real Superset, and random
# histories for an hour or more.
.PHONY: setup run test test-whole test-tools test-all test-spark superset test-superset screenshots lint
.PHONY: benchmarks
.PHONY: docs docs-samples dictionary ui lock clean

setup: $(READY)

# Whoever installs, pip or uv: the pins and nothing else.
define install
{ $(1) --no-deps --requirement "$(CHECKOUT)/requirements.lock" \
	&& $(1) --no-deps --no-build-isolation --editable "$(CHECKOUT)"; }
endef

# uv installs the pins in seconds. Where it cannot be installed, or finds no index, pip does; so uv is
# none of the pins.
$(READY): $(CHECKOUT)/requirements.lock $(CHECKOUT)/pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up $(CHECKOUT)/.venv (once)"
	@"$(PYTHON)" -m venv --clear "$(CHECKOUT)/.venv"
	@if $(GET_UV) && $(call install,$(UV)); then :; \
	else echo "uv cannot be used here; pip installs the same, in a minute or two"; $(call install,$(PIP)); fi
	@"$(BIN)/python" -m pip check --disable-pip-version-check
	@touch "$(READY)"
	@"$(BIN)/walkhouse" parse
	@cd "$(CHECKOUT)/dbt_project" && "$(BIN)/dbt" --quiet parse

run: setup
	@"$(BIN)/walkhouse" simulate
	@"$(BIN)/walkhouse" run

# What needs an hour, or what no default installation has.
APART := slow or superset or spark

# Most tests, in some minutes.
test: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m pytest -m "not (long or waits or $(APART))"

# The others that a change must pass: whole runs one after the other, and live servers.
test-whole: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m pytest -m "(long or waits) and not ($(APART))"

# Programs that some tests need and that pip cannot bring; tests that miss one are skipped.
test-tools:
	@"$(CHECKOUT)/.ci/test-tools"

test-all: setup
	@cd "$(CHECKOUT)" && HYPOTHESIS_PROFILE=thorough "$(BIN)/python" -m pytest -m "not spark"
	@$(MAKE) --no-print-directory test-superset
	@HYPOTHESIS_PROFILE=thorough $(MAKE) --no-print-directory test-spark

# The models on Spark, beside DuckDB: what it needs is in no default installation.
SPARK_READY := $(CHECKOUT)/.venv/ready-spark

$(SPARK_READY): $(CHECKOUT)/requirements-spark.lock $(READY)
	@echo "adding Spark to $(CHECKOUT)/.venv (once)"
	@$(GET_UV) && $(UV) --no-deps --requirement "$(CHECKOUT)/requirements-spark.lock" \
		|| $(PIP) --no-deps --requirement "$(CHECKOUT)/requirements-spark.lock"
	@touch "$(SPARK_READY)"

test-spark: setup $(SPARK_READY)
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m pytest -n2 --loadscope-reorder -m spark tests/spark

# Dashboards in Apache Superset, in an environment of its own (`.superset`): bi/superset.
superset: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m bi.superset $(PORT:%=--port %)

# Opens the dashboards in a real browser; `make test-tools` installs one.
test-superset: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m pytest -n0 -m superset tests/bi

screenshots: setup
	@cd "$(CHECKOUT)" && SCREENSHOTS=docs/images/dashboards "$(BIN)/python" -m pytest -n0 -m superset tests/bi

lint: setup
	@cd "$(CHECKOUT)" && "$(BIN)/ruff" check . && "$(BIN)/ruff" format --check .
	@cd "$(CHECKOUT)" && "$(BIN)/mypy"
	@cd "$(CHECKOUT)" && PATH="$(BIN):$$PATH" "$(BIN)/sqlfluff" lint --processes 2 dbt_project

# `make benchmarks` takes hours, `make benchmarks ONLY=idle` a minute; see benchmarks/README.md.
benchmarks: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m benchmarks $(ONLY:%=--only %)

# The pages of docs/ as a site in `site/`; a link that leads nowhere is an error. (With `--quiet`, it
# would not be.)
docs: setup
	@cd "$(CHECKOUT)" && NO_MKDOCS_2_WARNING=1 "$(BIN)/mkdocs" build --strict

# The output and the picture in README and docs/, anew from what the programs print today.
docs-samples: setup
	@cd "$(CHECKOUT)" && "$(BIN)/python" -m tests.docs.samples

dictionary: setup
	@"$(BIN)/walkhouse" dictionary

ui: setup
	@"$(BIN)/walkhouse" ui

# Pins without addresses or hashes, whatever index the machine uses.
lock: setup
	@$(GET_UV)
	@cd "$(CHECKOUT)" && "$(BIN)/uv" pip compile pyproject.toml --extra dev --extra docs --extra server --python-version 3.11 \
		--universal --upgrade --no-strip-extras --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock
	@cd "$(CHECKOUT)/bi/superset" && "$(BIN)/uv" pip compile requirements.in --python-version 3.11 \
		--universal --upgrade --no-strip-extras --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock

clean:
	@rm -rf "$(CHECKOUT)/.venv" "$(CHECKOUT)/site" "$(CHECKOUT)/.superset" "$(CHECKOUT)/dbt_project/target" "$(CHECKOUT)/dbt_project/logs"
