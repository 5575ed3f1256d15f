#!/usr/bin/env python3
"""How scoring in SQL scales: with rows, trees, features and workers.

usage: scaling.py DIR [--c-api PROGRAM]

Trains its own small models into DIR, measures on the server of bench.py, and
writes DIR/scaling.json: {"rows": [[n, us a row, ms in all], ...],
"trees": [[n, us a row, us a row of the C API], ...], "features": [the same],
"workers": [[processes, us a row], ...]}. Medians of five.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import numpy as np
import psycopg2
import xgboost as xgb

ROWS = [1000, 10000, 100000, 1000000]
TREES = [10, 30, 100, 300, 1000, 2000, 5000]
FEATURES = [10, 30, 100, 300, 1000, 1500]
REPEATS = 5


def table(seed, n_rows, n_features):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_rows, n_features)).astype(np.float32)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x


def train(path, n_trees, n_features):
    if os.path.exists(path):
        return
    x = table(n_features, 10000, n_features)
    y = np.nan_to_num(x[:, : min(10, n_features)]).sum(axis=1) + np.random.default_rng(1).standard_normal(len(x)) > 0
    params = {"tree_method": "hist", "max_depth": 6, "eta": 0.02, "objective": "binary:logistic", "seed": 1, "nthread": 2}
    xgb.train(params, xgb.DMatrix(x, y), n_trees).save_model(path)


def register(cursor, name, path):
    with open(path, "rb") as f:
        cursor.execute("SELECT count(*) FROM model_predict.models WHERE model = %s", (name,))
        if cursor.fetchone()[0]:
            cursor.execute("SELECT model_predict.drop_model(%s)", (name,))
        cursor.execute("SELECT model_predict.register(%s, %s, trees => 'all')", (name, psycopg2.Binary(f.read())))


def arrays(cursor, name, x, n_rows):
    """A table of n_rows arrays, made of x over and over."""
    cursor.execute(f"DROP TABLE IF EXISTS {name}; CREATE UNLOGGED TABLE {name} (x real[])")
    for row in x:
        cursor.execute(f"INSERT INTO {name} VALUES (%s::real[])", ([None if v != v else float(v) for v in row],))
    if n_rows > len(x):
        cursor.execute(f"INSERT INTO {name} SELECT x FROM {name}, generate_series(2, {n_rows // len(x)})")
    cursor.execute(f"VACUUM ANALYZE {name}")


def median_us(cursor, sql, n_rows):
    times = []
    cursor.execute(sql)
    for _ in range(REPEATS):
        start = time.perf_counter()
        cursor.execute(sql)
        cursor.fetchall()
        times.append((time.perf_counter() - start) / n_rows * 1e6)
    return statistics.median(times)


def c_api(program, path, x):
    if program is None:
        return None
    x.tofile(path + ".f32")
    out = subprocess.run([program, path, path + ".f32", str(x.shape[1])], capture_output=True, text=True,
                         check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(out.stdout)["one"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("dir")
    p.add_argument("--c-api", default=None)
    a = p.parse_args()
    os.makedirs(a.dir, exist_ok=True)
    session = psycopg2.connect("")
    session.autocommit = True
    cursor = session.cursor()
    cursor.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
    found = {"rows": [], "trees": [], "features": [], "workers": []}

    most = f"{a.dir}/trees.ubj"
    train(most, max(TREES), 30)
    x = table(7, 1000, 30)
    arrays(cursor, "scale_rows", x, max(ROWS))
    booster = xgb.Booster(model_file=most)
    for n in TREES:
        part = f"{a.dir}/trees-{n}.ubj"
        if not os.path.exists(part):
            booster[:n].save_model(part)
        register(cursor, "scale", part)
        us = median_us(cursor, "SELECT sum(predict('scale', x)) FROM (SELECT x FROM scale_rows LIMIT 20000) q", 20000)
        found["trees"].append([n, us, c_api(a.c_api, part, x)])
    register(cursor, "scale", f"{a.dir}/trees-100.ubj")
    for n in ROWS:
        us = median_us(cursor, f"SELECT sum(predict('scale', x)) FROM (SELECT x FROM scale_rows LIMIT {n}) q", n)
        found["rows"].append([n, us, us * n / 1000])
    cursor.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    for workers in (0, 1):
        cursor.execute(f"SET max_parallel_workers_per_gather = {workers}")
        found["workers"].append([workers + 1, median_us(
            cursor, "SELECT sum(predict('scale', x)) FROM scale_rows", max(ROWS))])
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    for n in FEATURES:
        path = f"{a.dir}/features-{n}.ubj"
        train(path, 100, n)
        x = table(9, 200, n)
        arrays(cursor, "scale_features", x, 10000)
        register(cursor, "scale", path)
        us = median_us(cursor, "SELECT sum(predict('scale', x)) FROM scale_features", 10000)
        found["features"].append([n, us, c_api(a.c_api, path, x)])
    cursor.execute("SELECT model_predict.drop_model('scale'); DROP TABLE scale_rows, scale_features")
    with open(f"{a.dir}/scaling.json", "w") as f:
        json.dump(found, f, indent=1)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
