#!/usr/bin/python3
"""Records what scikit-learn, NumPy and pandas make of small tables, into sklearn.txt, for the unit tests of preprocessing.

Run it in this folder with Debian's python3-sklearn (1.2.1 wrote the file that is here). Each case is a document written by hand from the
fitted object, rows, and the object's own answers as hexadecimal doubles:

    case NAME [TOLERANCE]
    document {...}
    row [...]                     values in the order of the inputs; times in microseconds since 2000-01-01
    features HEX...
    predict HEX... -> HEX...      steps on a prediction
"""
import json, warnings
import numpy as np, pandas as pd
from sklearn.preprocessing import *
from sklearn.impute import SimpleImputer, MissingIndicator
from sklearn.decomposition import PCA
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
warnings.filterwarnings("ignore")
out = open("sklearn.txt", "w")
rng = np.random.default_rng(7)
hexes = lambda a: " ".join("nan" if np.isnan(v) else float(v).hex() for v in np.ravel(a))
plain = lambda v: None if v is None or (isinstance(v, float) and np.isnan(v)) else v.item() if hasattr(v, "item") else v
listed = lambda a: [plain(v) for v in np.ravel(a)]


def case(name, inputs, steps, n_features, rows, expected, tolerance="", sparse=False):
    last = steps[-1]["out"]
    names = [o for s in steps for o in s["out"]][-n_features:] if n_features > len(last) else last[:n_features]
    doc = {"format": 1, "inputs": [{"name": n, "type": t} for n, t in inputs], "steps": steps, "features": names}
    if sparse: doc["sparse"] = True
    print("case", name, tolerance, file=out)
    print("document", json.dumps(doc), file=out)
    expected = expected.toarray() if hasattr(expected, "toarray") else np.asarray(expected, float)
    for r, e in zip(rows, expected):
        print("row", json.dumps([plain(v) for v in r]), file=out)
        print("features", hexes(e), file=out)


def numbers(n): return [(f"x{i}", "number") for i in range(n)]
def ins(n): return [f"x{i}" for i in range(n)]
def outs(n, p="y"): return [f"{p}{i}" for i in range(n)]


X = np.concatenate([rng.normal(0, 10, (9, 3)), rng.exponential(1000, (4, 3)), [[0, -0.0, 1e-300], [1e300, -1e17, 0.1], [3, 3, 3]]])
X32 = X.astype("float32"); X32[~np.isfinite(X32)] = 7
for single, data in ((False, X), (True, X32)):
    p = {"precision": "single"} if single else {}
    tag = "single" if single else "double"
    f = data[:13]
    # the rows hold what the database does: the float32 widened, or any double that is rounded on entry
    s = StandardScaler().fit(f)
    case(f"standard-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), subtract=listed(s.mean_), divide=listed(s.scale_), **p)], 3, data, s.transform(data))
    s = StandardScaler(with_mean=False).fit(f)
    case(f"standard-no-mean-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), divide=listed(s.scale_), **p)], 3, data, s.transform(data))
    s = RobustScaler().fit(f)
    case(f"robust-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), subtract=listed(s.center_), divide=listed(s.scale_), **p)], 3, data, s.transform(data))
    s = MaxAbsScaler().fit(f)
    case(f"maxabs-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), divide=listed(s.scale_), **p)], 3, data, s.transform(data))
    s = MinMaxScaler((-1, 3.3)).fit(f)
    case(f"minmax-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), multiply=listed(s.scale_), add=listed(s.min_), **p)], 3, data, s.transform(data))
    s = MinMaxScaler((0, .7), clip=True).fit(f)
    case(f"minmax-clip-{tag}", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3), multiply=listed(s.scale_), add=listed(s.min_), clip=[0, .7], **p)], 3, data, s.transform(data))
    h = data.copy(); h[::3, 0] = np.nan; h[1::4, 1] = np.nan
    i = SimpleImputer(strategy="mean", add_indicator=True).fit(h[:13])
    case(f"impute-{tag}", numbers(3), [dict(op="impute", **{"in": ins(3)}, out=outs(3), values=listed(i.statistics_), **p), dict(op="is_missing", **{"in": ["x0", "x1"]}, out=outs(2, "m"), **p)], 5, h, i.transform(h))
    g = np.where(rng.random(data.shape) < .3, data.dtype.type(-999.9), data)
    i = SimpleImputer(missing_values=-999.9, strategy="median").fit(g[:13])
    case(f"impute-sentinel-{tag}", numbers(3), [dict(op="impute", **{"in": ins(3)}, out=outs(3), values=listed(i.statistics_), missing_value=-999.9, **p)], 3, g, i.transform(g))
    b = Binarizer(threshold=.1).fit(f); edge = data.copy(); edge[0] = [.1, np.float32(.1), np.nextafter(.1, 1)]; edge = edge.astype(data.dtype)
    case(f"binarize-{tag}", numbers(3), [dict(op="threshold", **{"in": ins(3)}, out=outs(3), threshold=.1, **p)], 3, edge, b.transform(edge))
    for strategy in ("uniform", "quantile"):
        k = KBinsDiscretizer(4, encode="ordinal", strategy=strategy).fit(f)
        edge = np.vstack([data] + [np.array([e[j] for e in k.bin_edges_]).reshape(1, -1) for j in range(5)]).astype(data.dtype)
        case(f"bins-{strategy}-{tag}", numbers(3), [dict(op="bin", **{"in": ins(3)}, out=outs(3), edges=[listed(e[1:-1]) for e in k.bin_edges_], **p)], 3, edge, k.transform(edge))
    small = np.clip(data, -1e4, 1e4)
    q = PolynomialFeatures(3, include_bias=True).fit(small)
    combos = [c for c in PolynomialFeatures._combinations(3, 0, 3, False, True)]
    case(f"polynomial-{tag}", numbers(3), [dict(op="product", **{"in": ins(3)}, out=outs(len(combos)), factors=[list(reversed(c)) for c in combos], **p)], len(combos), small, q.transform(small))
    q = PolynomialFeatures(3, interaction_only=True, include_bias=False).fit(small)
    combos = [c for c in PolynomialFeatures._combinations(3, 1, 3, True, False)]
    case(f"interactions-{tag}", numbers(3), [dict(op="product", **{"in": ins(3)}, out=outs(len(combos)), factors=[list(reversed(c)) for c in combos], **p)], len(combos), small, q.transform(small))
    for name, function in dict(abs=np.abs, sign=np.sign, sqrt=np.sqrt, square=np.square, reciprocal=np.reciprocal, floor=np.floor, ceil=np.ceil, round=np.round).items():
        d = np.vstack([data, data.dtype.type([[.5, 1.5, 2.5], [-.5, -1.5, np.nan], [0, -0.0, 1]])])
        case(f"{name}-{tag}", numbers(3), [dict(op="function", **{"in": ins(3)}, out=outs(3), function=name, **p)], 3, d, function(d))

d = np.abs(X) + .01
for name, function in dict(cbrt=np.cbrt, log=np.log, log2=np.log2, log10=np.log10, log1p=np.log1p).items():
    case(name, numbers(3), [dict(op="function", **{"in": ins(3)}, out=outs(3), function=name)], 3, d, function(d), "1e-15")
d = np.clip(X, -50, 50)
for name, function in dict(exp=np.exp, expm1=np.expm1).items():
    case(name, numbers(3), [dict(op="function", **{"in": ins(3)}, out=outs(3), function=name)], 3, d, function(d), "1e-15")
t = PowerTransformer(standardize=True).fit(d[:13])
case("yeo-johnson", numbers(3), [dict(op="power", **{"in": ins(3)}, out=outs(3, "p"), method="yeo-johnson", lambdas=listed(t.lambdas_)), dict(op="scale", **{"in": outs(3, "p")}, out=outs(3), subtract=listed(t._scaler.mean_), divide=listed(t._scaler.scale_))], 3, d, t.transform(d), "1e-12")
d = np.abs(d) + .1
t = PowerTransformer("box-cox", standardize=False).fit(d[:13])
case("box-cox", numbers(3), [dict(op="power", **{"in": ins(3)}, out=outs(3), method="box-cox", lambdas=listed(t.lambdas_))], 3, d, t.transform(d), "1e-12")
t = PCA(2, whiten=True).fit(d)
case("pca", numbers(3), [dict(op="scale", **{"in": ins(3)}, out=outs(3, "c"), subtract=listed(t.mean_)), dict(op="linear", **{"in": outs(3, "c")}, out=outs(2, "l"), matrix=[listed(r) for r in t.components_]), dict(op="scale", **{"in": outs(2, "l")}, out=outs(2), divide=listed(np.sqrt(t.explained_variance_)))], 2, d, t.transform(d), "1e-11")

# labels
words = np.array(["red", "green", "blue", "élan", "", "1", "a rather long label, with a comma", 'quote"d'], object)
W = words[rng.integers(0, 8, 60)].reshape(-1, 1)
new = np.vstack([W, [["purple"], ["Red"], ["1 "]]])
e = OneHotEncoder(handle_unknown="ignore").fit(W); c = listed(e.categories_[0])
case("one-hot", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(c)), labels=[[v] for v in c], unknown="zero")], len(c), new, e.transform(new))
case("one-hot-sparse", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(c)), labels=[[v] for v in c], unknown="zero")], len(c), new, np.where(e.transform(new).toarray() == 0, np.nan, 1), sparse=True)
e = OneHotEncoder(drop="first", handle_unknown="ignore").fit(W)
case("one-hot-drop", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(c) - 1), labels=[[v] for v in c[1:]], zero=[c[0]], unknown="zero")], len(c) - 1, new, e.transform(new))
e = OneHotEncoder(min_frequency=8, handle_unknown="infrequent_if_exist").fit(W)
rare = listed(e.infrequent_categories_[0]); often = [v for v in c if v not in rare]
case("one-hot-infrequent", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(often) + 1), labels=[[v] for v in often] + [rare], unknown=len(often))], len(often) + 1, new, e.transform(new))
M = W.copy(); M[::7] = None
e = OneHotEncoder(handle_unknown="ignore").fit(M); cm = listed(e.categories_[0])
case("one-hot-none", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(cm)), labels=[[v] for v in cm], unknown="zero")], len(cm), M, e.transform(M))
e = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2).fit(M)
both = np.vstack([M, [["purple"]]])
case("ordinal-none", [("x", "category")], [dict(op="map", **{"in": ["x"]}, out=["y"], labels=listed(e.categories_[0]), values=list(range(len(e.categories_[0]))), unknown=-1)], 1, both, e.transform(both))
gaps = both.copy(); gaps[::7] = np.nan; e.fit(gaps[:-1])
known = [v for v in listed(e.categories_[0]) if v is not None]
case("ordinal", [("x", "category")], [dict(op="map", **{"in": ["x"]}, out=["y"], labels=known + [None], values=list(range(len(known))) + [-2], unknown=-1)], 1, gaps, e.transform(gaps))
e = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan).fit(W)
case("ordinal-nan", [("x", "category")], [dict(op="map", **{"in": ["x"]}, out=["y"], labels=c, values=list(range(len(c))), unknown="missing")], 1, new, e.transform(new))
N = np.array([1, 2.5, 0, -3, 1e6, np.nan])[rng.integers(0, 6, 40)].reshape(-1, 1)
e = OneHotEncoder(handle_unknown="ignore").fit(N); cn = listed(e.categories_[0]); more = np.vstack([N, [[-0.0], [7], [2.4999999999]]])
case("one-hot-numbers", [("x", "number")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(cn)), labels=[[v] for v in cn], unknown="zero")], len(cn), more, e.transform(more))
case("one-hot-numbers-as-labels", [("x", "category")], [dict(op="one_hot", **{"in": ["x"]}, out=outs(len(cn)), labels=[[v] for v in cn], unknown="zero")], len(cn), more, e.transform(more))
i = SimpleImputer(strategy="most_frequent", missing_values=None).fit(M); o = OneHotEncoder(handle_unknown="ignore").fit(i.transform(M)); co = listed(o.categories_[0])
case("impute-labels", [("x", "category")], [dict(op="impute", **{"in": ["x"]}, out=["i"], values=listed(i.statistics_)), dict(op="one_hot", **{"in": ["i"]}, out=outs(len(co)), labels=[[v] for v in co], unknown="zero")], len(co), both, o.transform(i.transform(both)))
i = SimpleImputer(strategy="constant", fill_value="none", missing_values="red").fit(W); o = OneHotEncoder(handle_unknown="ignore").fit(i.transform(W)); co = listed(o.categories_[0])
case("impute-constant-label", [("x", "category")], [dict(op="impute", **{"in": ["x"]}, out=["i"], values=["none"], missing_value="red"), dict(op="one_hot", **{"in": ["i"]}, out=outs(len(co)), labels=[[v] for v in co], unknown="zero")], len(co), new, o.transform(i.transform(new)))

# times
stamps = pd.to_datetime(["2000-01-01", "1999-12-31 23:59:59.999999", "2024-02-29 12:34:56.789", "2023-12-31", "1900-03-01", "2100-02-28 23:00", "1970-01-01", "2038-01-19 03:14:08", "1752-09-14", "2000-02-29", "2024-12-30"]).to_series()
micros = [int(v) // 1000 - 946684800000000 for v in stamps.astype("int64")]
parts = ["year", "quarter", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear"]
expected = np.array([getattr(stamps.dt, p_).to_numpy() for p_ in parts] + [stamps.astype("int64").to_numpy() // 1000 / 1e6]).T
case("dates", [("t", "time")], [dict(op="date_part", **{"in": ["t"]}, out=[p_], part=p_) for p_ in parts + ["epoch"]], 10, [[m] for m in micros], expected)


def predictions(name, output, given, expected, tolerance=""):
    doc = {"format": 1, "inputs": [{"name": "x", "type": "number"}], "steps": [], "features": ["x"], "output": output}
    print("case", name, tolerance, file=out); print("document", json.dumps(doc), file=out)
    for g, e in zip(given, expected): print("predict", hexes(g), "->", hexes(e), file=out)


def proba(raw):      # as sklearn.calibration._CalibratedClassifier.predict_proba
    p = np.array(raw, dtype=float, order="C"); d = np.sum(p, axis=1)[:, np.newaxis]
    p = np.divide(p, d, out=np.full_like(p, 1 / p.shape[1]), where=d != 0)
    p[(1.0 < p) & (p <= 1.0 + 1e-5)] = 1.0
    return p


y = rng.normal(3, 2, 40)
for dtype, tag in ((np.float64, "double"), (np.float32, "single")):
    p = {"precision": "single"} if tag == "single" else {}
    v = y.astype(dtype); s = StandardScaler().fit(np.exp(y).reshape(-1, 1))
    predictions(f"target-standard-{tag}", [dict(op="scale", multiply=listed(s.scale_), add=listed(s.mean_), **p)], v, s.inverse_transform(v.reshape(-1, 1)))
    m = MinMaxScaler().fit(np.exp(y).reshape(-1, 1))
    predictions(f"target-minmax-{tag}", [dict(op="scale", subtract=listed(m.min_), divide=listed(m.scale_), **p)], v, m.inverse_transform(v.reshape(-1, 1)))
    for name, function in dict(expm1=np.expm1, exp=np.exp, square=np.square).items():
        predictions(f"target-{name}-{tag}", [dict(op=name, **p)], v, function(v), "" if name == "square" else "1e-15" if tag == "double" else "3e-7")
    t = rng.random(60).astype(dtype); label = (rng.random(60) < t).astype(int)
    c = _SigmoidCalibration().fit(t.astype(float), label)
    u = np.concatenate([rng.random(60), [0, 1, .5]]).astype(dtype); r = c.predict(u); assert r.dtype == dtype, r.dtype
    predictions(f"sigmoid-{tag}", [dict(op="sigmoid", a=[float(c.a_)], b=[float(c.b_)], **p)], u, r, "4e-16" if tag == "double" else "3e-7")
    iso = IsotonicRegression(out_of_bounds="clip").fit(t, label); assert iso.X_thresholds_.dtype == dtype
    u = np.concatenate([u, iso.X_thresholds_, [-.1, 1.1]]).astype(dtype); r = iso.predict(u); assert r.dtype == dtype
    predictions(f"isotonic-{tag}", [dict(op="isotonic", x=[listed(iso.X_thresholds_)], y=[listed(iso.y_thresholds_)], **p)], u, r)
    for k in (3, 10, 150):
        raw = rng.dirichlet(np.ones(k), 5).astype(dtype); raw[0] = 0
        isos = [IsotonicRegression(out_of_bounds="clip").fit(rng.random(9).astype(dtype) / k, np.sort(rng.random(9)) * (j % 4 > 0)) for j in range(k)]
        r = proba(np.array([i_.predict(raw[:, j]) for j, i_ in enumerate(isos)]).T)
        predictions(f"isotonic-{k}-classes-{tag}", [dict(op="isotonic", x=[listed(i_.X_thresholds_) for i_ in isos], y=[listed(i_.y_thresholds_) for i_ in isos], **p)], raw, r)
predictions("isotonic-one-point", [dict(op="isotonic", x=[[.5]], y=[[.25]])], [[.1], [.9]], [[.25], [.25]])
