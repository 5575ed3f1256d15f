#!/bin/sh
#
# sqlpad.sh: a real BI tool on the view of docs/clients.md, in a browser.
#
#   sh test/sqlpad.sh [DIRECTORY]
#
# Fetches SQLPad and a driver of Chromium with npm, so it is no part of run.sh.
# Leaves three pictures in DIRECTORY (here) to look at, and says what it checked.
#
# Last result (Debian's Chromium): four of four. Charts grow as they appear: a
# picture taken while the page loads shows axes without bars.
#
# SQLPad 3.1.0 is the newest that npm has. Its own driver of 2019 never returns
# under a Node of today: it is given a newer one.

set -eu
pictures=$(cd "${1:-.}" && pwd)
. "$(dirname "$0")/lib.sh"
port=${SQLPAD_PORT:-3010}

trap 'if [ -n "${sqlpad:-}" ]; then kill "$sqlpad"; fi; clean_up' EXIT
trap 'exit 130' HUP INT TERM

install_postgresql
# shellcheck disable=SC2086,SC2154
install_packages $build_packages chromium fonts-dejavu-core
command -v npm >/dev/null || install_packages nodejs npm
make_work_directory
if ! { tree_make -j"$(nproc)" && install_extension; } >"$work/build.log" 2>&1
then
	cat "$work/build.log" >&2
	die "the build failed"
fi
start_server

psql()
{
	(cd "$tree/test/data/demo" && as_user "$bindir/psql" -XqAt -v ON_ERROR_STOP=1 "$@")
}

# the view and the role's rights are those that docs/clients.md tells to make
sed -n '/^CREATE VIEW scored_customers/,/;$/p; /^CREATE ROLE bi/,/^```/p' "$tree/docs/clients.md" | sed '/^```/d' >"$work/bi.sql"
psql -f schema.sql -c 'CREATE EXTENSION model_predict' -c "SELECT model_predict.register('churn',
	pg_read_binary_file('$tree/test/data/demo/churn.ubj'), classes => '{No,Yes}', trees => 'best')" -f - <"$work/bi.sql" >/dev/null

mkdir "$work/npm"
cat >"$work/npm/package.json" <<'JSON'
{
  "dependencies": { "pg": "8.13.1", "puppeteer-core": "^24.0.0", "sqlpad": "3.1.0" },
  "overrides": { "pg": "$pg", "pg-cursor": "2.12.1" }
}
JSON
(cd "$work/npm" && npm install --no-audit --no-fund >"$work/npm.log" 2>&1) || { cat "$work/npm.log" >&2; die "npm failed"; }
node "$work/npm/node_modules/sqlpad/server.js" --dbPath "$work/sqlpad" --ip 127.0.0.1 --port "$port" >"$work/sqlpad.log" 2>&1 &
sqlpad=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
do
	! grep -q 'Welcome to SQLPad' "$work/sqlpad.log" || break
	sleep 1
done

MP_SCORES=$(psql -c "SELECT json_agg(score ORDER BY contract) FROM
	(SELECT contract, avg(churn_score) AS score FROM scored_customers GROUP BY contract) s")
MP_TOP_SCORE=$(psql -c 'SELECT max(churn_score) FROM scored_customers')
export MP_SCORES MP_TOP_SCORE SQLPAD_PORT="$port" SQLPAD_PICTURES="$pictures"
NODE_PATH="$work/npm/node_modules" node "$top/test/clients/sqlpad.js"
