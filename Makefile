# make demo, make test and make check set everything up by themselves: Python 3.11 and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A process for each processor; one that is done takes over tests of another.
PYTEST := -m pytest --numprocesses=auto --dist=worksteal

.PHONY: demo test check lint types layers generated wheel bench schemas clean

demo: $(READY)  ## Explain an allow and a deny of the example tenant
	$(BIN)/permcheck explain helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
	@echo
	$(BIN)/permcheck explain cloud-helpdesk@contoso.com run-cmpivot PC-1042 -e examples/contoso || test $$? -eq 1

test: $(READY)  ## Run the tests
	$(BIN)/python $(PYTEST)

check: lint types layers generated wheel  ## Everything that must hold before a change lands

lint: $(READY)
	$(BIN)/ruff format --check evaluator tests benchmarks
	$(BIN)/ruff check evaluator tests benchmarks

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy tests/user_code.py

layers: $(READY)
	$(BIN)/lint-imports

generated: $(READY)  ## The committed schemas and the compiled policy are in step
	$(BIN)/python -m permcheck.dev --check

schemas: $(READY)  ## Write the schemas and the compiled policy
	$(BIN)/python -m permcheck.dev

# Laws over random estates hold for the same code wherever it lies: they are not tried again.
LAWS := laws oracle bulk diff people against scale scale_engines inventory

wheel: $(READY)  ## The tests pass on the built wheel, too
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(ls build/wheel/*.whl)[bulk,frame,live,xlsx]" hypothesis openpyxl pytest pytest-xdist
	build/wheel/venv/bin/python $(PYTEST) $(LAWS:%=--ignore=tests/test_%.py)

bench: $(READY)  ## Medians and ratios, all measured in one run
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $@
