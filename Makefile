# Shorthand for the commands in README.md; `make setup` lays out the exact environment of requirements.lock.
STUDY ?= studies/undarga
LOCK = uv pip compile pyproject.toml --group dev --universal --python-version 3.13 --generate-hashes --no-annotate
.PHONY: setup lock test quick lint types analyse report clean

setup:
	uv venv --allow-existing && uv pip sync --require-hashes requirements.lock && uv pip install --no-deps --editable .
lock:
	$(LOCK) --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock
test:
	uv run --no-sync pytest
quick:
	uv run --no-sync pytest -m "not slow"
lint:
	uv run --no-sync ruff check . && uv run --no-sync ruff format --check . && uv run --no-sync lint-imports
types:
	uv run --no-sync mypy
analyse:
	uv run --no-sync scripts/analyse.py $(STUDY)
report:
	uv run --no-sync scripts/report.py reports/build/$(notdir $(STUDY))
clean:
	rm -rf reports/build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
