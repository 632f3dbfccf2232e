# Sets up what each target needs (Python 3.11+ and make are enough; gcc builds the compiled codec).
# The stamp files in .venv make a second run quick.

PYTHON ?= python3
HTTP_PORT ?= 8000
RTMP_PORT ?= 1935
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadgroup
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 3600
ATHERIS := atheris>=3.0

BIN := .venv/bin
NODE := tests/interop/node
DAPHNE := $(BIN)/daphne --application-close-timeout 5

.PHONY: help run test coverage lint interop bench bench-codec bench-daphne bench-gateway bench-rtmp bench-so
.PHONY: fuzz-codec fuzz-gateway fuzz-rtmp soak clean

help:
	@echo "make run         the demo site: HTTP and WebSocket on HTTP_PORT, RTMP on RTMP_PORT"
	@echo "make test        all tests, ruff, mypy and the import contracts"
	@echo "make lint        ruff, mypy and the import contracts"
	@echo "make coverage    all tests, and the lines and branches that none of them reached"
	@echo "make bench       the benchmarks"
	@echo "make bench-codec the AMF codec against its peers, pure and compiled; fails below its goals"
	@echo "make bench-gateway  the gateway above an empty view, and Py3AMF's"
	@echo "make bench-daphne   the demo site's HTTP doors through daphne, under load"
	@echo "make bench-rtmp  the RTMP server's processor time, beside nginx-rtmp's and others'"
	@echo "make bench-so    shared objects on daphne: one to 1,000, a crowd, four processes over Redis"
	@echo "make fuzz-codec  mutated packets against the AMF codec for FUZZ_SECONDS, then as long"
	@echo "                 with atheris, where that can be installed"
	@echo "make fuzz-gateway  10,000 mutated packets posted to a running demo site"
	@echo "make fuzz-rtmp   random bytes against the RTMP protocol for FUZZ_SECONDS"
	@echo "make soak        SOAK_SECONDS of all that clients do, and nothing may have grown"
	@echo "make clean       removes what make set up (the database stays)"

# ---- Environments -----------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run.stamp

# python-librtmp compiles against librtmp's headers: without them its tests are skipped by name.
.venv/interop.stamp: requirements-interop.txt | .venv/dev.stamp
	@if echo '#include <librtmp/rtmp.h>' | $(or $(CC),cc) -E -x c - >/dev/null 2>&1; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@; \
	else echo "librtmp's headers are missing: python-librtmp is not installed"; fi

$(NODE)/node_modules/.stamp: $(NODE)/package.json
	@if command -v npm >/dev/null; then \
	  cd $(NODE) && npm install --no-audit --no-fund --no-package-lock --loglevel=error \
	    && touch node_modules/.stamp; \
	else echo "npm is missing: the clients of $< are not installed"; fi

.venv/bench.stamp: requirements-bench.txt | .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

interop: .venv/interop.stamp $(NODE)/node_modules/.stamp

# ---- The demo site ----------------------------------------------------------------------------

run: .venv/run.stamp
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo_admin
	@echo "http://127.0.0.1:$(HTTP_PORT)/ and rtmp://127.0.0.1:$(RTMP_PORT)/lobby/room1 (Ctrl-C stops)"
	@CALL_LOG=1 HTTP_PORT=$(HTTP_PORT) RTMP_PORT=$(RTMP_PORT) exec $(DAPHNE) \
	  -e tcp:port=$(HTTP_PORT):interface=127.0.0.1 \
	  -e rtmp:port=$(RTMP_PORT):interface=127.0.0.1 project.asgi:application

# ---- Checks -----------------------------------------------------------------------------------

# The tests run even when lint fails, and come last: their summary closes the output.
test: .venv/dev.stamp interop
	@status=0; \
	$(MAKE) --no-print-directory lint || status=1; \
	$(BIN)/python -m pytest $(PYTEST_ARGS) || status=1; \
	exit $$status

# Servers in processes of their own are not measured.
coverage: .venv/dev.stamp interop
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

lint: .venv/dev.stamp
	@status=0; \
	for check in "ruff check" "ruff format --check" "mypy" "lint-imports"; do \
	  echo "==> $$check"; $(BIN)/$$check || status=1; \
	done; exit $$status

bench: .venv/bench.stamp interop
	@for script in benchmarks/bench_*.py; do \
	  [ -e "$$script" ] || { echo "no benchmarks yet"; break; }; \
	  echo "==> $$script"; $(BIN)/python "$$script" || exit 1; \
	done

bench-gateway: .venv/dev.stamp
	@$(BIN)/python benchmarks/bench_gateway.py

bench-daphne: .venv/dev.stamp
	@$(BIN)/python benchmarks/bench_daphne.py

bench-so: .venv/dev.stamp
	@$(BIN)/python benchmarks/bench_so.py

bench-codec: .venv/dev.stamp
	$(BIN)/python benchmarks/bench_codec.py

bench-rtmp: .venv/bench.stamp
	@$(BIN)/python benchmarks/bench_rtmp.py

fuzz-codec: .venv/dev.stamp
	$(BIN)/python -m tests.codec.fuzz --seconds $(FUZZ_SECONDS)
	@if $(BIN)/python -c "import atheris" 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check "$(ATHERIS)"; then \
	  $(BIN)/python -m tests.codec.fuzz --seconds $(FUZZ_SECONDS) --atheris; \
	else echo "atheris cannot be installed here: no run led by coverage"; fi

fuzz-gateway: .venv/dev.stamp
	$(BIN)/python -m tests.gateway.flood

fuzz-rtmp: .venv/dev.stamp
	$(BIN)/python -m tests.protocol.fuzz --seconds $(FUZZ_SECONDS)

soak: .venv/dev.stamp
	$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS)

clean:
	rm -rf .venv $(NODE)/node_modules build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -prune -exec rm -rf {} +
