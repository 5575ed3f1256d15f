"""model_predict.push() into a server, by psycopg 2 or 3 (the one argument): fitted models and pipelines on raw columns."""
import csv
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

here = os.path.dirname(os.path.abspath(__file__))
client = os.path.join(here, "..", "..", "src", "client")
sys.path.insert(0, client)
import model_predict  # noqa: E402

warnings.filterwarnings("ignore")
driver = __import__(sys.argv[1])
connection = driver.connect("")
auto = driver.connect("")
auto.autocommit = True


def check(what, ok):
    print("ok" if ok else "not ok", what, flush=True)


def query(sql, *parameters, on=auto):
    cursor = on.cursor()
    cursor.execute(sql, parameters or None)
    return cursor.fetchall() if cursor.description else None


def one(sql, *parameters, on=auto):
    return query(sql, *parameters, on=on)[0][0]


def error(function):
    try:
        function()
    except Exception as e:
        return str(e)
    return ""


r = np.random.default_rng(1)
N = 400
raw = pd.DataFrame({"tenure": r.integers(0, 70, N), "charges": r.normal(60, 30, N).round(2), "paperless": r.random(N) < .5,
                    "contract": r.choice(["Month-to-month", "One year", "Two year"], N), "since": pd.to_datetime("2021-03-01")
                    + pd.to_timedelta(r.integers(0, 10**8, N), unit="s")})
raw.loc[r.random(N) < .1, "charges"] = np.nan
raw.loc[r.random(N) < .1, "contract"] = np.nan
y = ((raw["tenure"] < 30) ^ (raw["contract"] == "Two year")).astype(int).to_numpy()
table = "customers_" + sys.argv[1]
query(f"CREATE TABLE {table} (id serial, tenure integer, charges double precision, paperless boolean, contract text, since timestamp)")
buffer = io.StringIO()
raw.to_csv(buffer, index=False, header=False, quoting=csv.QUOTE_MINIMAL)
for row in csv.reader(io.StringIO(buffer.getvalue())):
    query(f"INSERT INTO {table} (tenure, charges, paperless, contract, since) VALUES (%s, %s, %s, %s, %s)",
          *[None if v == "" else v for v in row])


def trees(**more):
    return xgb.XGBClassifier(**{**dict(n_estimators=10, max_depth=3, learning_rate=.3, n_jobs=1, tree_method="hist"), **more})


def scores(reference, function="predict"):
    return np.array([row[0] for row in query(f"SELECT {function}(%s, t.*) FROM {table} t ORDER BY id", reference)])


def name(what):
    return f"{what}_{sys.argv[1]}"


def same(got, want):
    return np.array_equal(np.asarray(got, dtype=np.float64), np.asarray(want, dtype=np.float64))


# a bare model
numbers = raw[["tenure", "charges"]]
bare = trees().fit(numbers, y)
version = model_predict.push(auto, name("bare"), bare, numbers, classes=["No", "Yes"])
check("a bare model: pushed", version == 1)
check("a bare model: scores", same(scores(name("bare")), bare.predict_proba(numbers)[:, 1]))
check("a bare model: labels", list(scores(name("bare"), "predict_class")) == ["No Yes".split()[c] for c in bare.predict(numbers)])
frame = raw[["tenure", "contract"]].astype({"contract": "category"})
categories = trees(enable_categorical=True).fit(frame, y)
model_predict.push(auto, name("categories"), categories, frame)
check("categories of pandas, by label", same(scores(name("categories")), categories.predict_proba(frame)[:, 1]))

# transactions
model_predict.push(connection, name("rolled back"), bare, numbers)
check("within the caller's transaction it scores", same(
    [row[0] for row in query(f"SELECT predict(%s, t.*) FROM {table} t ORDER BY id", name("rolled back"), on=connection)],
    bare.predict_proba(numbers)[:, 1]))
connection.rollback()
check("push does not commit the caller's transaction", "does not exist" in error(lambda: scores(name("rolled back"))))
model_predict.push(connection, name("committed"), bare, numbers)
connection.commit()
check("the caller commits", same(scores(name("committed")), bare.predict_proba(numbers)[:, 1]))
check("with autocommit nothing stays of a push that fails", "dimensions" in error(lambda: model_predict.push(
    auto, name("half"), bare, numbers, baseline=["no frame"])) and "does not exist" in error(lambda: scores(name("half"))))
model_predict.push(auto, name("watched"), bare, numbers, baseline=numbers)
drift = query(f"SELECT input, psi, verdict FROM model_predict.drift(%s, (SELECT model_predict.profile(%s, t.*) FROM {table} t))",
              name("watched"), name("watched"))
check("the baseline: the same rows have not drifted", len(drift) == 3 and all(psi < .01 and verdict == "none" for _, psi, verdict in drift))
query("BEGIN")
model_predict.push(auto, name("begun"), bare, numbers)
query("ROLLBACK")
check("with autocommit, an open transaction is the caller's", "does not exist" in error(lambda: scores(name("begun"))))
other = trees(max_depth=2).fit(numbers, y)
check("a later version waits", model_predict.push(auto, name("bare"), other, numbers) == 2 and
      same(scores(name("bare")), bare.predict_proba(numbers)[:, 1]))
check("deploy=True lets it serve", model_predict.push(auto, name("bare"), other, numbers, classes=["No", "Yes"], deploy=True) == 3 and
      same(scores(name("bare")), other.predict_proba(numbers)[:, 1]))

# what goes with a version
tags = one("SELECT tags FROM model_predict.versions WHERE model = %s AND version = 1", name("bare"))
check("tags hold library versions and inputs", tags["xgboost"] == xgb.__version__ and tags["features"] == ["tenure", "charges"])
check("the server holds its answers against Python's", "example" in error(lambda: model_predict.push(
    auto, name("wrong"), bare, numbers, examples=3, trees="all", model=trees(max_depth=2).fit(numbers, y).get_booster().save_raw("ubj"))))


# a pipeline on raw columns
pipeline = make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["tenure", "charges"]),
    (OneHotEncoder(handle_unknown="ignore"), ["contract", "paperless"]),
    (FunctionTransformer(model_predict.date_parts, kw_args={"parts": ["year", "month", "dayofweek"]}), ["since"])), trees()).fit(raw, y)
model_predict.push(auto, name("pipeline"), pipeline, raw, classes=["No", "Yes"], metrics={"roc_auc": 0.84}, description="who leaves",
                   tags={"team": "retention"})
check("a pipeline: scores of raw rows", same(scores(name("pipeline")), pipeline.predict_proba(raw)[:, 1]))
check("a pipeline: probabilities", same([list(p) for p in scores(name("pipeline"), "predict_proba")], pipeline.predict_proba(raw)))
query(f"UPDATE {table} SET contract = 'Three years' WHERE id = 1")
unknown = raw.copy()
unknown.loc[0, "contract"] = "Three years"
check("a pipeline: a label never seen", same(scores(name("pipeline")), pipeline.predict_proba(unknown)[:, 1]))
query(f"UPDATE {table} SET contract = %s WHERE id = 1", None if pd.isna(raw["contract"][0]) else raw["contract"][0])
examples = one("SELECT count(*) FROM model_predict.verify(%s)", name("pipeline"))
check("a pipeline: verify runs", examples > 0)
check("a pipeline: metrics are recorded", one("SELECT metrics FROM model_predict.metrics WHERE model = %s", name("pipeline"))
      == {"roc_auc": 0.84})
target = TransformedTargetRegressor(make_pipeline(StandardScaler(), xgb.XGBRegressor(n_estimators=10, n_jobs=1)), func=np.sqrt,
                                    inverse_func=np.square).fit(raw[["charges"]], raw["tenure"] + 1.0)
model_predict.push(auto, name("target"), target, raw)
check("a transformed target", same(scores(name("target")), target.predict(raw[["charges"]])))

# scikit-learn's own trees, within what one addition in another order can do
plain = raw[["tenure", "charges"]].fillna(0.5)
query(f"UPDATE {table} SET charges = 0.5 WHERE charges IS NULL")
for what, forest in (("forest", RandomForestClassifier(n_estimators=7, random_state=0)),
                     ("boosting", GradientBoostingClassifier(n_estimators=7)),
                     ("histogram", HistGradientBoostingClassifier(max_iter=7))):
    forest.fit(plain, y)
    model_predict.push(auto, name(what), forest, plain)
    check(f"scikit-learn's {what}", np.allclose(scores(name(what)), forest.predict_proba(plain)[:, 1], rtol=1e-12, atol=0)
          and list(scores(name(what), "predict_class")) == [str(label) for label in forest.predict(plain)])
query(f"UPDATE {table} SET charges = NULL WHERE id = ANY(%s)", [int(i) + 1 for i in np.flatnonzero(raw["charges"].isna())])

# the command line, which takes psycopg 3 where there is one: once is enough
if sys.argv[1] != "psycopg":
    sys.exit()
folder = tempfile.mkdtemp()


def run(*arguments):
    done = subprocess.run([sys.executable, os.path.join(client, "model_predict.py"), *arguments], capture_output=True, text=True,
                          cwd=folder, env={**os.environ, "PYTHONPATH": client})
    return done.returncode, done.stdout.strip(), done.stderr


def path(file):
    return os.path.join(folder, file)


with open(path("pipeline.pkl"), "wb") as file:
    pickle.dump(pipeline, file)
raw.drop(columns="since").to_csv(path("rows.csv"), index=False)
raw.to_pickle(path("rows.pkl"))
check("command line: a pickle with rows", run("push", name("shell"), "pipeline.pkl", "--rows", "rows.pkl", "--classes", "No,Yes", "--metric",
                                              "roc_auc=0.8", "--tag", "team=x")[:2] == (0, name("shell") + "@1"))
check("command line: it scores", same(scores(name("shell")), pipeline.predict_proba(raw)[:, 1]))
status, out, err = run("push", name("shell"), "pipeline.pkl")
check("command line: without rows it warns", status == 0 and "nothing is proved" in err)
status, out, err = run("describe", "pipeline.pkl", "--rows", "rows.pkl")
check("command line: describe prints JSON", status == 0 and json.loads(out)["preprocessing"]["format"] == 1)
bare.save_model(path("model.ubj"))
bare.get_booster().save_model(path("model.json"))
for file in ("model.ubj", "model.json"):
    check(f"command line: {file}", run("push", name(file), file, "--rows", "rows.csv")[0] == 0 and
          same(scores(name(file)), bare.predict_proba(numbers)[:, 1]))
os.mkdir(path("mlflow"))
with open(path("mlflow/MLmodel"), "w") as file:
    file.write("flavors:\n  sklearn:\n    code: null\n    pickled_model: model.pkl\n    sklearn_version: 1.2.1\n")
os.rename(path("pipeline.pkl"), path("mlflow/model.pkl"))
json.dump({"columns": list(raw.columns), "data": json.loads(raw.head(30).to_json(orient="values", date_format="iso"))},
          open(path("mlflow/input_example.json"), "w"))
check("command line: an MLflow folder, with its example", run("push", name("mlflow"), "mlflow", "--deploy")[0] == 0 and
      same(scores(name("mlflow")), pipeline.predict_proba(raw)[:, 1]))
status, out, err = run("push", name("shell"), "nowhere.pkl")
check("command line: an error is one line", status == 1 and err.startswith("model_predict.py: ") and "Traceback" not in err)
