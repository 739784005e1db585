# make demo, make test and make check set everything up by themselves: Python 3.11 and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRAS := bulk,frame,live,xlsx
# Which releases are installed, for us alone: what users install is bounded by pyproject.toml, and not pinned.
PINS := constraints.txt
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint $(PINS)
UV := build/tools/bin/uv
# A process for each processor; one that is done takes over tests of another.
PYTEST := -m pytest --numprocesses=auto --dist=worksteal

# Every Python that permcheck runs on.
PYTHONS := 3.11 3.12 3.13 3.14
NEWEST := $(PYTHONS:%=newest-%)
LOWEST := $(PYTHONS:%=lowest-%)

.PHONY: demo test test-all test-newest test-lowest $(NEWEST) $(LOWEST) check lint types layers generated wheel bench schemas
.PHONY: constraints clean

demo: $(READY)  ## Explain an allow and a deny of the example tenant
	$(BIN)/permcheck explain helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
	@echo
	$(BIN)/permcheck explain cloud-helpdesk@contoso.com run-cmpivot PC-1042 -e examples/contoso || test $$? -eq 1

test: $(READY)  ## Run the tests
	$(BIN)/python $(PYTEST)

# The law of what is not stated is tried on so many pairs of estates; on one processor that takes most of an hour.
PAIRS := 20000

test-all: $(READY)  ## Run the tests, the law of what is not stated at full size
	PERMCHECK_PAIRS=$(PAIRS) $(BIN)/python $(PYTEST)

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
LAWS := laws law_of_knowledge attacks oracle bulk diff people against scale scale_engines inventory
WITHOUT_LAWS := $(PYTEST) $(LAWS:%=--ignore=tests/test_%.py)
# What another release of a library may change: no law, nothing that takes a minute.
QUICK := $(WITHOUT_LAWS) -m "not slow"

wheel: $(READY)  ## The tests pass on the built wheel, too
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --build-constraint $(PINS) --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python $(INSTALL) --upgrade pip
	build/wheel/venv/bin/python $(INSTALL) "$$(ls build/wheel/*.whl)[$(EXTRAS)]" --group test
	build/wheel/venv/bin/python $(WITHOUT_LAWS)

test-newest: $(NEWEST)  ## The quick tests, with the newest releases that pyproject.toml admits, on every Python that is here

test-lowest: $(LOWEST)  ## The quick tests, with the lowest ones

$(NEWEST): newest-%: $(UV)
	@$(call quick,$*,highest)

$(LOWEST): lowest-%: $(UV)
	@$(call quick,$*,lowest-direct)

# A Python by its version: on the path, or of pyenv, whose stand-ins on the path may not run.
python = $(firstword $(foreach one,python$(1) $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python),\
  $(shell $(one) -c 'import sys; print(sys.executable)' 2>/dev/null)))

quick = $(if $(call python,$(1)),\
  echo "Python $(1) with $(2) releases" && \
  $(UV) venv --quiet --clear --python $(call python,$(1)) build/$@ && \
  $(UV) pip install --quiet --python build/$@ --resolution $(2) --editable '.[$(EXTRAS)]' --group test && \
  build/$@/bin/python $(QUICK),\
  echo "Python $(1) is not on this machine: skipped")

constraints: $(UV)  ## Write constraints.txt anew, with the newest releases that pyproject.toml admits
	sed '/^[^#]/,$$d' $(PINS) > build/$(PINS)
	$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --group tools \
	  --no-header --no-annotate pyproject.toml >> build/$(PINS)
	mv build/$(PINS) $(PINS)

bench: $(READY)  ## Medians and ratios, all measured in one run
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml $(PINS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) --upgrade pip
	$(BIN)/python $(INSTALL) --build-constraint $(PINS) --editable '.[$(EXTRAS)]' --group dev
	touch $@

$(UV): pyproject.toml $(PINS)
	$(PYTHON) -m venv build/tools
	build/tools/bin/python $(INSTALL) --upgrade pip
	build/tools/bin/python $(INSTALL) --group tools
	touch $@
