#!/bin/sh
# The example `serve` answers rows, says what is wrong with bad ones, and ends by Ctrl-C with status 0. `cargo test` has built
# the examples before this runs.
set -eu
cd "$(dirname "$0")/.."
command -v curl >/dev/null || { echo "SKIPPED: no curl" && exit 0; }
port=${PORT:-18087}
AXONE_DEVICE=cpu "${CARGO_TARGET_DIR:-target}/debug/examples/serve" --port "$port" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
at="http://localhost:$port"
for _ in $(seq 300); do
    curl --silent --fail "$at/health" >/dev/null && break
    sleep 0.2
done

# asks STATUS PART BODY [PATH]: an answer with that status and that in it.
asks() {
    answer=$(curl --silent --write-out ' %{http_code}' "$at${4:-/predict}" --data "$3")
    case $answer in
        *"$2"*" $1") ;;
        *) echo "$3: $answer, expected $1 with $2" && exit 1 ;;
    esac
}

row=$(seq -s, 64)
asks 200 '"classes":[' "{\"rows\": [[$row]]}"
asks 200 '"probabilities":[[' "{\"rows\": [[$row], [$row]]}"
asks 400 'row 0: expected 64 numbers, got 2' '{"rows": [[1, 2]]}'
asks 400 'row 1, column 63: null is no finite number' "{\"rows\": [[$row], [$(seq -s, 63),null]]}"
asks 400 'no JSON' 'rows'
asks 400 'at least one row' '{"rows": []}'
asks 404 'POST /predict' '{}' /nowhere
kill -INT "$server"
wait "$server" || { echo "status $? after Ctrl-C" && exit 1; }
trap - EXIT
echo "the server answers, refuses and ends"
