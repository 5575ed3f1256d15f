"""What model_predict.describe() makes of fitted estimators, held against scikit-learn, bit for bit, without a server.

Each case is fitted on one table; every row of another one, with labels never seen, None and NaN, is scored by Python
and by the document's twin (steps_twin.py) with the trees of describe()'s own bytes. Rows on which Python raises must
be rows that the document refuses. Words as arguments choose the cases whose names hold one of them.
"""
import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
import xgboost as xgb
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier, ExtraTreesClassifier, ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor,
    HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor, VotingClassifier)
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer, FunctionTransformer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder,
    OrdinalEncoder, PolynomialFeatures, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "..", "..", "src", "client"), here]
import model_predict  # noqa: E402
import steps_twin  # noqa: E402

warnings.filterwarnings("ignore")


def check(what, ok):
    print("ok" if ok else "not ok", what, flush=True)


def table(n, seed):
    """The raw table, in doubles and text as a database holds it."""
    r = np.random.default_rng(seed)
    t = pd.DataFrame({
        "age": r.normal(40, 15, n), "income": np.exp(r.normal(8, 2, n)), "count": r.integers(0, 40, n),
        "flag": r.random(n) < 0.3, "tiny": r.normal(0, 1e-3, n), "debt": r.normal(0, 100, n).round(1),
        "visits": r.integers(1, 9, n).astype(float), "member": (r.random(n) < 0.6).astype(float),
        "code": r.choice([1, 2, 5, 7], n), "digits": r.choice(["1", "2", "3"], n),
        "plan": r.choice(["free", "basic", "pro max"], n, p=[.5, .3, .2]), "only_two": r.choice(["yes", "no"], n),
        "city": r.choice(["Ürümqi", "Oslo", "Rome", "Bonn", "Lima"] + [f"c{i}" for i in range(15)], n,
                         p=[.25, .2, .2, .1, .1] + [.01] * 15),
        "signed up": pd.Timestamp("2020-01-01") + pd.to_timedelta(r.integers(0, 10**8, n), unit="s")})
    for column, share in (("age", .1), ("debt", .2), ("visits", .1), ("member", .15), ("signed up", .05)):
        t.loc[r.random(n) < share, column] = np.nan
    for column in ("plan", "city"):
        t.loc[r.random(n) < .1, column] = np.nan
    return t


RAW, OTHER = table(500, 1), table(300, 2)
OTHER.loc[:20, "city"] = "Atlantis"
OTHER.loc[10:25, "plan"] = "enterprise"
OTHER.loc[5:9, "code"] = 4
OTHER.loc[30:40, "digits"] = "9"
rng = np.random.default_rng(3)
SIGNAL = (RAW["age"].fillna(30) / 20 + RAW["plan"].map({"free": 0, "basic": 1, "pro max": 2}).fillna(3)
          + (RAW["code"] % 3) + rng.normal(0, .5, len(RAW)))
BINARY = (SIGNAL > SIGNAL.median()).astype(int).to_numpy()
THREE = pd.qcut(SIGNAL, 3, labels=False).to_numpy()
REAL = np.exp(SIGNAL.to_numpy())
NUM, CAT = ["age", "income", "count", "debt"], ["plan", "city"]


def trees(kind="binary", **more):
    params = dict(n_estimators=12, max_depth=4, learning_rate=.3, tree_method="hist", n_jobs=1, random_state=0)
    return (xgb.XGBRegressor if kind == "real" else xgb.XGBClassifier)(**{**params, **more})


def mixed(numeric, categorical, **more):
    return make_column_transformer((numeric, NUM), (categorical, CAT), **more)


def python_answers(estimator, rows):
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(rows)
    return estimator.predict(rows)


def twin_answers(arguments, raw, wide):
    document = json.loads(json.dumps(arguments["preprocessing"], allow_nan=False))
    made = steps_twin.features(document, raw)
    if arguments["model"].startswith(b'{"library"'):
        p = steps_twin.output(document, steps_twin.trees(json.loads(arguments["model"]), made))
        return np.column_stack([1 - p[:, 0], p[:, 0]]) if wide == 2 and p.shape[1] == 1 else p
    booster = xgb.Booster()
    booster.load_model(bytearray(arguments["model"]))
    best = {"iteration_range": (0, int(booster.attr("best_iteration")) + 1)} if arguments.get("trees") == "best" else {}
    p = booster.predict(xgb.DMatrix(made.astype(np.float32), missing=arguments.get("missing", np.nan),
                                    feature_names=booster.feature_names, feature_types=booster.feature_types), **best)
    p = steps_twin.output(document, p)
    if wide == 2 and p.shape[1] == 1:
        p = p[:, 0].astype(np.float32)
        p = np.column_stack([1 - p, p])
    return p


def same(estimator, y=BINARY, dtypes=None, nones=(), fit=True, sample=True, tolerance=0, raw=RAW, other=OTHER, rows=80,
         **options):
    """'' where document and estimator agree on every row of the other table, else what differs."""
    def python(t):
        t = t.astype(dtypes or {})
        for column in nones:
            t[column] = t[column].astype(object).where(t[column].notna(), None)
        return t
    if fit:
        estimator.fit(python(raw), y)
    X = python(raw)
    arguments = model_predict.describe(estimator, X.head(rows) if sample else None, **options)
    if "preprocessing" not in arguments:
        return "no document"
    json.dumps({k: v for k, v in arguments.items() if k != "model"}, allow_nan=False)
    tested = pd.concat([other, raw], ignore_index=True)
    try:
        want = np.asarray(python_answers(estimator, python(tested))).astype(np.float64)
        keep = np.arange(len(tested))
    except (ValueError, TypeError):             # rows that Python refuses
        keep, want, refused = [], [], 0
        for i in range(len(other)):
            one = tested.iloc[[i]]
            try:
                want.append(np.asarray(python_answers(estimator, python(one)))[0].astype(np.float64))
                keep.append(i)
            except (ValueError, TypeError):
                refused += 1
                try:
                    steps_twin.features(arguments["preprocessing"], one)
                    return f"row {i} is refused by Python only"
                except steps_twin.RowError:
                    pass
        if not keep or not refused:
            return "Python refuses all rows"
        want = np.array(want)
    want = want.reshape(len(keep), -1)
    got = twin_answers(arguments, tested.iloc[keep], want.shape[1])
    if got.shape != want.shape:
        return f"shapes {got.shape} and {want.shape}"
    steps = estimator[:-1] if hasattr(estimator, "steps") else None
    if not tolerance and len(keep) == len(tested) and hasattr(steps, "transform"):
        ready = steps.transform(python(tested))        # the features too, to the last bit of the double
        ready = ready.toarray() if hasattr(ready, "toarray") else ready
        made = steps_twin.features(arguments["preprocessing"], tested)
        if not hasattr(ready, "columns"):
            ready = np.asarray(ready, dtype=np.float64)
            if arguments["preprocessing"].get("sparse"):
                ready[ready == 0] = np.nan
            if not np.array_equal(ready, made, equal_nan=True):
                return "features differ"
    if tolerance:
        bad = np.abs(got - want) > tolerance * np.abs(want)
    else:
        bad = got != want
    if bad.any():
        i = int(np.flatnonzero(bad.any(axis=1))[0])
        return f"{int(bad.any(axis=1).sum())} of {len(want)} rows, e.g. {i}: {got[i]} for {want[i]}"
    for example in arguments.get("examples", []):
        if set(example["row"]) != {i["name"] for i in arguments["preprocessing"]["inputs"]}:
            return "an example's row has other columns than the inputs"
    return ""


def case(what, estimator, **more):
    if len(sys.argv) > 1 and not any(word in what for word in sys.argv[1:]):
        return
    try:
        differs = same(estimator, **more)
    except Exception as error:      # a case that dies is one that fails
        differs = f"{type(error).__name__}: {error}"
    check(what + (f" ({differs})" if differs else ""), differs == "")


def refused(what, estimator, words, y=BINARY, columns=None, dtypes=None, X=None, **more):
    rows = (RAW if X is None else X).astype(dtypes or {})
    rows = rows if columns is None else rows[columns]
    estimator.fit(rows, y)
    try:
        model_predict.describe(estimator, rows.head(50), **more)
        said = "nothing"
    except model_predict.Refused as error:
        said = str(error)
    check(f"refused: {what}" + ("" if words in said else f" (said: {said})"), words in said)


FILL = lambda: SimpleImputer(strategy="most_frequent")      # noqa: E731
HOT = lambda **more: OneHotEncoder(handle_unknown="ignore", **more)     # noqa: E731

# labels: unknown, rare, missing
case("one-hot: NaN is a label, unknown ones are zero, in a sparse matrix",
     make_pipeline(make_column_transformer((HOT(), CAT + ["digits", "only_two"])), trees()))
case("one-hot: NaN unseen in training", make_pipeline(make_column_transformer((HOT(sparse=False), ["city"])), trees()),
     raw=RAW.assign(city=RAW["city"].fillna("Oslo")))
case("one-hot: None in place of NaN", make_pipeline(make_column_transformer((HOT(), CAT)), trees()), nones=CAT)
case("one-hot: errors for unknown labels",
     make_pipeline(make_column_transformer((OneHotEncoder(), CAT), ("passthrough", ["age"])), trees()))
case("one-hot: rare labels, unknown ones among them",
     make_pipeline(make_column_transformer((OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"), CAT)), trees()))
case("one-hot: rare labels, unknown ones zero",
     make_pipeline(make_column_transformer((HOT(max_categories=4, sparse=False), CAT)), trees()))
case("one-hot: rare labels and a dropped one",
     make_pipeline(make_column_transformer((OneHotEncoder(min_frequency=20, drop="first", sparse=False,
                                                          handle_unknown="infrequent_if_exist"), CAT)), trees()))
case("one-hot: named labels dropped, unknown ones an error",
     make_pipeline(make_column_transformer((OneHotEncoder(drop=["no", "2"], sparse=False), ["only_two", "digits"])), trees()))
case("one-hot: dropped if there are two",
     make_pipeline(make_column_transformer((HOT(drop="if_binary", sparse=False), ["only_two", "plan"])), trees()))
case("one-hot: numbers as labels, '1' is not 1",
     make_pipeline(make_column_transformer((HOT(sparse=False), ["code", "digits"])), trees()))
case("one-hot: booleans", make_pipeline(make_column_transformer((HOT(sparse=False), ["flag", "code"])), trees()))
case("one-hot: booleans with NULL, as objects",
     make_pipeline(make_column_transformer((HOT(sparse=False), ["member"])), trees()),
     dtypes={"member": "boolean"})
case("one-hot: labels of a float32 column",
     make_pipeline(make_column_transformer((HOT(sparse=False, max_categories=30), ["debt"])), trees()), dtypes={"debt": "float32"})
case("one-hot: a pandas column of categories",
     make_pipeline(make_column_transformer((HOT(), CAT)), trees()), dtypes={"plan": "category"})
case("ordinal: unknown and missing have numbers",
     make_pipeline(make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1,
                                                           encoded_missing_value=-2), CAT + ["code"])), trees()))
case("ordinal: unknown and missing are missing",
     make_pipeline(make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
                                            CAT)), trees()))
case("ordinal: unknown is an error", make_pipeline(make_column_transformer((OrdinalEncoder(), CAT + ["only_two"])), trees()))
case("ordinal: NaN is unknown where training had none",
     make_pipeline(make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city"])), trees()),
     raw=RAW.assign(city=RAW["city"].fillna("Oslo")))
case("ordinal: labels in a given order",
     make_pipeline(make_column_transformer((OrdinalEncoder(
         categories=[["pro max", "basic", "free"]], handle_unknown="use_encoded_value", unknown_value=9), ["plan"])), trees()))
case("text imputed, then one-hot", make_pipeline(make_column_transformer((make_pipeline(FILL(), HOT()), CAT)), trees()))
case("text imputed by a label of its own",
     make_pipeline(make_column_transformer((make_pipeline(SimpleImputer(strategy="constant"), HOT(sparse=False)), CAT)), trees()))
case("None is left by an imputer of NaN",
     make_pipeline(make_column_transformer((make_pipeline(FILL(), HOT()), CAT)), trees()), nones=CAT)
case("None is imputed by an imputer of None",
     make_pipeline(make_column_transformer((make_pipeline(SimpleImputer(missing_values=None, strategy="constant", fill_value="?"),
                                                          HOT()), CAT)), trees()), nones=CAT)
case("a label that means missing",
     make_pipeline(make_column_transformer((make_pipeline(SimpleImputer(missing_values="no", strategy="constant", fill_value="-"),
                                                          HOT()), ["only_two"])), trees()))

# numbers
case("imputed and scaled, beside one-hot", make_pipeline(mixed(make_pipeline(SimpleImputer(), StandardScaler()), HOT()), trees()))
case("indicators come last", make_pipeline(make_column_transformer((SimpleImputer(add_indicator=True), NUM)), trees()))
case("MissingIndicator", make_pipeline(FeatureUnion([("x", SimpleImputer()), ("m", MissingIndicator())]), trees()),
     raw=RAW[NUM], other=OTHER[NUM].assign(count=1, income=2.0))
case("MissingIndicator of all columns",
     make_pipeline(make_column_transformer((MissingIndicator(features="all"), NUM), (SimpleImputer(), NUM)), trees()))
case("a column that is missing in all of training", make_pipeline(make_column_transformer(
    (SimpleImputer(strategy="median", add_indicator=True), NUM + ["empty"])), trees()),
    raw=RAW.assign(empty=np.nan), other=OTHER.assign(empty=np.nan))
case("a column that is missing in all of training is kept as 0", make_pipeline(make_column_transformer(
    (SimpleImputer(keep_empty_features=True), NUM + ["empty"])), trees()),
    raw=RAW.assign(empty=np.nan), other=OTHER.assign(empty=3.0))
case("a number that means missing", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(missing_values=0, add_indicator=True), StandardScaler()), ["count", "income"])), trees()))
case("all scalers, one after another", make_pipeline(make_column_transformer(
    (make_pipeline(StandardScaler(with_std=False), RobustScaler(), MaxAbsScaler(), MinMaxScaler(clip=True)), NUM)), trees()))
for scaler in (StandardScaler(), StandardScaler(with_mean=False), RobustScaler(), RobustScaler(with_scaling=False),
               MaxAbsScaler(), MinMaxScaler((-1, 3)), MinMaxScaler(clip=True)):
    case(f"float32: {scaler}", make_pipeline(make_column_transformer((scaler, NUM)), trees()),
         dtypes={c: "float32" for c in NUM})
case("float32: imputed, multiplied and binned", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), PolynomialFeatures(3, include_bias=False)), NUM),
    (make_pipeline(SimpleImputer(), KBinsDiscretizer(5, encode="onehot-dense")), NUM),
    (make_pipeline(SimpleImputer(), Binarizer(threshold=40.1)), NUM)), trees()), dtypes={c: "float32" for c in NUM})
case("float32 beside float64: doubles of rounded numbers", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), NUM), (make_pipeline(SimpleImputer(), KBinsDiscretizer(5)), NUM)), trees()),
    dtypes={"age": "float32", "debt": "float32"})
case("float32 with int16 stays single, with int64 it does not", make_pipeline(make_column_transformer(
    (StandardScaler(), ["age", "code"]), (StandardScaler(), ["age", "count"])), trees()),
    dtypes={"age": "float32", "code": "int16"})
case("float32: square roots", make_pipeline(make_column_transformer(
    (make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.sqrt), FunctionTransformer(np.square)), NUM)), trees()),
    dtypes={c: "float32" for c in NUM})
case("float32 through KBinsDiscretizer(dtype=float64)", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), KBinsDiscretizer(9, encode="ordinal", dtype=np.float64)), NUM)), trees()),
    dtypes={c: "float32" for c in NUM})
case("Float32 of pandas", make_pipeline(make_column_transformer((StandardScaler(), ["age", "debt"])), trees()),
     dtypes={"age": "Float32", "debt": "Float32"})
case("Int64 and boolean of pandas", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["visits", "member", "age"]), (HOT(), ["visits"])), trees()),
    dtypes={"visits": "Int64", "member": "boolean"})
case("Int64 straight to the trees", make_pipeline(make_column_transformer(
    (StandardScaler(), ["age"]), remainder="passthrough").set_output(transform="pandas"), trees()), raw=RAW[NUM + ["visits", "flag"]],
    other=OTHER[NUM + ["visits", "flag"]], dtypes={"visits": "Int64"})
case("booleans through scalers and imputers", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["flag", "count"])), trees()))
case("products of degree 3", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), PolynomialFeatures(3)), NUM)), trees()))
case("products without squares, from degree 2", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), PolynomialFeatures((2, 3), interaction_only=True)), NUM)), trees()))
case("products of a sparse matrix, left to right", make_pipeline(make_column_transformer(
    (HOT(), CAT), (make_pipeline(SimpleImputer(), MaxAbsScaler()), ["age", "tiny"]), sparse_threshold=1),
    PolynomialFeatures(3, interaction_only=True, include_bias=False), trees()),
    raw=RAW.assign(city=RAW["plan"]), other=OTHER.assign(city=OTHER["plan"]))
case("products of degree 2, sparse, float32", make_pipeline(
    OneHotEncoder(dtype=np.float32, handle_unknown="ignore"), PolynomialFeatures(2), trees()),
    raw=RAW[["plan", "digits"]], other=OTHER[["plan", "digits"]])
case("bins, one-hot and sparse", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), KBinsDiscretizer(6)), NUM), (HOT(), CAT)), trees()))
case("bins refuse missing values", make_pipeline(make_column_transformer(
    (KBinsDiscretizer(6, encode="ordinal", strategy="kmeans", random_state=0), ["age", "count"])), trees()),
    raw=RAW.assign(age=RAW["age"].fillna(1)))
case("bins of one bin", make_pipeline(make_column_transformer(
    (KBinsDiscretizer(3, encode="onehot"), ["flat", "count"])), trees()), raw=RAW.assign(flat=1.0), other=OTHER.assign(flat=2.0))
case("a threshold refuses missing values", make_pipeline(make_column_transformer(
    (Binarizer(threshold=40), ["age", "count"])), trees()), raw=RAW.assign(age=RAW["age"].fillna(1)))
case("functions of NumPy", make_pipeline(make_column_transformer(
    *[(FunctionTransformer(f), ["age", "debt"]) for f in (np.abs, np.sign, np.cbrt, np.square, np.floor, np.ceil, np.rint,
                                                          np.round, np.negative, np.isnan, np.reciprocal)],
    *[(FunctionTransformer(f), ["income"]) for f in (np.sqrt, np.log, np.log2, np.log10, np.log1p)],
    (make_pipeline(StandardScaler(), FunctionTransformer(np.exp), FunctionTransformer(np.expm1)), ["tiny"]),
    (FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 50.5}), ["age", "count"]), (FunctionTransformer(), ["count"])),
    trees(n_estimators=40)))
case("powers", make_pipeline(make_column_transformer((PowerTransformer(), NUM), (PowerTransformer("box-cox"), ["income"])), trees()),
     tolerance=1e-5)
case("PCA and SVD", make_pipeline(make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler(), PCA(3, whiten=True)), NUM),
    (make_pipeline(SimpleImputer(), StandardScaler(), TruncatedSVD(2)), NUM)), trees()), tolerance=1e-5)
case("dates", make_pipeline(make_column_transformer(
    (FunctionTransformer(model_predict.date_parts, kw_args={"parts": model_predict.DATE_PARTS}), ["signed up"]),
    (StandardScaler(), NUM)), trees()))

# how pipelines are put together
case("nested ColumnTransformers", make_pipeline(make_column_transformer(
    (make_column_transformer((StandardScaler(), ["age", "debt"]), remainder=SimpleImputer()), NUM),
    (make_pipeline(make_column_transformer((FILL(), ["plan", "city"])), HOT(sparse=False)), CAT)), trees()))
case("columns by position, mask, slice and selector", make_pipeline(ColumnTransformer(
    [("a", StandardScaler(), [0, 1]), ("b", SimpleImputer(), slice(2, 4)), ("c", "drop", ["member"]),
     ("d", MinMaxScaler(), [c == "tiny" for c in RAW]), ("e", "passthrough", slice("debt", "visits"))]), trees()))
case("the rest is passed through", make_pipeline(ColumnTransformer(
    [("s", StandardScaler(), ["income"]), ("h", HOT(), CAT)], remainder="passthrough", sparse_threshold=0,
    verbose_feature_names_out=False), trees()), raw=RAW[NUM + CAT + ["flag"]], other=OTHER[NUM + CAT + ["flag"]])
case("the same column several times", make_pipeline(make_column_transformer(
    (StandardScaler(), ["age"]), (MinMaxScaler(), ["age"]), ("passthrough", ["age"]), ("passthrough", ["age", "count"])), trees()))
case("sparse by density", make_pipeline(mixed(StandardScaler(), HOT(), sparse_threshold=.9), trees()))
case("a scaler after a sparse matrix", make_pipeline(mixed(SimpleImputer(), HOT(), sparse_threshold=1),
                                                     StandardScaler(with_mean=False), MaxAbsScaler(),
                                                     RobustScaler(with_centering=False, quantile_range=(0, 100)), trees()))
case("a sparse member of a FeatureUnion", make_pipeline(FeatureUnion(
    [("n", make_pipeline(make_column_transformer((StandardScaler(), NUM)))),
     ("c", make_pipeline(make_column_transformer((HOT(), CAT)))), ("d", "drop")]), trees()))
case("weights", make_pipeline(FeatureUnion(
    [("n", make_column_transformer((StandardScaler(), NUM))), ("c", make_column_transformer((HOT(), CAT), ("drop", ["age"])))],
    transformer_weights={"n": 1 / 3, "c": 7}), trees()))
case("weights in float32", make_pipeline(ColumnTransformer(
    [("n", StandardScaler(), NUM), ("m", MinMaxScaler(), NUM)], transformer_weights={"n": 1 / 3}), trees()),
    dtypes={c: "float32" for c in NUM})
case("pandas from step to step", make_pipeline(ColumnTransformer(
    [("n", make_pipeline(SimpleImputer(), StandardScaler()), NUM), ("c", HOT(sparse=False), CAT)],
    verbose_feature_names_out=False).set_output(transform="pandas"),
    make_column_transformer((MinMaxScaler(), ["age"]), remainder="passthrough").set_output(transform="pandas"), trees()))
case("selection", make_pipeline(mixed(SimpleImputer(), HOT(sparse=False)), VarianceThreshold(.01), SelectKBest(k=6), trees()))
case("selection by a model", make_pipeline(mixed(SimpleImputer(), HOT()), SelectFromModel(trees()),
                                           RFE(trees(), n_features_to_select=4), trees()))
case("selection of raw columns only", make_pipeline(VarianceThreshold(50), trees()), raw=RAW[["tiny"] + NUM],
     other=OTHER[["tiny"] + NUM])
case("imbalanced-learn: the sampler works in training only", make_imblearn_pipeline(
    make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUM)), RandomUnderSampler(random_state=0), trees()))
case("a grid search", GridSearchCV(make_pipeline(mixed(StandardScaler(), HOT()), trees()),
                                   {"xgbclassifier__max_depth": [2, 3]}, cv=2))
case("a search inside a pipeline", make_pipeline(mixed(StandardScaler(), HOT()), RandomizedSearchCV(
    trees(), {"max_depth": [2, 3]}, cv=2, n_iter=2, random_state=0)))
case("three classes", make_pipeline(mixed(StandardScaler(), HOT()), trees()), y=THREE)
case("a sentinel that means missing applies after the steps", make_pipeline(make_column_transformer(
    (SimpleImputer(strategy="constant", fill_value=-999), NUM)), trees(missing=-999.0)))
early = make_pipeline(make_column_transformer((StandardScaler(), NUM)), trees(n_estimators=60, early_stopping_rounds=2, learning_rate=1))
ready = early[:-1].fit_transform(RAW)
early[-1].fit(ready[:250], BINARY[:250], eval_set=[(ready[250:], BINARY[250:])], verbose=False)
case("stopped early", early, fit=False)
check("stopped early: trees => best", model_predict.describe(early, RAW)["trees"] == "best")
case("without X: numbers are float64", make_pipeline(mixed(StandardScaler(), HOT()), trees()), sample=False)
case("names that are no identifiers", make_pipeline(make_column_transformer((StandardScaler(), ["a~1", "a", "x__y"])), trees()),
     raw=RAW.rename(columns={"age": "a", "income": "a~1", "count": "x__y"}),
     other=OTHER.rename(columns={"age": "a", "income": "a~1", "count": "x__y"}))
case("categories kept as such behind a step", make_pipeline(ColumnTransformer(
    [("n", StandardScaler(), NUM), ("c", "passthrough", ["plan", "code"])]).set_output(transform="pandas"),
    trees(enable_categorical=True, max_cat_to_onehot=1)), dtypes={"plan": pd.CategoricalDtype(["free", "pro max", "basic"]),
                                                                  "code": pd.CategoricalDtype([7, 5, 2, 1])},
    other=RAW)


def after_fit(base, y, method="sigmoid"):
    base.fit(RAW[:250], y[:250])
    return CalibratedClassifierCV(base, cv="prefit", method=method).fit(RAW[250:], y[250:])


# after the trees
for method in ("sigmoid", "isotonic"):
    for kind, y in (("two", BINARY), ("three", THREE)):
        case(f"calibrated by {method}, {kind} classes", after_fit(make_pipeline(mixed(StandardScaler(), HOT()), trees()), y, method),
             fit=False)
many = (RAW["income"].rank(pct=True) * 10).astype(int).clip(0, 9).to_numpy()
case("calibrated, ten classes", after_fit(make_pipeline(mixed(StandardScaler(), HOT()), trees(n_estimators=3)), many, "isotonic"),
     fit=False, y=many, tolerance=4e-16)
case("calibrated with ensemble=False", CalibratedClassifierCV(
    make_pipeline(mixed(StandardScaler(), HOT()), trees()), ensemble=False, cv=3))
case("calibrated inside a pipeline", make_pipeline(mixed(StandardScaler(), HOT()), CalibratedClassifierCV(
    trees(), ensemble=False, cv=3, method="isotonic")))
for what, regressor in (("expm1", dict(func=np.log1p, inverse_func=np.expm1)), ("exp", dict(func=np.log, inverse_func=np.exp)),
                        ("square", dict(func=np.sqrt, inverse_func=np.square)), ("standard", dict(transformer=StandardScaler())),
                        ("minmax", dict(transformer=MinMaxScaler())), ("robust", dict(transformer=RobustScaler())),
                        ("identity", dict())):
    case(f"the target transformed back: {what}", TransformedTargetRegressor(
        make_pipeline(mixed(StandardScaler(), HOT()), trees("real")), **regressor), y=REAL)
case("a regressor of counts", make_pipeline(mixed(StandardScaler(), HOT()), trees("real", objective="count:poisson")), y=REAL.round())

# scikit-learn's trees
SK = [("DecisionTree", DecisionTreeClassifier, DecisionTreeRegressor), ("RandomForest", RandomForestClassifier, RandomForestRegressor),
      ("ExtraTrees", ExtraTreesClassifier, ExtraTreesRegressor),
      ("GradientBoosting", GradientBoostingClassifier, GradientBoostingRegressor),
      ("HistGradientBoosting", HistGradientBoostingClassifier, HistGradientBoostingRegressor)]
for name, classifier, regressor in SK:
    size = {} if name == "DecisionTree" else {"max_iter": 10} if name.startswith("Hist") else {"n_estimators": 10}
    for kind, y, cls in (("two classes", BINARY, classifier), ("three classes", THREE, classifier), ("regression", REAL, regressor)):
        for dtypes in ({}, {c: "float32" for c in NUM}):
            case(f"{name}, {kind}{', float32' if dtypes else ''}", make_pipeline(
                mixed(make_pipeline(SimpleImputer(), StandardScaler()), HOT(sparse=False)), cls(random_state=0, max_depth=6, **size)),
                y=y, dtypes=dtypes, tolerance=1e-12)
hist = HistGradientBoostingClassifier(max_iter=10, categorical_features=[4, 5], random_state=0)
case("HistGradientBoosting: missing values, categories, codes never seen", make_pipeline(make_column_transformer(
    ("passthrough", NUM), (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["plan"]),
    ("passthrough", ["code"])), hist), tolerance=1e-12, other=OTHER.assign(code=rng.choice([1, 2, 5, 6, 7, 40], len(OTHER))))
case("HistGradientBoosting of counts", make_pipeline(make_column_transformer((StandardScaler(), NUM)), HistGradientBoostingRegressor(
    loss="poisson", max_iter=10)), y=REAL.round(), tolerance=1e-12)
case("GradientBoosting with exponential loss", make_pipeline(make_column_transformer((SimpleImputer(), NUM)), GradientBoostingClassifier(
    loss="exponential", n_estimators=10, init="zero")), tolerance=1e-12)
case("a calibrated forest", CalibratedClassifierCV(make_pipeline(mixed(SimpleImputer(), HOT(sparse=False)), RandomForestClassifier(
    n_estimators=10, random_state=0)), ensemble=False, cv=3, method="isotonic"), tolerance=1e-12)
case("calibrated boosting: by its decision_function", CalibratedClassifierCV(make_pipeline(mixed(SimpleImputer(), HOT(sparse=False)),
     GradientBoostingClassifier(n_estimators=10)), ensemble=False, cv=3), tolerance=1e-12)
case("calibrated boosting of three classes", CalibratedClassifierCV(make_pipeline(mixed(SimpleImputer(), HOT(sparse=False)),
     HistGradientBoostingClassifier(max_iter=5)), ensemble=False, cv=3, method="isotonic"), y=THREE, tolerance=1e-12)
refused("several targets", RandomForestRegressor(n_estimators=2), "several targets", y=np.column_stack([REAL, REAL]), columns=["income"])
refused("an init of one's own", GradientBoostingRegressor(init=DecisionTreeRegressor(max_depth=1), n_estimators=2), "init=",
        y=REAL, columns=["income"])
refused("an ensemble that is not known", AdaBoostClassifier(n_estimators=2), "AdaBoostClassifier", columns=["income"])

# what is refused
refused("an unknown step", make_pipeline(QuantileTransformer(n_quantiles=20), trees()), "QuantileTransformer", columns=NUM)
refused("a step that mixes columns", make_pipeline(SimpleImputer(), Normalizer(), trees()), "Normalizer", columns=NUM)
refused("KNNImputer", make_pipeline(KNNImputer(), trees()), "KNNImputer", columns=NUM)
refused("a function of one's own", make_pipeline(FunctionTransformer(lambda X: X * 2), trees()), "<lambda>", columns=NUM)


class Doubler(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X) * 2


class Own(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


refused("a subclass that changes transform", make_pipeline(Doubler(), trees()), "Doubler", columns=NUM)
refused("a class of one's own", make_pipeline(Own(), trees()), "Own", columns=NUM)
refused("an ensemble of calibrated models", CalibratedClassifierCV(make_pipeline(StandardScaler(), trees()), cv=3),
        "ensemble=False", columns=NUM)
refused("a vote", VotingClassifier([("a", trees()), ("b", trees())]), "VotingClassifier", columns=["count", "income"])
refused("logarithms in float32", make_pipeline(FunctionTransformer(np.log), trees()), "float64", columns=["income"],
        dtypes={"income": "float32"})
refused("PCA in float32", make_pipeline(PCA(1), trees()), "float64", columns=["income", "tiny"],
        dtypes={"income": "float32", "tiny": "float32"})
refused("float16", make_pipeline(MaxAbsScaler(), trees()), "float16", columns=["tiny"], dtypes={"tiny": "float16"})
both = RAW[CAT].astype(object)
both.loc[:30, "plan"], both.loc[31:60, "plan"] = None, np.nan
refused("None and NaN as two labels", make_pipeline(HOT(), trees()), "one NULL", X=both)
refused("None and NaN, one of them imputed", make_pipeline(FILL(), HOT(), trees()), "one NULL", X=both)
refused("a stored zero in a sparse matrix", make_pipeline(make_column_transformer(
    (HOT(), CAT), ("passthrough", ["age"]), sparse_threshold=1), SimpleImputer(strategy="constant", fill_value=0), trees()), "sparse")
refused("text as a number", make_pipeline(StandardScaler(), trees()), "text", X=RAW[["digits"]])
refused("a vector where a table belongs", make_pipeline(make_column_transformer(
    (StandardScaler(), ["age"]), (FunctionTransformer(lambda s: s.to_frame()), "count")), trees()), "write ['count']")
refused("an inverse that is no known function", TransformedTargetRegressor(
    make_pipeline(StandardScaler(), trees("real")), func=np.cbrt, inverse_func=lambda v: v ** 3), "lambda", y=REAL, columns=NUM)

try:
    said = str(model_predict.describe(make_pipeline(mixed(StandardScaler(), HOT()), trees()), RAW))
except model_predict.Refused as e:
    said = str(e)
check("refused: what was not fitted", "ColumnTransformer was not fitted" in said)

# models without steps
bare = model_predict.describe(trees().fit(RAW[NUM], BINARY), RAW[NUM])
check("a bare model needs no document", "preprocessing" not in bare and bare["infinity"] == "score" and "feature_names" not in bare)
bare = model_predict.describe(trees().fit(RAW[NUM].to_numpy(), BINARY), RAW[NUM])
check("a bare model fitted on an array is given the names of X", bare["feature_names"] == NUM)
frame = RAW[NUM + ["plan", "code", "flag"]].astype({"plan": "category", "code": "category", "flag": "category"})
bare = model_predict.describe(trees(enable_categorical=True).fit(frame, BINARY), frame)
check("categories of pandas, as text, numbers and booleans", bare["categories"] == {
    "plan": ["basic", "free", "pro max"], "code": [1, 2, 5, 7], "flag": [0, 1]})
bare = model_predict.describe(DecisionTreeClassifier(max_depth=2).fit(RAW[["income", "count"]], BINARY), RAW[["income", "count"]])
check("a bare tree of scikit-learn", "preprocessing" not in bare and "feature_names" not in bare and
      json.loads(bare["model"])["feature_names"] == ["income", "count"] and bare["classes"] == ["0", "1"])
booster = xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(RAW[NUM], BINARY), 5)
bare = model_predict.describe(booster, RAW[NUM])
check("a Booster: all trees, its own answers", bare["trees"] == "all" and np.array_equal(
    [e["predict_all"][0] for e in bare["examples"]],
    booster.predict(xgb.DMatrix(pd.DataFrame([e["row"] for e in bare["examples"]], dtype=float)))))
sparse = model_predict.describe(trees().fit(HOT().fit_transform(RAW[CAT]), BINARY), HOT().fit_transform(RAW[CAT]))
check("a bare model on a sparse matrix: 0 is missing", sparse["missing"] == 0)

# examples
model = make_pipeline(mixed(StandardScaler(), HOT()), trees()).fit(RAW, BINARY)
examples = model_predict.describe(model, RAW, examples=30)["examples"]
check("examples hold every label", {e["row"]["city"] for e in examples} == set(RAW["city"].replace({np.nan: None}))
      and {e["row"]["plan"] for e in examples} == set(RAW["plan"].replace({np.nan: None})))
check("examples hold a missing value of each column", all(any(e["row"][c] is None for e in examples) for c in ("age", "debt", "plan")))
check("examples are as many as asked for", len(examples) == 30 and len(model_predict.describe(model, RAW)["examples"]) == 20)
check("examples=0 keeps none", "examples" not in model_predict.describe(model, RAW, examples=0))
check("examples hold the class", model_predict.describe(model, RAW, classes=["No", "Yes"])["examples"][0]["class"] in ("No", "Yes"))
check("rows only of what is needed", set(examples[0]["row"]) == set(NUM + CAT))
few = make_pipeline(SimpleImputer(), StandardScaler(), PolynomialFeatures(2), SelectKBest(k=2), trees()).fit(RAW[NUM], BINARY)
check("inputs that lead to no feature are left out",
      0 < len(model_predict.describe(few, RAW[NUM])["preprocessing"]["inputs"]) < len(NUM))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model_predict.describe(model)
check("without X a warning says that nothing is proved", any("nothing is proved" in str(w.message) for w in caught))
tags = model_predict.describe(model, RAW, tags={"team": "risk"})["tags"]
check("tags hold versions, inputs and what was given", tags["team"] == "risk" and tags["xgboost"] == xgb.__version__
      and tags["estimator"] == "Pipeline(ColumnTransformer(StandardScaler, OneHotEncoder), XGBClassifier)"
      and tags["features"] == NUM + CAT)
check("options win over what was found", model_predict.describe(model, RAW, infinity="missing", threshold=.3)["infinity"] == "missing")

# classes of libraries and versions that are not installed here, by what they hold
def stand_in(library, name, base=(), **members):
    return type(name, base or (object,), {"__module__": library + "._of_the_test", "__init__": lambda self, **k: self.__dict__.update(k),
                                          **members})


def in_library(function, library):
    function.__module__ = library
    return function


lgb_text = b"tree\nversion=v4\n"
Booster = stand_in("lightgbm", "Booster", model_to_string=in_library(lambda self: lgb_text.decode(), "lightgbm"),
                   num_feature=in_library(lambda self: 3, "lightgbm"),
                   feature_name=in_library(lambda self: self.names, "lightgbm"),
                   predict=in_library(lambda self, X: np.full(len(X), 0.25), "lightgbm"))
LGBM = stand_in("lightgbm", "LGBMClassifier",
                predict=in_library(lambda self, X: np.zeros(len(X), dtype=int), "lightgbm"),
                predict_proba=in_library(lambda self, X: np.tile([0.75, 0.25], (len(X), 1)), "lightgbm"))
frame = RAW[["age", "plan", "code"]].astype({"plan": "category", "code": "category"}).rename(columns={"age": "the age"})
booster = Booster(names=["the_age", "plan", "code"], pandas_categorical=[["free", "basic"], [7, 5, 2]])
lgbm = LGBM(booster_=booster, classes_=np.array(["no", "yes"]), objective_="binary", feature_names_in_=np.array(booster.names))
lgb = model_predict.describe(lgbm, frame, examples=5)
check("LightGBM: bytes, classes, labels of categories in the model's order", lgb["model"] == lgb_text
      and lgb["classes"] == ["no", "yes"] and lgb["categories"] == {"plan": ["free", "basic"], "code": [7, 5, 2]}
      and lgb["examples"][0]["predict_all"] == [0.25] and "the age" in lgb["examples"][0]["row"])
lgb = model_predict.describe(lgbm, frame.astype({"the age": "float32"}), examples=0)["preprocessing"]
check("LightGBM on float32: inputs are rounded", lgb["steps"][-1]["precision"] == "single" or lgb["steps"][0]["precision"] == "single")
check("LightGBM behind steps: categories by their code", {tuple(s["labels"]): s["values"] for s in lgb["steps"] if s["op"] == "map"}
      == {("free", "basic"): [0, 1], (7, 5, 2): [0, 1, 2]})
lgb = model_predict.describe(booster, frame)
check("LightGBM's Booster: its own answers", lgb["examples"][0]["predict_all"] == [0.25] and "classes" not in lgb)
try:
    said = str(model_predict.describe(lgbm))
except model_predict.Refused as e:
    said = str(e)
check("LightGBM with categories needs X", "pass X" in said)

ordinary = make_pipeline(mixed(StandardScaler(), HOT()), trees()).fit(RAW, BINARY)
wrapper = dict(predict=in_library(lambda self, X: self.estimator_.predict(X), "sklearn"),
               predict_proba=in_library(lambda self, X: self.estimator_.predict_proba(X), "sklearn"))
Fixed, Tuned = (stand_in("sklearn", n, **wrapper) for n in ("FixedThresholdClassifier", "TunedThresholdClassifierCV"))
fixed = Fixed(estimator_=ordinary, threshold=.3, pos_label=None, response_method="auto", classes_=ordinary.classes_)
check("FixedThresholdClassifier", model_predict.describe(fixed, RAW)["threshold"] == float(np.nextafter(np.float32(.3), np.float32(0))))
tuned = Tuned(estimator_=ordinary, best_threshold_=.7, response_method="auto", classes_=ordinary.classes_)
check("TunedThresholdClassifierCV", abs(model_predict.describe(tuned, RAW)["threshold"] - .7) < 1e-7)
Frozen = stand_in("sklearn", "FrozenEstimator", **{k: in_library(lambda self, X, k=k: getattr(self.estimator, k)(X), "sklearn")
                                                   for k in ("predict", "predict_proba")})
check("FrozenEstimator", "preprocessing" in model_predict.describe(Frozen(estimator=ordinary, classes_=ordinary.classes_), RAW))


def target_encoded(self, X):
    X = np.asarray(X, dtype=object)
    out = np.full(X.shape, .5)
    for i, labels in enumerate(self.categories_):
        for label, value in zip(labels, self.encodings_[i]):
            out[[v == label or v != v and label != label for v in X[:, i]], i] = value
    return out


Target = stand_in("sklearn", "TargetEncoder", transform=in_library(target_encoded, "sklearn"),
                  fit=in_library(lambda self, X, y=None: self, "sklearn"))
encoder = Target(categories_=[np.array(["basic", "free", np.nan], dtype=object)], encodings_=[np.array([.1, .2, .9])])
case("TargetEncoder: unseen labels get the mean", make_pipeline(encoder, trees()), raw=RAW[["plan"]], other=OTHER[["plan"]])

# thresholds: >= in Python, > in the database
for t in (.3, .5, np.float64(.7000000123), float(np.float32(.25))):
    p = np.array([0, t, np.nextafter(np.float32(t), 0, dtype=np.float32), np.nextafter(np.float32(t), 1, dtype=np.float32), 1, .5],
                 dtype=np.float32)
    for second in (True, False):
        cut = np.float32(model_predict.strict_threshold(t, second, np.float32))
        python = p >= t if second else ~(1 - p >= t)
        check(f"threshold {t!r} of the {'second' if second else 'first'} class", np.array_equal(p > cut, python))
