#!/usr/bin/python3
"""What preprocessing costs: raw rows against the same trees fed ready features from columns, and Python's Pipeline.predict_proba.

usage: preprocessing.py      (server: PGHOST, PGPORT, PGUSER, PGDATABASE, where the extension is created)
The rows are the demo's customers. Needs Debian's python3-sklearn, -xgboost, -pandas, -psycopg2. Both queries run in turns;
medians of 7 runs in microseconds a row. The goal: raw rows cost at most 1.6 times what ready features cost.
"""
import io, os, statistics, sys, time, warnings
import numpy, pandas, psycopg2, xgboost
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../../src/client")
import model_predict
warnings.filterwarnings("ignore")

COPIES = 16      # of the table's 7,043 rows
X = pandas.read_csv(f"{HERE}/../data/demo/customers.csv", keep_default_na=False, na_values=[""]).drop(columns="id")
y = X.pop("churn").factorize(sort=True)[0]
numbers, words = make_column_selector(dtype_include=numpy.number), make_column_selector(dtype_exclude=numpy.number)
pipeline = make_pipeline(
    make_column_transformer((make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                            (OneHotEncoder(handle_unknown="ignore", sparse=False), words)),
    xgboost.XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=1)).fit(X, y)
ready = pandas.DataFrame(pipeline[:-1].transform(X)).add_prefix("f")

connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def load(table, frame):
    columns = ", ".join(f'"{c}" {"text" if frame[c].dtype == object else "double precision"}' for c in frame)
    cursor.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({columns})")
    for _ in range(COPIES):
        cursor.copy_expert(f"COPY {table} FROM STDIN CSV", io.StringIO(frame.to_csv(index=False, header=False)))
    cursor.execute(f"VACUUM ANALYZE {table}")


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


load("bench_raw", X)
load("bench_ready", ready)
raw = model_predict.push(connection, "bench_raw", pipeline, X)
cursor.execute("SELECT model_predict.register('bench_ready', %s, trees => 'all', feature_names => %s)",
               (bytes(pipeline[-1].get_booster().save_raw("ubj")), list(ready)))
bare = cursor.fetchone()[0]
cursor.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
print(f"{X.shape[1]} inputs, {ready.shape[1]} features, microseconds a row")
for batch in ("auto", "off"):
    cursor.execute(f"SET model_predict.batch = {batch}")
    times = {"bench_raw": [], "bench_ready": []}
    for _ in range(7):
        for table, version in (("bench_raw", raw), ("bench_ready", bare)):
            query = f"SELECT sum(predict('{table}@{version}', t.*)) FROM {table} t"
            times[table].append(seconds(lambda: cursor.execute(query)) / len(X) / COPIES * 1e6)
    a, b = (statistics.median(times[t]) for t in ("bench_raw", "bench_ready"))
    print(f"{'batches' if batch == 'auto' else 'row by row'}: raw rows {a:.2f}, ready features {b:.2f}, ratio {a / b:.2f}")
print(f"Python, all rows at once: {seconds(lambda: pipeline.predict_proba(X)) / len(X) * 1e6:.1f}")
one = X.head(1)
print(f"Python, one row: {statistics.median(seconds(lambda: pipeline.predict_proba(one)) for _ in range(20)) * 1e6:.0f}")
