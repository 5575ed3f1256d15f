#!/usr/bin/python3
"""Records what Python answers where a model file alone does not tell: made once, with XGBoost 1.7.4 as Debian 12 has it.

Each case is NAME.ubj (or .json) and NAME.rows.json: a list of {"row": ..., and answers by the name of the call}.
Numbers are written so that float32 reads them back exactly; NaN, Infinity are the words that jsonb cannot hold.
Needs python3-xgboost, python3-sklearn, python3-pandas; run in this directory.
"""
import json
import warnings

import numpy as np
import pandas as pd
import scipy.sparse
import xgboost as xgb

warnings.filterwarnings("ignore")
random = np.random.default_rng(7)
PARAMETERS = {"max_depth": 3, "eta": 0.4, "nthread": 1, "seed": 1}


def number(x):
    x = float(x)
    if np.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return None if np.isnan(x) else int(x) if x.is_integer() and abs(x) < 1e6 else x


def shortest(x):
    """A float32 as the shortest number that reads back as the same float32."""
    return float(np.format_float_positional(np.float32(x), unique=True, trim="0"))


def answers(x):
    x = np.asarray(x)
    return [shortest(v) for v in x.ravel()] if x.ndim else shortest(x)


def write(name, frame, **calls):
    rows = []
    for i in range(len(frame)):
        values = frame.iloc[i]
        row = {c: v if isinstance(v, str) else number(v) for c, v in values.items()}
        rows.append({"row": row, **{call: answers(a[i]) for call, a in calls.items()}})
    with open(name + ".rows.json", "w") as file:
        file.write("[" + ",\n ".join(json.dumps(r) for r in rows) + "]\n")


def table(n=400):
    frame = pd.DataFrame(random.normal(size=(n, 4)).astype("float32"), columns=["age", "income", "visits", "balance"])
    score = frame["age"] + frame["income"] * frame["visits"] + random.normal(size=n) * 0.3
    return frame, score


def two_classes():
    frame, score = table()
    label = (score > 0).astype(int)
    return frame, label


# a value that means missing, known to the scikit-learn interface and not to the booster
frame, label = two_classes()
holes = frame.mask(random.random(frame.shape) < 0.2, -999).astype("float32")
model = xgb.XGBClassifier(n_estimators=12, missing=-999, max_depth=3, n_jobs=1, random_state=1).fit(holes, label)
model.save_model("sentinel_sklearn.ubj")
model.get_booster().set_attr(scikit_learn=None)
model.get_booster().save_model("sentinel.ubj")
rows = holes.head(20).copy()
rows.iloc[0] = -999
rows.iloc[1, 0] = np.nan
write("sentinel", rows, predict=model.predict_proba(rows)[:, 1],
      as_numbers=model.get_booster().predict(xgb.DMatrix(rows)))

# trained on a sparse matrix: what is not stored is missing, so 0 means missing
frame, label = two_classes()
sparse = frame.mask(random.random(frame.shape) < 0.6, 0)
booster = xgb.train({**PARAMETERS, "objective": "binary:logistic"},
                    xgb.DMatrix(scipy.sparse.csr_matrix(sparse.values), label, feature_names=list(sparse.columns)), 12)
booster.save_model("sparse.ubj")
rows = sparse.head(20)
write("sparse", rows,
      predict=booster.predict(xgb.DMatrix(scipy.sparse.csr_matrix(rows.values), feature_names=list(rows.columns))),
      dense=booster.predict(xgb.DMatrix(rows)))

# early stopping: scikit-learn's predict stops at the best round, Booster.predict does not
frame, label = two_classes()
noisy = label.where(random.random(len(label)) < 0.7, 1 - label)
model = xgb.XGBClassifier(n_estimators=60, max_depth=3, learning_rate=0.15, early_stopping_rounds=6, n_jobs=1, random_state=1)
model.fit(frame[:200], noisy[:200], eval_set=[(frame[200:], noisy[200:])], verbose=False)
model.save_model("early_sklearn.ubj")
booster = model.get_booster()
assert 3 < booster.best_iteration < booster.num_boosted_rounds() - 1
best, every = model.predict_proba(frame)[:, 1], booster.predict(xgb.DMatrix(frame))
booster.set_attr(scikit_learn=None)
booster.save_model("early.ubj")
write("early", frame.head(20), best=best[:20], all=every[:20])

# infinities: DMatrix refuses them, scikit-learn's predict scores them
frame, label = two_classes()
model = xgb.XGBClassifier(n_estimators=12, max_depth=3, n_jobs=1, random_state=1).fit(frame, label)
model.save_model("infinity.ubj")
rows = frame.head(9).copy().astype("float64")
for i in range(8):
    rows.iloc[i, i % 4] = np.inf if i < 4 else -np.inf
rows.iloc[8, 0] = 1e300     # infinite only as a float32
missing = rows.mask(np.isinf(rows.astype("float32")))
with np.errstate(over="ignore"):
    write("infinity", rows, score=model.predict_proba(rows.astype("float32"))[:, 1], missing=model.predict_proba(missing)[:, 1])

# categories whose labels are numbers other than their codes, and text
frame, label = two_classes()
frame["plan"] = pd.Categorical(random.choice([10, 20, 30, 45], len(frame)), categories=[10, 20, 30, 45])
frame["city"] = pd.Categorical(random.choice(["Aarhus", "Malmö", "O'Hare"], len(frame)), categories=["Aarhus", "Malmö", "O'Hare"])
label = ((frame["age"] + (frame["plan"].astype(int) == 20) * 1.5 - (frame["city"] == "Malmö") * 1.2) > 0).astype(int)
data = xgb.DMatrix(frame, label, enable_categorical=True)
booster = xgb.train({**PARAMETERS, "objective": "binary:logistic", "max_cat_to_onehot": 1, "tree_method": "approx"}, data, 12)
booster.save_model("categories.json")
rows = frame.head(20).copy()
rows.iloc[0, 4] = np.nan
rows.iloc[1, 5] = np.nan
written = rows.astype({"plan": "float64"}).astype({"city": "object"})
written["city"] = written["city"].where(written["city"].notna(), np.nan)
write("categories", written, predict=booster.predict(xgb.DMatrix(rows, enable_categorical=True)))

# what each objective's prediction, class and probability are
frame, score = table()
thirds = pd.qcut(score, 3, labels=False)
label = (score > 0).astype(int)
rows = frame.head(20)
for name, objective, y in [("logistic", "binary:logistic", label), ("logitraw", "binary:logitraw", label),
                           ("hinge", "binary:hinge", label), ("reg_logistic", "reg:logistic", label),
                           ("softmax", "multi:softmax", thirds), ("softprob", "multi:softprob", thirds),
                           ("poisson", "count:poisson", thirds), ("squarederror", "reg:squarederror", score)]:
    booster = xgb.train({**PARAMETERS, "objective": objective, **({"num_class": 3} if objective.startswith("multi") else {})},
                        xgb.DMatrix(frame, y), 8)
    booster.save_model(name + ".ubj")
    data = xgb.DMatrix(rows)
    calls = {"predict": booster.predict(data), "margin": booster.predict(data, output_margin=True)}
    if objective in ("multi:softmax", "multi:softprob"):
        booster.set_param({"objective": "multi:softprob"})
        calls["proba"] = booster.predict(data)
        calls["index"] = calls["proba"].argmax(axis=1)
    if objective == "binary:logitraw":
        booster.set_param({"objective": "binary:logistic"})
        calls["p"] = booster.predict(data)
    write(name, rows, **calls)

# ties: a model of no trees gives exactly its base score
frame, label = two_classes()
for name, parameters in [("tie_two", {"objective": "binary:logistic", "base_score": 0.5}),
                         ("tie_three", {"objective": "multi:softprob", "num_class": 3})]:
    booster = xgb.train({**PARAMETERS, **parameters}, xgb.DMatrix(frame, label), 0)
    booster.save_model(name + ".ubj")
    calls = {"predict": booster.predict(xgb.DMatrix(frame.head(2)))}
    write(name, frame.head(2), **calls)
