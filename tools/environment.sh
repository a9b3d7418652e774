#!/bin/sh
# Make the virtual environment .venv and install into it: tools/environment.sh WHAT PYTHON GIVEN GOAL
#
# WHAT: runtime (what `make run` needs), dev (tests and linters too), peers (the benchmarks' peers too) or nothing.
# PYTHON: the interpreter to make it with. GIVEN: "given" if the user asked for this one; then a .venv that was made with
# another one is replaced. GOAL: the target of make, for messages.
#
# A .venv that came here with a copied or moved checkout is replaced, too, because it would use the sources of the other one.
set -eu
what=$1 python=$2 given=$3 goal=$4
venv=.venv
oldest=3.11

fail() {
    echo "error: $1" >&2
    exit 1
}

# "3.12.1 /usr": version and home of an interpreter; nothing if it doesn't run.
identity() {
    "$1" -c 'import sys; print("%d.%d.%d %s" % (sys.version_info[:3] + (getattr(sys, "base_prefix", sys.prefix),)))' \
        2> /dev/null || true
}

new_enough() {
    "$1" -c "import sys; sys.exit(sys.version_info[:2] < tuple(map(int, '$oldest'.split('.'))))"
}

wanted=$(identity "$python")
check_python() {
    advice="name one with: make $goal PYTHON=python3.12"
    test -n "$wanted" || fail "there is no Python named $python; install Python $oldest or newer, or $advice"
    new_enough "$python" || fail "$python is Python ${wanted%% *}, and Python $oldest or newer is needed; $advice"
}

if test "$given" = given; then
    check_python
fi
if test -d $venv; then
    found=$(identity $venv/bin/python)
    reason=
    if test -z "$found"; then
        reason="its Python is gone"
    elif ! new_enough $venv/bin/python; then
        reason="it was made with Python ${found%% *}, and Python $oldest or newer is needed"
    elif test "$given" = given && test "$found" != "$wanted"; then
        reason="it was made with Python ${found%% *} (${found#* }), and $python is Python ${wanted%% *} (${wanted#* })"
    elif test -e $venv/made-in && test "$(cat $venv/made-in)" != "$(pwd -P)"; then
        reason="it was made in $(cat $venv/made-in)"
    fi
    if test -n "$reason"; then
        check_python
        echo "Replacing $venv: $reason."
        rm -rf $venv
    fi
fi
if ! test -d $venv; then
    check_python
    if ! "$python" -m venv $venv; then
        rm -rf $venv
        fail "$python can't make a virtual environment (Debian and Ubuntu: apt-get install python3-venv)"
    fi
    pwd -P > $venv/made-in
fi

# Whether something was installed, and neither the dependencies nor their versions were changed since.
is_installed() {
    test -e $venv/installed-"$1" && ! test pyproject.toml -nt $venv/installed-"$1" && ! test constraints.txt -nt $venv/installed-"$1"
}

install() {
    is_installed "$1" && return
    log=$venv/install-$1.log
    echo "Installing $3 into $venv (a few minutes the first time; the log is $log)"
    if ! $venv/bin/python -m pip install --constraint constraints.txt --editable "$2" > $log 2>&1; then
        cat $log
        exit 1
    fi
    touch $venv/installed-"$1"
}

case $what in
    runtime) is_installed dev || install runtime . "what a run needs" ;;
    dev) install dev ".[dev]" "what the tests need" ;;
    peers)
        install dev ".[dev]" "what the tests need"
        install peers ".[bench]" "what the benchmarks compare with"
        ;;
esac
