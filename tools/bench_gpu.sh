#!/bin/sh
# `make bench-gpu` on a machine that has torch, Numba, onnx, ONNX Runtime, rich, psutil and a GPU, but no network:
#
#     make gpu-wheels                          first, on a machine with a network: the other packages, in build/wheels
#     sh tools/bench_gpu.sh OUT gpu            then here, in the checkout with these: five minutes (the default part)
#     sh tools/bench_gpu.sh OUT gpu-learning   six minutes
#
# OUT gets benchmarks.md and benchmarks.json.
set -eu
out=$1
shift
site=${TMPDIR:-/tmp}/cartridge-site
python3 -m pip install --quiet --no-index --no-deps --upgrade --target "$site" build/wheels/*.whl
export PYTHONPATH="src:$site"
python3 -m bench "${@:-gpu}" --out "$out" --work "${TMPDIR:-/tmp}/cartridge-bench"
