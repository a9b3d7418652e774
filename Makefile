# `make run` trains tic-tac-toe and shows how well it plays; `make test` checks the code.
# Both make a virtual environment in .venv and install into it, once: `make run` what a run needs, the others also what the
# tests need. `make run PYTHON=python3.13` chooses the Python, and replaces a .venv that was made with another one.

ifdef PYTHON
CHOICE := given
else
PYTHON := python3
CHOICE := default
endif
VENV := .venv
PY := $(VENV)/bin/python
ENVIRONMENT = @sh tools/environment.sh $@ "$(PYTHON)" $(CHOICE) $(firstword $(MAKECMDGOALS) run)

.PHONY: run test test-all test-foreign test-portable try-wheel lint types format screenshots torture results results-games bench bench-against \
	bench-gpu gpu-wheels runtime dev peers clean

run: runtime
	@$(PY) -m trainer.loop --env-id tictactoe --data-dir data
	@$(PY) -m trainer.evaluator --model data/models/latest.onnx --db data/replay.db --games 1000
	@echo
	@echo "Next: $(PY) -m trainer.loop --env-id connect4 --minutes 10 (the README explains more)."

test: lint types
	@$(PY) -m pytest --numprocesses auto --dist worksteal

# All tests, also the long ones that `make test` leaves out (tests/support/long_tests.py).
test-all: lint types
	@$(PY) -m pytest --numprocesses auto --dist worksteal -m ""

# The tests whose results depend on how a processor rounds, compiled for an older one.
test-foreign: dev
	@$(PY) tools/portable_tests.py --numeric x86-64

# All tests as on other machines: processors, versions of Python, one busy core. Hours; ARGS="haswell" does one part.
test-portable: dev
	@$(PY) tools/portable_tests.py $(ARGS)

# Build the wheel, install it into an empty environment, and train from there.
try-wheel: dev
	@$(PY) tools/try_wheel.py

lint: dev
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .

types: dev
	@$(VENV)/bin/mypy

# Every promise of docs/reliability.md, 20 minutes or more; `make torture ARGS="--seconds 60 --steps 10000"` tries less.
torture: dev
	@PYTHONPATH=$(CURDIR)/tests $(PY) -m torture $(ARGS)

format: dev
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

screenshots: dev # of the page; needs chromium, and runs under data (DATA=... for another folder)
	@$(PY) tools/web_screenshots.py --data-dir $(or $(DATA),data)

# The runs of docs/results, from nothing with default settings: six hours on a machine that does nothing else.
# `make results-games` makes those of the six later games, eight hours and the matches, with GNU Go and Fairy-Stockfish.
RUN = @$(PY) tools/strength_run.py
results: dev
	$(RUN) --env-id tictactoe --minutes 0.333 --out docs/results/tictactoe-20s
	$(RUN) --env-id connect4 --minutes 15 --at 5 --out docs/results/connect4-15min
	$(RUN) --env-id connect4 --minutes 60 --at 5 10 15 30 --out docs/results/connect4-60min
	@$(PY) -m trainer.evaluator --env-id connect4 --model data/connect4-60min/models/latest.onnx --opponent perfect \
		--simulations 600 --opening-plies 0 --json docs/results/connect4-60min/perfect-60min.json
	$(RUN) --env-id connect4 --minutes 15 --seed 1 --out docs/results/connect4-15min-seed1
	$(RUN) --env-id connect4 --minutes 15 --seed 2 --out docs/results/connect4-15min-seed2
	@for seed in 11 12; do $(PY) -m trainer.measure.make_positions --seed $$seed --output build/fresh-$$seed.csv || exit 1; done
	@cat build/fresh-11.csv build/fresh-12.csv > build/positions-fresh.csv
	@for run in connect4-15min connect4-15min-seed1 connect4-15min-seed2 connect4-60min; do $(PY) -m trainer.evaluator \
		--env-id connect4 --model data/$$run/models/latest.onnx --solve --positions build/positions-fresh.csv \
		--json docs/results/$$run/other-positions.json || exit 1; done
	$(RUN) --env-id othello --minutes 120 --at 15 30 60 --out docs/results/othello-120min
	@$(PY) tools/against_openspiel.py --env-id othello --model data/othello-120min/models/latest.onnx \
		--json docs/results/othello-120min/openspiel.json

GNUGO = gtp: gnugo --mode gtp --level 10 --chinese-rules --positional-superko --capture-all-dead --never-resign
results-games: dev
	$(RUN) --env-id dots:rows=2,columns=2 --minutes 3 --out docs/results/dots-2x2-3min
	$(RUN) --env-id dots --minutes 60 --at 10 20 30 --out docs/results/dots-60min
	$(RUN) --env-id hex:size=4 --minutes 3 --solve --out docs/results/hex-4x4-3min
	$(RUN) --env-id hex:size=5 --minutes 10 --at 3 --out docs/results/hex-5x5-10min
	$(RUN) --env-id hex --minutes 60 --at 10 20 30 --out docs/results/hex-60min
	$(RUN) --env-id mnk --minutes 10 --at 3 --out docs/results/mnk-5x5x4-10min
	$(RUN) --env-id mnk:width=8,height=8,line=5 --minutes 60 --at 10 20 30 --out docs/results/mnk-8x8x5-60min
	$(RUN) --env-id breakthrough:rows=6,columns=6 --minutes 20 --at 5 10 --out docs/results/breakthrough-6x6-20min
	$(RUN) --env-id breakthrough --minutes 60 --at 10 20 30 --out docs/results/breakthrough-60min
	$(RUN) --env-id minichess --minutes 60 --at 10 20 30 --out docs/results/minichess-60min
	@$(PY) -m trainer.evaluator --env-id minichess --model data/minichess-60min/models/latest.onnx --opponent "uci: fairy-stockfish" \
		--opponent-simulations 3000 --simulations 100 --json docs/results/minichess-60min/fairy-stockfish-3000.json
	@$(PY) -m trainer.evaluator --env-id minichess --model data/minichess-60min/models/latest.onnx --opponent "uci: fairy-stockfish" \
		--opponent-simulations 300 --simulations 100 --json docs/results/minichess-60min/fairy-stockfish-300.json
	$(RUN) --env-id go:size=5 --minutes 60 --at 10 20 30 --out docs/results/go-5x5-60min
	@$(PY) -m trainer.evaluator --env-id go:size=5 --model data/go-5x5-60min/models/latest.onnx --opponent "$(GNUGO)" \
		--simulations 200 --opening-plies 2 --json docs/results/go-5x5-60min/gnugo.json
	@$(PY) -m trainer.evaluator --env-id go:size=5 --model data/go-5x5-60min/models/latest.onnx --opponent "$(GNUGO)" \
		--simulations 200 --opening-plies 0 --games 200 --json docs/results/go-5x5-60min/gnugo-first-position.json
	$(RUN) --env-id go:size=7 --minutes 60 --at 30 --out docs/results/go-7x7-60min
	@$(PY) -m trainer.evaluator --env-id go:size=7 --model data/go-7x7-60min/models/latest.onnx --opponent "$(GNUGO)" \
		--simulations 200 --opening-plies 2 --games 60 --json docs/results/go-7x7-60min/gnugo.json
	$(RUN) --env-id go:size=9 --minutes 60 --out docs/results/go-9x9-60min
	@$(PY) -m trainer.evaluator --env-id go:size=9 --model data/go-9x9-60min/models/latest.onnx --opponent "$(GNUGO)" \
		--simulations 200 --opening-plies 2 --games 30 --json docs/results/go-9x9-60min/gnugo.json

# `make bench ARGS=selfplay` runs one part; `make bench ARGS="--help"` lists them.
bench: peers
	@$(PY) -m bench $(ARGS)

# What one GPU does (docs/gpu.md).
bench-gpu: dev
	@$(PY) -m bench gpu
	@$(PY) -m bench gpu-learning

# For a machine with torch and Numba but without a network: wheels of the rest and the commit, for tools/bench_gpu.sh there.
gpu-wheels:
	@rm -rf build/wheels && mkdir -p build/wheels
	@git describe --always --abbrev=40 --exclude="*" --dirty=+ > build/wheels/commit 2> /dev/null || rm build/wheels/commit
	@$(PYTHON) -m pip download --quiet --no-deps --only-binary=:all: --dest build/wheels --constraint constraints.txt \
		tyro docstring_parser typeguard starlette uvicorn

# Is it as fast as it was? `make bench-against COMMIT=f877e30`; ARGS="--rounds 9" goes on to the program.
bench-against: peers
	@$(PY) tools/against_commit.py $(COMMIT) $(ARGS)

runtime dev peers: # what is installed in .venv
	$(ENVIRONMENT)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
