#!/usr/bin/env python3
"""Scoring in SQL beside its rivals, in one run: medians, spread, ratios.

usage: bench.py MODELS [--rows N] [--rounds N] [--only NAME,...] [--out DIR] [--quick]
       bench.py MODELS --first-call SESSIONS [--rows N] [--only NAME,...]

MODELS is the folder that make_models.py filled. The server is the one that
PGHOST, PGPORT, PGUSER and PGDATABASE name, with the extension created, and
PL/Python for that rival. Writes results.json and report.md to DIR. Rounds are
interleaved: each measures everything once, so that a slow phase of the machine
meets all alike; a figure is the median over rounds, +- half of its range.

Figures are microseconds a row. "over noop" is a query's time less that of the
same query with num_nulls(), which does nothing, in the scoring function's place.
Scans score in batches; "row by row" is the same query with model_predict.batch
off, when each row is scored by its call.
"""
import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from make_models import MODELS  # noqa: E402

WHOLE = list(MODELS)[:4]  # measured in every way

SLOW_ROWS = 5000
KERNELS = ["avx512", "avx2", "baseline", "portable", "reference"]


class Clock:
    """Medians of interleaved measurements, by name."""

    def __init__(self):
        self.samples = {}

    def add(self, name, microseconds):
        self.samples.setdefault(name, []).append(microseconds)

    def median(self, name):
        return statistics.median(self.samples[name]) if name in self.samples else None

    def spread(self, name):
        s = self.samples[name]
        return (max(s) - min(s)) / 2


def rows_of(directory, name):
    n_features = MODELS[name][2]
    return np.fromfile(f"{directory}/{name}.f32", np.float32).reshape(-1, n_features)


def copy_csv(cursor, table, x):
    buffer = io.StringIO()
    for row in x:
        buffer.write(",".join("" if v != v else repr(float(v)) for v in row.tolist()) + "\n")
    buffer.seek(0)
    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv)", buffer)


def make_tables(cursor, directory, name, n_rows):
    """t_NAME: a column a feature; a_NAME: one real[]; same_NAME: one row over and over."""
    n_features = MODELS[name][2]
    columns = [f"c{i}" for i in range(n_features)]
    x = rows_of(directory, name)
    copies = max(1, n_rows // len(x))
    for table in (f"t_{name}", f"a_{name}", f"same_{name}", "part"):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE UNLOGGED TABLE part ({', '.join(c + ' real' for c in columns)})")
    copy_csv(cursor, "part", x[:n_rows])
    cursor.execute(f"CREATE UNLOGGED TABLE t_{name} AS SELECT part.* FROM generate_series(1, {copies}), part")
    cursor.execute(f"CREATE UNLOGGED TABLE a_{name} AS SELECT ARRAY[{', '.join(columns)}]::real[] AS x FROM t_{name}")
    cursor.execute(f"CREATE UNLOGGED TABLE same_{name} AS SELECT p.* FROM generate_series(1, {min(n_rows, len(x)) * copies}),"
                   " (SELECT * FROM part LIMIT 1) p")
    cursor.execute("DROP TABLE part")
    for table in (f"t_{name}", f"a_{name}", f"same_{name}"):
        cursor.execute(f"VACUUM ANALYZE {table}")
    cursor.execute(f"SELECT count(*) FROM t_{name}")
    return cursor.fetchone()[0]


def register(cursor, directory, name):
    with open(f"{directory}/{name}.ubj", "rb") as f:
        cursor.execute("SELECT count(*) FROM model_predict.models WHERE model = %s", (name,))
        if cursor.fetchone()[0]:
            cursor.execute("SELECT model_predict.drop_model(%s)", (name,))
        start = time.perf_counter()
        cursor.execute("SELECT model_predict.register(%s, %s)", (name, psycopg2.Binary(f.read())))
    return (time.perf_counter() - start) * 1e3


def timed(cursor, sql, n_rows):
    start = time.perf_counter()
    cursor.execute(sql)
    cursor.fetchall()
    return (time.perf_counter() - start) / n_rows * 1e6


def forms(name):
    """input form -> (arguments of the row, table)"""
    columns = ", ".join(f"c{i}" for i in range(MODELS[name][2]))
    if name not in WHOLE:
        return {"stored real[]": ("x", f"a_{name}")}
    found = {
        "whole row": ("t.*", f"t_{name} t"),
        "stored real[]": ("x", f"a_{name}"),
        "ARRAY[...]": (f"ARRAY[{columns}]", f"t_{name}"),
        "ROW(...)": (f"ROW({columns})", f"t_{name}"),
        "repeated row": ("t.*", f"same_{name} t"),
    }
    if MODELS[name][2] < 99:
        found["columns"] = (columns, f"t_{name}")
    return found


def query(name, form, function):
    arguments, table = forms(name)[form]
    if function == "noop":
        return f"SELECT sum(num_nulls({arguments})) FROM {table}"
    call = f"predict('{name}', {arguments})" if MODELS[name][3] == 1 else f"predict_all('{name}', {arguments})"
    return f"SELECT {'sum' if MODELS[name][3] == 1 else 'count'}({call}) FROM {table}"


def bench_shape(clock, cursor, name, n_rows):
    """Processor time of the server alone, so that what else runs on the machine counts little."""
    pid = cursor.connection.get_backend_pid()

    def measure(key, sql):
        start = on_cpu(pid)
        cursor.execute(sql)
        cursor.fetchall()
        clock.add(f"{name}/shape/{key}", (on_cpu(pid) - start) / n_rows * 1e3)

    cursor.execute(query(name, "stored real[]", "noop"))
    measure("noop", query(name, "stored real[]", "noop"))
    measure("predict", query(name, "stored real[]", "predict"))
    cursor.execute("SET model_predict.batch = off")
    measure("row by row", query(name, "stored real[]", "predict"))
    cursor.execute("RESET model_predict.batch")


def bench_sql(clock, cursor, name, n_rows):
    for form in forms(name):
        cursor.execute(query(name, form, "noop"))  # what it reads is in memory for all alike
        for function in ("noop", "predict"):
            clock.add(f"{name}/{form}/{function}", timed(cursor, query(name, form, function), n_rows))
        cursor.execute("SET model_predict.batch = off")
        clock.add(f"{name}/{form}/row by row", timed(cursor, query(name, form, "predict"), n_rows))
        cursor.execute("RESET model_predict.batch")
    clock.add(f"{name}/count", timed(cursor, f"SELECT count(*) FROM t_{name}", n_rows))


def bench_kernels(clock, cursor, name, n_rows):
    for kernel in KERNELS:
        cursor.execute("SET model_predict.kernel = %s", (kernel,))
        timed(cursor, query(name, "stored real[]", "predict") + " WHERE false", 1)
        few = min(n_rows, SLOW_ROWS) if kernel == "reference" else n_rows
        for batch in ("auto", "off"):
            cursor.execute("SET model_predict.batch = %s", (batch,))
            clock.add(f"{name}/kernel {kernel}, batch {batch}", timed(
                cursor, query(name, "stored real[]", "predict").replace(f"a_{name}", f"(SELECT x FROM a_{name} LIMIT {few}) q"), few))
    cursor.execute("RESET model_predict.kernel; RESET model_predict.batch")


def bench_two_processes(clock, cursor, name, n_rows):
    """Ten times the table, so that starting a process does not count."""
    table = "(" + " UNION ALL ".join([f"SELECT x FROM a_{name}"] * 10) + ") q"
    cursor.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    for workers, what in ((0, "one process"), (1, "two processes")):
        cursor.execute(f"SET max_parallel_workers_per_gather = {workers}")
        for function in ("noop", "predict"):
            ten = query(name, "stored real[]", function).replace(f"a_{name}", table)
            clock.add(f"{name}/{what}/{function}", timed(cursor, ten, 10 * n_rows))
    cursor.execute("SET max_parallel_workers_per_gather = 0")


def bench_c_api(clock, program, directory, name):
    """us/row of libxgboost 1.7.4: one row a call, and the best of some batches."""
    out = subprocess.run([program, f"{directory}/{name}.ubj", f"{directory}/{name}.f32", str(MODELS[name][2])],
                         capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    figures = json.loads(out.stdout)
    clock.add(f"{name}/C API one row", figures["one"])
    clock.add(f"{name}/C API best batch", figures["batch"])
    clock.add(f"{name}/C API load ms", figures["load_ms"])


PYTHON_FUNCTIONS = """
CREATE FUNCTION pg_temp.py_row(path text, x real[]) RETURNS float8 LANGUAGE plpython3u AS $$
if 'b' not in SD:
    import numpy, xgboost
    SD['np'] = numpy; SD['b'] = xgboost.Booster(model_file=path); SD['b'].set_param({'nthread': 1})
r = SD['b'].inplace_predict(SD['np'].array([x], dtype='f4'))
return float(r.ravel()[0])
$$;
CREATE FUNCTION pg_temp.py_batch(path text, x real[]) RETURNS float8 LANGUAGE plpython3u AS $$
if 'b' not in SD:
    import numpy, xgboost
    SD['np'] = numpy; SD['b'] = xgboost.Booster(model_file=path); SD['b'].set_param({'nthread': 1})
r = SD['b'].inplace_predict(SD['np'].array(x, dtype='f4'))
return float(r.sum())
$$;
"""


def bench_python(clock, connection, directory, name):
    """A session of its own: the functions keep their booster in it."""
    c = psycopg2.connect(connection)
    c.autocommit = True
    cursor = c.cursor()
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    cursor.execute("CREATE EXTENSION IF NOT EXISTS plpython3u")
    cursor.execute(PYTHON_FUNCTIONS)
    path = f"{directory}/{name}.ubj"
    cursor.execute(f"SELECT pg_temp.py_row('{path}', x), pg_temp.py_batch('{path}', ARRAY[x]) FROM a_{name} LIMIT 1")
    clock.add(f"{name}/PL/Python row by row", timed(
        cursor, f"SELECT sum(pg_temp.py_row('{path}', x)) FROM (SELECT x FROM a_{name} LIMIT 2000) q", 2000))
    clock.add(f"{name}/PL/Python arrays of 1000", timed(
        cursor, f"SELECT sum(pg_temp.py_batch('{path}', xs)) FROM (SELECT array_agg(x) AS xs FROM"
        f" (SELECT x, row_number() OVER () / 1000 AS g FROM a_{name} LIMIT 20000) q GROUP BY g) r", 20000))
    c.close()


def case_expression(tree, node, features):
    """One tree, as get_dump(dump_format='json') has it, as SQL."""
    if "leaf" in tree:
        return f"({tree['leaf']!r})::float4"
    children = {c["nodeid"]: c for c in tree["children"]}
    yes = case_expression(children[tree["yes"]], node, features)
    no = case_expression(children[tree["no"]], node, features)
    column = tree["split"]
    missing_left = tree["missing"] == tree["yes"]
    condition = f"{column} < ({tree['split_condition']!r})::float4"
    condition = f"({condition} OR {column} IS NULL)" if missing_left else condition
    return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"


def bench_case(clock, cursor, directory, name):
    import xgboost
    booster = xgboost.Booster(model_file=f"{directory}/{name}.ubj")
    trees = [json.loads(t) for t in booster.get_dump(dump_format="json")]
    total = " + ".join(case_expression(t, 0, None) for t in trees)
    cursor.execute("SET jit = off")
    clock.add(f"{name}/SQL CASE", timed(
        cursor, f"SELECT sum(1 / (1 + exp(-({total})::float8))) FROM (SELECT * FROM t_{name} LIMIT 20000) q", 20000))


def bench_round_trip(clock, connection, directory, name, n_rows):
    """COPY out, DMatrix and predict on one thread, COPY the scores back."""
    import xgboost
    booster = xgboost.Booster(model_file=f"{directory}/{name}.ubj")
    booster.set_param({"nthread": 1})
    with psycopg2.connect(connection) as c:
        cursor = c.cursor()
        cursor.execute("CREATE TEMP TABLE scores (score real)")
        start = time.perf_counter()
        buffer = io.StringIO()
        cursor.copy_expert(f"COPY t_{name} TO STDOUT (FORMAT csv, NULL 'nan')", buffer)
        buffer.seek(0)
        x = np.loadtxt(buffer, delimiter=",", dtype=np.float32)
        names = [f"c{i}" for i in range(x.shape[1])]
        scores = booster.predict(xgboost.DMatrix(x, feature_names=names, nthread=1))
        out = io.StringIO("\n".join(map(repr, scores.reshape(len(x), -1)[:, 0].tolist())) + "\n")
        cursor.copy_expert("COPY scores FROM STDIN", out)
        c.rollback()
        clock.add(f"{name}/client round trip", (time.perf_counter() - start) / n_rows * 1e6)


def on_cpu(pid):
    """Milliseconds that a process of this machine has run: what others take does not count."""
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e6


def first_statement(connection, statement, before=None):
    """A new session's first statement: milliseconds until its answer, and of the server's processor."""
    c = psycopg2.connect(connection)
    c.autocommit = True
    cursor = c.cursor()
    pid = c.get_backend_pid()
    if before is not None:
        cursor.execute(before)
    time.sleep(0.002)
    cpu, start = on_cpu(pid), time.perf_counter()
    cursor.execute(statement)
    elapsed = (time.perf_counter() - start) * 1e3
    time.sleep(0.002)
    cpu = on_cpu(pid) - cpu
    c.close()
    return elapsed, cpu


def bench_first_call(clock, connection, cursor, name, sessions=10):
    """The first prediction of new sessions, each less SELECT 1 as the first statement of another."""
    arguments, table = forms(name)["stored real[]"]
    cursor.execute(f"SELECT {arguments}::text FROM {table} LIMIT 1")
    predict = f"SELECT predict_margin('{name}', '{cursor.fetchone()[0]}'::real[])"
    cursor.execute(predict)
    for _ in range(sessions):
        least = first_statement(connection, "SELECT 1")
        for what, before in (("", None), (", library loaded", "LOAD 'model_predict'")):
            first = first_statement(connection, predict, before)
            clock.add(f"{name}/first call{what} ms", first[0] - least[0])
            clock.add(f"{name}/first call{what}, processor ms", first[1] - least[1])
    cursor.execute("SELECT bytes FROM model_predict.cache WHERE model = %s", (name,))
    clock.add(f"{name}/booster bytes", cursor.fetchone()[0])


def check_bits(cursor, directory, name):
    """The same float32 as libxgboost gives, before anything is timed."""
    import xgboost
    booster = xgboost.Booster(model_file=f"{directory}/{name}.ubj")
    names = [f"c{i}" for i in range(MODELS[name][2])]

    def compare(kernel, what, rows, margins):
        x = np.array([[np.nan if v is None else v for v in row] for row in rows], np.float32)
        want = booster.predict(xgboost.DMatrix(x, feature_names=names), output_margin=True).reshape(len(x), -1)
        different = int((np.array(margins, np.float32) != want).sum())
        if different:
            sys.exit(f"{name}: kernel {kernel} differs from libxgboost in {different} margins {what}")

    cursor.execute(f"SELECT x FROM a_{name} LIMIT 1000")
    rows = [row[0] for row in cursor.fetchall()]
    for kernel in KERNELS:
        cursor.execute("SET model_predict.kernel = %s", (kernel,))
        margins = []
        for row in rows:
            cursor.execute("SELECT predict_margin(%s, %s::real[])", (name, row))
            margins.append(cursor.fetchone()[0])
        compare(kernel, "row by row", rows, margins)
        cursor.execute(f"SELECT x, predict_margin('{name}', x) FROM a_{name} WHERE x[1] > 0.5")
        compare(kernel, "in batches", *zip(*cursor.fetchall()[-5000:]))
    cursor.execute("RESET model_predict.kernel")


def report_shapes(clock, names, table):
    def row(name):
        us = clock.median(f"{name}/shape/predict")
        best = clock.median(f"{name}/C API best batch")
        rounds, depth, features, _, extra = MODELS[name]
        shape = f"{rounds} × " + (f"{extra['max_leaves']} leaves" if "max_leaves" in extra else f"depth {depth}")
        figures = [us, clock.median(f"{name}/shape/row by row"), clock.median(f"{name}/shape/noop"), best]
        return [name, f"{shape}, {features} features", *["-" if f is None else f"{f:.3g}" for f in figures],
                "-" if best is None else f"{best / us:.1f}"]

    table("Shapes, stored real[], processor time, µs a row, scan included",
          ["", "", "in batches", "row by row", "noop", "XGBoost's best batch", "×"], [row(name) for name in names])


def report(clock, names, shapes, out):
    def cell(key):
        m = clock.median(key)
        return "-" if m is None else f"{m:.3g}" if m < 100 else f"{m:.0f}"

    lines = []

    def table(title, head, body):
        lines.extend(["", f"### {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)])
        lines.extend("| " + " | ".join(row) + " |" for row in body)

    if shapes:
        report_shapes(clock, shapes, table)
    if not names:
        with open(f"{out}/shapes.md", "w") as f:
            f.write("\n".join(lines).lstrip() + "\n")
        print("\n".join(lines))
        return

    table("Scoring, µs a row (one process; scan included)", ["", *names],
          [[form + what, *[cell(f"{n}/{form}/{fn}") for n in names]]
           for form in ["columns", "whole row", "stored real[]", "ARRAY[...]", "ROW(...)", "repeated row"]
           for fn, what in (("predict", ""), ("row by row", ", row by row"), ("noop", " (noop)"))]
          + [[f"ten times the rows, {what}{noop}", *[cell(f"{n}/{what}/{fn}") for n in names]]
             for what in ("one process", "two processes") for fn, noop in (("predict", ""), ("noop", " (noop)"))])

    def over_noop(name, function, form="stored real[]"):
        return clock.median(f"{name}/{form}/{function}") - clock.median(f"{name}/{form}/noop")

    def times_faster(rival, us):
        return [f"{clock.median(f'{n}/{rival}') / us(n):.1f}" if clock.median(f"{n}/{rival}") else "-" for n in names]

    rivals = ("C API one row", "C API best batch")
    ratios = [[f"{rival}, µs", *[cell(f"{n}/{rival}") for n in names]] for rival in rivals]
    for function, what in (("predict", ""), ("row by row", ", row by row")):
        ratios.append([f"score over noop{what}, µs", *[f"{over_noop(n, function):.3g}" for n in names]])
        for rival in rivals:
            ratios.append([f"× faster than {rival}{what}", *times_faster(rival, lambda n: over_noop(n, function))])
        for rival in rivals:
            ratios.append([f"× faster than {rival}, scan included{what}",
                           *times_faster(rival, lambda n: clock.median(f"{n}/stored real[]/{function}"))])
    for function, what in (("predict", ""), ("noop", " (noop)")):
        ratios.append([f"two processes: × one{what}", *[
            f"{clock.median(f'{n}/one process/{function}') / clock.median(f'{n}/two processes/{function}'):.2f}" for n in names]])
    table("Against XGBoost 1.7.4's C API, one thread, stored real[]", ["", *names], ratios)
    table("By kernel, stored real[], scan included, µs a row", ["", *names],
          [[k + what, *[cell(f"{n}/kernel {k}, batch {batch}") for n in names]]
           for k in KERNELS for batch, what in (("auto", ""), ("off", ", row by row"))])
    table("Other ways to score, µs a row", ["", *names],
          [[k, *[cell(f"{n}/{k}") for n in names]]
           for k in ["PL/Python row by row", "PL/Python arrays of 1000", "SQL CASE", "client round trip"]])
    table("Loading and memory", ["", *names],
          [[k, *[cell(f"{n}/{k}") for n in names]]
           for k in ["register ms", "first call ms", "first call, processor ms", "first call, library loaded ms",
                     "first call, library loaded, processor ms", "C API load ms", "booster bytes"]])
    with open(f"{out}/report.md", "w") as f:
        f.write("\n".join(lines).lstrip() + "\n")
    with open(f"{out}/results.json", "w") as f:
        json.dump({k: {"median": clock.median(k), "spread": clock.spread(k), "samples": s}
                   for k, s in clock.samples.items()}, f, indent=1)
    print("\n".join(lines))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("models")
    p.add_argument("--rows", type=int, default=200000)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", default=",".join(MODELS))
    p.add_argument("--out", default=".")
    p.add_argument("--c-api", default=None, help="the program built from c_api.c")
    p.add_argument("--first-call", type=int, metavar="SESSIONS", help="only the first prediction of that many new sessions")
    p.add_argument("--shapes", action="store_true", help="only the table of shapes")
    p.add_argument("--quick", action="store_true", help="SQL and C API only")
    a = p.parse_args()
    shapes = a.only.split(",")
    names = [name for name in shapes if name in WHOLE and not a.shapes]
    clock = Clock()
    connection = ""
    session = psycopg2.connect(connection)
    session.autocommit = True
    cursor = session.cursor()
    cursor.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
    n_rows = {}
    for name in shapes:
        n_rows[name] = make_tables(cursor, a.models, name, a.rows)
        for _ in range(3):
            clock.add(f"{name}/register ms", register(cursor, a.models, name))
        check_bits(cursor, a.models, name)
        if a.first_call:
            bench_first_call(clock, connection, cursor, name, a.first_call)
    if a.first_call:
        for key in filter(lambda k: "first call" in k, clock.samples):
            print(f"{key}: {clock.median(key):.3f}, least {min(clock.samples[key]):.3f}")
        return
    for _ in range(a.rounds):
        for name in shapes:
            bench_shape(clock, cursor, name, n_rows[name])
            if a.c_api:
                bench_c_api(clock, a.c_api, a.models, name)
        for name in names:
            bench_sql(clock, cursor, name, n_rows[name])
            bench_kernels(clock, cursor, name, n_rows[name])
            bench_two_processes(clock, cursor, name, n_rows[name])
            bench_first_call(clock, connection, cursor, name)
            if not a.quick:
                bench_python(clock, connection, a.models, name)
    if not a.quick:
        for name in names:
            bench_round_trip(clock, connection, a.models, name, n_rows[name])
        if "small" in names:
            bench_case(clock, cursor, a.models, "small")
    report(clock, names, shapes, a.out)


if __name__ == "__main__":
    main()
