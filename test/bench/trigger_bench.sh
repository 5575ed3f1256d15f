#!/bin/sh
#
# trigger_bench.sh: what a scoring trigger costs each row of a COPY.
#
#   sh test/bench/trigger_bench.sh MODEL.ubj [ROWS [ROUNDS]]
#
# Copies the same rows (default 100,000) into a table without a trigger and into
# one with it, in turns, ROUNDS times (default 7), and prints the medians in
# microseconds per row and their difference. Also with a do-nothing trigger in
# PL/pgSQL, whose cost is mostly PostgreSQL's own for having any, and for single
# INSERT statements. The model is one of make_models.py's: features c0, c1, ...,
# one output. The server is the one that PGHOST and the like lead to; it must
# have the extension's files, let this role make databases and read files, and
# run on this machine. Rows are independent random numbers, 5 % missing.

set -eu

[ $# -ge 1 ] || { sed -n '3,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1
rows=${2:-100000}
rounds=${3:-7}
db=model_predict_trigger_bench_$$
dir=$(mktemp -d "${TMPDIR:-/tmp}/trigger_bench.XXXXXX")
chmod 755 "$dir"

trap 'dropdb --if-exists "$db" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM

sql()
{
	psql -XqAt -v ON_ERROR_STOP=1 -d "$db" "$@"
}

# milliseconds that the last statement of $1 took on the server's side of the connection
timed()
{
	sql -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1
}

median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

createdb "$db"
sql <<-SQL
	CREATE EXTENSION model_predict;
	\lo_import '$model'
	SELECT model_predict.register('bench', lo_get(:LASTOID), trees => 'all') \g /dev/null
	SELECT string_agg(format('%I real', name), ', ' ORDER BY position) AS columns,
		string_agg('CASE WHEN random() >= 0.05 THEN sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) END',
			', ' ORDER BY position) AS numbers
	FROM model_predict.features WHERE model = 'bench' \gset
	CREATE TABLE plain (id integer, :columns, score double precision);
	SELECT setseed(0.5) \g /dev/null
	INSERT INTO plain SELECT i, :numbers, NULL FROM generate_series(1, $rows) i;
	CREATE UNLOGGED TABLE bench_plain (LIKE plain);
	CREATE UNLOGGED TABLE bench_noop (LIKE plain);
	CREATE UNLOGGED TABLE bench_score (LIKE plain);
	CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER noop BEFORE INSERT OR UPDATE ON bench_noop FOR EACH ROW EXECUTE FUNCTION noop();
	CREATE TRIGGER score BEFORE INSERT OR UPDATE ON bench_score FOR EACH ROW
		EXECUTE FUNCTION model_predict.score('bench', 'score');
SQL
sql -c "\copy plain TO '$dir/rows'"
chmod 644 "$dir/rows"

# in turns, so that a slow phase of the machine meets them all
round=0
while [ "$round" -lt "$rounds" ]
do
	for table in plain noop score
	do
		sql -c "TRUNCATE bench_$table"
		timed "COPY bench_$table FROM '$dir/rows'" >>"$dir/copy_$table"
		timed "DO 'BEGIN FOR i IN 1 .. 5000 LOOP INSERT INTO bench_$table SELECT * FROM plain LIMIT 1; END LOOP; END'" \
			>>"$dir/insert_$table"
	done
	round=$((round + 1))
done

wrong=$(sql -c "SELECT count(*) FROM bench_score b WHERE score IS DISTINCT FROM predict('bench', b.*)")
[ "$wrong" = 0 ] || { echo "$wrong rows have a wrong score" >&2; exit 1; }

for what in copy insert
do
	[ $what = copy ] && n=$rows || n=5000
	echo "$(median "$dir/${what}_plain") $(median "$dir/${what}_noop") $(median "$dir/${what}_score")" |
		awk -v what=$what -v n="$n" '{
			printf "%-7s us/row: %7.2f without, %7.2f with a trigger that does nothing, %7.2f with scoring: +%.2f\n",
				what, $1 * 1000 / n, $2 * 1000 / n, $3 * 1000 / n, ($3 - $1) * 1000 / n }'
done
