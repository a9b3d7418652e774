# `make run` trains tic-tac-toe and shows how well it plays; `make test` checks everything.
# Both make a virtual environment in .venv and install into it, once.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/installed

.PHONY: run test lint types format screenshots torture results bench bench-against clean

run: $(INSTALLED)
	@$(PY) -m trainer.loop --env-id tictactoe --data-dir data
	@$(PY) -m trainer.evaluator --model data/models/latest.onnx --db data/replay.db --games 1000
	@echo
	@echo "Next: $(PY) -m trainer.loop --env-id connect4 --minutes 10 (the README explains more)."

test: lint types
	@$(PY) -m pytest --numprocesses auto --dist worksteal

lint: $(INSTALLED)
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .

types: $(INSTALLED)
	@$(VENV)/bin/mypy

# Every promise of docs/reliability.md, some 20 minutes; `make torture ARGS="--seconds 60 --steps 10000"` tries less.
torture: $(INSTALLED)
	@PYTHONPATH=$(CURDIR)/tests:$(CURDIR)/tests/support:$(CURDIR)/src $(PY) -m torture $(ARGS)

format: $(INSTALLED)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

screenshots: $(INSTALLED) # of the page; needs chromium, and runs under data (DATA=... for another folder)
	@$(PY) tools/web_screenshots.py --data-dir $(or $(DATA),data)

# The runs of docs/results, from nothing with default settings: nearly four hours on a machine that does nothing else.
RUN = @$(PY) tools/strength_run.py
results: $(INSTALLED)
	$(RUN) --env-id tictactoe --minutes 1 --out docs/results/tictactoe-1min
	$(RUN) --env-id connect4 --minutes 60 --at 5 10 15 30 --out docs/results/connect4-60min
	@$(PY) -m trainer.evaluator --env-id connect4 --model data/connect4-60min/models/latest.onnx --opponent perfect \
		--simulations 600 --opening-plies 0 --json docs/results/connect4-60min/perfect-60min.json
	@$(PY) -m trainer.measure.make_positions --seed 1 --output build/positions-seed1.csv
	@$(PY) -m trainer.evaluator --env-id connect4 --model data/connect4-60min/models/latest.onnx --solve \
		--positions build/positions-seed1.csv --json docs/results/connect4-60min/other-positions-60min.json
	$(RUN) --env-id connect4 --minutes 15 --seed 1 --out docs/results/connect4-15min-seed1
	$(RUN) --env-id connect4 --minutes 15 --seed 2 --out docs/results/connect4-15min-seed2
	$(RUN) --env-id othello --minutes 120 --at 15 30 60 --out docs/results/othello-120min
	@$(PY) tools/against_openspiel.py --env-id othello --model data/othello-120min/models/latest.onnx \
		--json docs/results/othello-120min/openspiel.json

# `make bench ARGS=selfplay` runs one part; `make bench ARGS="--help"` lists them.
bench: $(VENV)/installed-peers
	@$(PY) -m bench $(ARGS)

# Is it as fast as it was? `make bench-against COMMIT=f877e30`; ARGS="--rounds 9" goes on to the program.
bench-against: $(VENV)/installed-peers
	@$(PY) tools/against_commit.py $(COMMIT) $(ARGS)

$(VENV)/installed-peers: $(INSTALLED)
	@echo "Installing the peers (the log is $(VENV)/peers.log)"
	@$(PY) -m pip install --constraint constraints.txt --editable ".[bench]" > $(VENV)/peers.log 2>&1 \
		|| (cat $(VENV)/peers.log; exit 1)
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a few minutes the first time; the log is $(VENV)/install.log)"
	@$(PY) -m pip install --constraint constraints.txt --editable ".[dev]" > $(VENV)/install.log 2>&1 \
		|| (cat $(VENV)/install.log; exit 1)
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
