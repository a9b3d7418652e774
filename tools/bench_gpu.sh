#!/bin/sh
# `make bench-gpu` on a machine that has torch, Numba, onnx, ONNX Runtime, rich, psutil and a GPU, but no network:
#
#     make gpu-wheels                          first, on a machine with a network: the other packages, in build/wheels
#     sh tools/bench_gpu.sh OUT gpu            then here, in the checkout with these (the default part)
#     sh tools/bench_gpu.sh OUT gpu-learning   the second part; docs/gpu.md says how long both take
#     python -m bench --merge OUT/benchmarks.json   at last, on the first machine: takes the results into docs
#
# OUT gets benchmarks.md and benchmarks.json, or unfinished-benchmarks.json if it was cut short. A copy without .git doesn't
# know its commit: `make gpu-wheels` writes it down, so call it again after each commit, or set BENCH_COMMIT.
set -eu
out=$1
shift
site=${TMPDIR:-/tmp}/cartridge-site
python3 -m pip install --quiet --no-index --no-deps --upgrade --target "$site" build/wheels/*.whl
export PYTHONPATH="src:$site"
[ -n "${BENCH_COMMIT:-}" ] || [ ! -f build/wheels/commit ] || BENCH_COMMIT=$(cat build/wheels/commit)
export BENCH_COMMIT="${BENCH_COMMIT:-}"
python3 -m bench "${@:-gpu}" --out "$out" --work "${TMPDIR:-/tmp}/cartridge-bench"
