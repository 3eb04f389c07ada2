#!/bin/sh
# A PostgreSQL server for tests: in a temporary folder, on a free port of 127.0.0.1, gone when it stops.
#
#   url=$(scripts/postgres-for-tests.sh start)     prints postgres://...; keep it for stop
#   scripts/postgres-for-tests.sh stop "$url"
#   scripts/postgres-for-tests.sh run COMMAND...   sets CONCORD_TEST_POSTGRES for the command, then stops
#
# initdb refuses to run as root; as root, the server runs as the user `postgres` (or `nobody`).
set -eu

bin=${POSTGRES_BIN:-}
if [ -z "$bin" ]; then
    for candidate in /usr/lib/postgresql/*/bin; do
        if [ -x "$candidate/initdb" ]; then bin=$candidate; fi
    done
fi
if [ -z "$bin" ]; then
    bin=$(dirname "$(command -v initdb || true)")
fi
if [ ! -x "$bin/initdb" ]; then
    echo "no PostgreSQL server found: install Debian's postgresql, or set POSTGRES_BIN" >&2
    exit 1
fi

as_server() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    elif id postgres >/dev/null 2>&1; then
        runuser -u postgres -- "$@"
    else
        runuser -u nobody -- "$@"
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The folder of a server is found again by its port.
folder_of() {
    echo "${TMPDIR:-/tmp}/concord-postgres-$1"
}

start() {
    port=$(free_port)
    folder=$(folder_of "$port")
    mkdir -m 700 "$folder"
    if [ "$(id -u)" -eq 0 ]; then
        chown "$(as_server id -un)" "$folder"
    fi
    # Started elsewhere, because the server's user may not enter the current folder.
    (
        cd /
        as_server "$bin/initdb" --pgdata="$folder/data" --username=concord --auth=trust \
            --encoding=UTF8 --locale=C.UTF-8 --no-sync
        as_server "$bin/pg_ctl" --pgdata="$folder/data" --wait --log="$folder/log" \
            --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200" \
            start
    ) >"$folder.start" 2>&1 || {
        cat "$folder.start" >&2
        rm -rf "$folder" "$folder.start"
        exit 1
    }
    rm -f "$folder.start"
    echo "postgres://concord@127.0.0.1:$port/postgres"
}

stop() {
    port=$(echo "$1" | sed -n 's|^postgres://concord@127\.0\.0\.1:\([0-9]\{1,5\}\)/postgres$|\1|p')
    folder=$(folder_of "$port")
    if [ -z "$port" ] || [ ! -d "$folder/data" ]; then
        echo "$1 is no server that this script started" >&2
        exit 1
    fi
    (cd / && as_server "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop) >/dev/null
    rm -rf "$folder"
}

case "${1:-}" in
start) start ;;
stop) stop "${2:?the URL that start printed}" ;;
run)
    shift
    url=$(start)
    trap 'stop "$url"' EXIT
    trap 'exit 130' INT TERM
    CONCORD_TEST_POSTGRES=$url "$@"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
