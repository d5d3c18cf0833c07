# Two commands: `make demo` and `make test`. Each does its own set-up and says what it does.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: demo test setup wheel clean
FILE ?=
export RUST_BACKTRACE ?= 0
# tests and the demo find ONNX Runtime in the environment that setup makes
export VIRTUAL_ENV := $(CURDIR)/.venv

setup:
	@tests/setup.sh

wheel: setup
	@echo "== building the Python wheel and installing it into .venv"
	rm -rf target/wheels
	.venv/bin/maturin build --quiet --manifest-path python/Cargo.toml --profile dev --compatibility linux --out target/wheels
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall target/wheels/inperson-*.whl

demo: setup
	@echo "== building the command"
	cargo build --release --quiet --package inperson-cli
	file="$(FILE)"
	if [ -z "$$file" ]; then
	    file=demo/candidate.mp4
	    echo "== making a recording of an openly artificial candidate: $$file"
	    mkdir -p demo
	    .venv/bin/python examples/demo/candidate.py "$$file"
	fi
	echo "== analysing $$file"
	target/release/inperson analyze "$$file" --out demo/report
	echo "== look at demo/report/report.html"

test: wheel
	@echo "== cargo fmt --check"; cargo fmt --all --check
	echo "== cargo test"; cargo test --workspace --all-targets
	echo "== examples in the documentation"; cargo test --package inperson --doc
	echo "== pytest on the installed wheel"; cd python/tests && ../../.venv/bin/python -m pytest -q -rs

clean:
	rm -rf target .venv demo
