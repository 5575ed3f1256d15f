#!/usr/bin/env python3
"""What watching costs: measures, profiles, many references; in one interleaved run.

usage: watching.py [--rows N] [--rounds N]

The server is the one that PGHOST, PGPORT, PGUSER and PGDATABASE name, with the
extension created. Each line is a median over rounds and its ratio to what it is
held against:

  roc_auc of N pairs           2 x sum() over the same scan and a sort of N keys of 4 bytes
  profile                      2 x predict(), row by row, over the same columns
  canary over two versions     1.5 x each part scored by itself
"""
import argparse
import os
import statistics
import time

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = """female, senior_citizen, partner, dependents, tenure, phone_service, multiple_lines, internet_service,
    online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies, contract,
    paperless_billing, payment_method, monthly_charges, total_charges"""


def load(cursor, rows):
    with open(f"{HERE}/../data/demo/churn.ubj", "rb") as f:
        model = f.read()
    cursor.execute("SELECT model_predict.drop_model(model) FROM model_predict.models WHERE model = 'watched'")
    for trees in ("best", "all"):
        cursor.execute("SELECT model_predict.register('watched', %s, classes => '{No,Yes}', trees => %s)", (model, trees))
    cursor.execute("SELECT model_predict.set_alias('watched', 'challenger', 2)")
    cursor.execute("DROP TABLE IF EXISTS pairs, watched")
    cursor.execute(f"""CREATE UNLOGGED TABLE pairs AS SELECT random() < 0.3 AS outcome, random()::real::float8 AS score
        FROM generate_series(1, {rows})""")
    cursor.execute(f"""CREATE UNLOGGED TABLE watched AS SELECT c.* FROM customers c, generate_series(1, {max(1, rows // 70000)})""")
    cursor.execute("VACUUM ANALYZE pairs, watched")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    load(cursor, options.rows)
    cursor.execute("SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'")
    part = "SELECT sum(predict('watched@{}', t.*)) FROM watched t WHERE model_predict.bucket(id::text, 'x') {} 0.1"
    queries = {
        "sum": "SELECT sum(score) FROM pairs WHERE outcome IS NOT NULL",
        "sort": "SELECT count(*) FROM (SELECT score::real FROM pairs ORDER BY 1 OFFSET 0) x",
        "roc_auc": "SELECT model_predict.roc_auc(outcome, score) FROM pairs",
        "evaluate_binary": "SELECT model_predict.evaluate_binary(outcome, score) FROM pairs",
        "log_loss": "SELECT model_predict.log_loss(outcome, score) FROM pairs",
        "predict row by row": f"SET model_predict.batch = off; SELECT sum(predict('watched', {COLUMNS})) FROM watched",
        "profile": f"SELECT model_predict.profile('watched', {COLUMNS}) FROM watched",
        "first part": part.format("default", ">="),
        "second part": part.format("challenger", "<"),
        "canary": """SELECT sum(predict('watched@' || CASE WHEN model_predict.bucket(id::text, 'x') < 0.1 THEN 'challenger'
            ELSE 'default' END, t.*)) FROM watched t""",
    }
    times = {name: [] for name in queries}
    for _ in range(options.rounds):
        for name, sql in queries.items():
            start = time.perf_counter()
            cursor.execute(sql)
            times[name].append(time.perf_counter() - start)
            cursor.execute("SET model_predict.batch = auto")
    median = {name: statistics.median(t) for name, t in times.items()}
    # a sort of 4-byte keys alone: what sorting adds to the scan is an upper bound
    against = {
        "roc_auc": (2 * median["sum"] + max(median["sort"] - median["sum"], 0), "2 x sum + sort"),
        "profile": (2 * median["predict row by row"], "2 x predict row by row"),
        "canary": (1.5 * (median["first part"] + median["second part"]), "1.5 x its parts"),
    }
    for name, seconds in median.items():
        limit = f"{seconds / against[name][0]:6.2f} of {against[name][1]}" if name in against else ""
        print(f"{name:20s} {seconds * 1000:10.0f} ms  {limit}")


if __name__ == "__main__":
    main()
