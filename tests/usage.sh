#!/bin/sh
# Every example and script takes --help, and refuses an argument that it does not know with status 2 and its usage on
# standard error; the examples name it. `cargo test` has built the examples before this runs.
set -eu
cd "$(dirname "$0")/.."
built=${CARGO_TARGET_DIR:-target}/debug/examples
failed=0

# says WHAT COMMAND...: the usage after --help; WHAT after --nonsense.
says() {
    what=$1
    shift
    help=$("$@" --help 2>/dev/null) || { echo "$*: --help failed" && failed=1; }
    case $help in
        usage:*) ;;
        *) echo "$*: no usage after --help: $help" && failed=1 ;;
    esac
    status=0
    said=$("$@" --nonsense 2>&1 >/dev/null) || status=$?
    case $status:$said in
        2:*"$what"*usage:* | 2:usage:*"$what"*) ;;
        *) echo "$*: status $status after --nonsense: $said" && failed=1 ;;
    esac
}

for source in examples/*.rs; do
    says 'unknown argument "--nonsense"' "$built/$(basename "$source" .rs)"
done
if command -v python3 >/dev/null; then
    # programs.py is a part of run.py, training.py of the scripts beside it.
    for script in $(find benches tests -name '*.py' ! -name programs.py ! -name training.py); do
        says error: python3 "$script"
    done
fi
says 'unknown argument "--nonsense"' bash benches/gpu_session.sh
says 'unknown argument "--nonsense"' bash tools/offline/run.sh
[ "$failed" -eq 0 ] && echo "every example and script explains itself"
