# Two commands: `make demo` and `make test`. Each does its own set-up and says what it does.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: demo test setup clean

setup:
	@tests/setup.sh

test: setup
	@echo "== cargo fmt --check"; cargo fmt --all --check
	echo "== cargo test"; cargo test --workspace --all-targets
