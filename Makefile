# Shorthand for the commands in README.md; `make setup` lays out the exact environment of requirements.lock.
STUDY ?= studies/undarga
LOCK = uv pip compile pyproject.toml --group dev --universal --python-version 3.13 --generate-hashes --no-annotate
RUN = uv run python -m tests.records.
.PHONY: setup lock test quick records lint types analyse report clean

setup:
	uv venv --allow-existing && uv pip sync --require-hashes requirements.lock && uv pip install --no-deps --editable .
lock:
	$(LOCK) --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock
test:
	uv run pytest
quick:
	uv run pytest -m "not slow"
records: # what is too long for the tests: hours. packages.csv needs R; docs/calibration has its commands in its JSON
	for lag in 0 1; do $(RUN)mediation_pymc $$lag; done | awk 'NR == 1 || !/^lag/' > tests/records/mediation_pymc.csv
	for which in mediation_clean correlated_traits; do $(RUN)recovery_record $$which 107 20; $(RUN)recovery_record $$which 2000 10; done \
	  | awk 'NR == 1 || !/^scenario/' > tests/records/mediation_recovery.csv
	for which in undarga_seed null_groups unequal_sds; do $(RUN)$$which > tests/records/$$which.csv; done
	$(RUN)made_with $(addprefix tests/records/,mediation_pymc.csv mediation_recovery.csv undarga_seed.csv null_groups.csv unequal_sds.csv)
lint:
	uv run ruff check . && uv run ruff format --check . && uv run lint-imports
types:
	uv run mypy
analyse:
	uv run scripts/analyse.py $(STUDY)
report:
	uv run scripts/report.py reports/build/$(notdir $(STUDY))
clean:
	rm -rf models/equations/histories/__pycache__ reports/build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
