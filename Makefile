# SPDX-License-Identifier: BSD-3-Clause
# Everything runs from a fresh clone: Python >= 3.11, a C++ compiler and make are enough.
#   make demo       set-up, then the array program and the training run on 2 ranks -> runs/demo/report.html
#   make test       set-up, then lint, C++ tests and Python tests at 1 and 2 ranks, each case at 3 or 4
#   make test-full  a second set-up with the newest torch (CUDA build), torchvision and timm, then its tests
#   make docs       set-up, then the site, with pictures and reference -> build/docs/index.html
#   make lint       layers, sizes, stubs, ruff, mypy, clang-format
#   make dev        the dev preset (assertions, warnings as errors) with the Python on PATH; then PYTHONPATH=python
#   make format     ruff and clang-format, applied
#   make clean      removes environments and builds
PYTHON ?= python3
RUN := env PATH="$(CURDIR)/.venv/bin:$(PATH)" OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

.PHONY: demo test test-full docs lint dev format clean

demo:
	@$(PYTHON) tools/environment.py light demo
	@if [ -t 1 ]; then export TTY_COMPATIBLE=1 COLUMNS=$$(tput cols 2>/dev/null || echo 120); fi; \
	$(RUN) mpiexec -n 2 python -m equiheat.demo --out runs/demo

test:
	@$(PYTHON) tools/environment.py light test
	@.venv/bin/python tools/run_tests.py light

test-full:
	@$(PYTHON) tools/environment.py full test
	@.venv-full/bin/python tools/run_tests.py full

docs:
	@$(PYTHON) tools/environment.py light test
	@$(RUN) .venv/bin/python -m sphinx -W --keep-going -q -d build/doctrees docs build/docs
	@echo "equiheat: build/docs/index.html"

lint:
	@$(PYTHON) tools/environment.py light test
	@.venv/bin/python tools/lint.py

dev:
	@tools/dev_build.sh

format:
	@ruff check --fix-only --quiet . ; ruff format --quiet .
	@git ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs clang-format -i

clean:
	rm -rf build dist docs/generated .venv .venv-full .venv-openmpi python/equiheat/_core*.so python/equiheat/_comm python/equiheat/_build_info.py
