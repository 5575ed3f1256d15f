"""A second reading of preprocessing documents: plain NumPy, one column at a time, by the book.

features(document, frame) gives what the trees see; output(document, predictions, classes) what follows them. The tests
hold the client's documents against scikit-learn with it, without a server. It is strict: what the format does not know
is an error here too.
"""
import ctypes
import ctypes.util

import numpy as np

# SciPy's expit uses the C library's, NumPy has one of its own
libm = ctypes.CDLL(ctypes.util.find_library("m"))
libm.expf.restype, libm.expf.argtypes = ctypes.c_float, [ctypes.c_float]

FIELDS = {
    "impute": {"values", "missing_value"}, "is_missing": {"missing_value"},
    "scale": {"subtract", "divide", "multiply", "add", "clip"}, "one_hot": {"labels", "zero", "unknown"},
    "map": {"labels", "values", "unknown", "missing"}, "bin": {"edges", "closed", "missing"},
    "threshold": {"threshold", "missing"}, "function": {"function"}, "power": {"method", "lambdas"},
    "product": {"factors", "missing"}, "linear": {"matrix", "offset", "missing"}, "date_part": {"part", "time_zone"}}
EXACT = ("abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "round")
NUMPY = {"round": np.rint}


class RowError(Exception):
    """A row that the server would refuse."""


def is_null(v):
    return v is None or type(v).__name__ in ("NAType", "NaTType") or isinstance(v, (float, np.floating)) and v != v


def cell(value, kind):
    """A cell as the server reads it: None, a float, or text."""
    if is_null(value):
        return None
    if kind == "time":
        import pandas as pd
        return pd.Timestamp(value)
    if isinstance(value, str):
        assert kind == "category", f"text {value!r} for an input of type {kind}"
        return value
    return float(value)


def round_to(values, single):
    return values.astype(np.float32).astype(np.float64) if single else values


def as_numbers(values):
    assert not any(isinstance(v, str) for v in values), "a label where a number is needed"
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def as_list(numbers):
    return [None if v != v else float(v) for v in numbers]


def filled(values, missing, where):
    """What `missing` says of the missing values of a step whose default is an error."""
    if missing == "error" and any(v is None for v in values):
        raise RowError(f"missing value for {where}")
    return values


def step(s, columns):
    op, single = s["op"], s.get("precision") == "single"
    extra = set(s) - {"op", "in", "out", "precision"} - FIELDS[op]
    assert not extra, f"unknown fields {extra} of {op}"
    ins = [columns[name] for name in s["in"]]
    out = []
    if op == "impute":
        for values, v in zip(ins, s["values"]):
            if single:
                values = as_list(round_to(as_numbers(values), True))
                v = float(np.float32(v))
            out.append([v if x is None or x == s.get("missing_value", np.nan) else x for x in values])
        out = [[float(x) if isinstance(x, (int, float)) else x for x in values] for values in out]
    elif op == "is_missing":
        out = [[float(x is None or x == s.get("missing_value", np.nan)) for x in values] for values in ins]
    elif op == "scale":
        for i, values in enumerate(ins):
            x = round_to(as_numbers(values), single)
            for field, ufunc in (("subtract", np.subtract), ("divide", np.divide), ("multiply", np.multiply),
                                 ("add", np.add)):
                if field in s:
                    assert len(s[field]) == len(ins)
                    assert field != "divide" or s[field][i] != 0
                    x = round_to(ufunc(x, np.float64(s[field][i])), single)
            if "clip" in s:
                x = np.clip(x, *round_to(np.array(s["clip"], dtype=np.float64), single))
            out.append(as_list(x))
    elif op == "one_hot":
        values = ins[0]
        assert len(ins) == 1 and len(s["labels"]) == len(s["out"])
        if single:
            values = [x if x is None else float(np.float32(x)) for x in values]
        table = {}
        for n, labels in enumerate(s["labels"] + [s.get("zero", [])]):
            for label in labels:
                assert label not in table, f"label {label!r} twice"
                table[label] = n if n < len(s["labels"]) else None
        unknown = s.get("unknown", "error")
        hits = []
        for x in values:
            if x in table:
                hits.append(table[x])
            elif unknown == "error":
                raise RowError(f"unknown label {x!r}")
            else:
                hits.append(None if unknown == "zero" else unknown)
        out = [[float(hit == n) for hit in hits] for n in range(len(s["out"]))]
    elif op == "map":
        values = ins[0]
        if single:
            values = [x if x is None else float(np.float32(x)) for x in values]
        assert len(ins) == 1 and len(s["labels"]) == len(s["values"]) == len(set(s["labels"]))
        table = dict(zip(s["labels"], s["values"]))
        assert None not in table or "missing" not in s
        made = []
        for x in values:
            v = table[x] if x in table else s.get("missing", "error") if x is None else s.get("unknown", "error")
            if v == "error":
                raise RowError(f"unknown label {x!r}")
            made.append(None if v is None or v == "missing" else float(v))
        out = [made]
    elif op == "bin":
        for values, edges in zip(ins, s["edges"]):
            assert list(edges) == sorted(edges)
            x = round_to(as_numbers(filled(values, s.get("missing", "error"), s["in"])), single)
            out.append(as_list(np.searchsorted(edges, x, side="right").astype(float)))
    elif op == "threshold":
        for values in ins:
            x = round_to(as_numbers(filled(values, s.get("missing", "error"), s["in"])), single)
            out.append(as_list((x > round_to(np.float64(s["threshold"]), single)).astype(float)))
    elif op == "function":
        assert not single or s["function"] in EXACT, "function in single"
        for values in ins:
            x = round_to(as_numbers(values), single)
            with np.errstate(all="ignore"):
                x = NUMPY.get(s["function"], getattr(np, s["function"], None))(x)
            out.append(as_list(round_to(x, single)))
    elif op == "power":
        for values, l in zip(ins, s["lambdas"]):
            x = as_numbers(values)
            if s["method"] == "yeo-johnson":
                y, neg = np.empty_like(x), x < 0
                y[~neg] = np.log1p(x[~neg]) if abs(l) < np.spacing(1.0) else (np.power(x[~neg] + 1, l) - 1) / l
                y[neg] = -np.log1p(-x[neg]) if abs(l - 2) <= np.spacing(1.0) else \
                    -(np.power(-x[neg] + 1, 2 - l) - 1) / (2 - l)
            else:
                y = np.log(x) if l == 0 else np.expm1(l * np.log(x)) / l
            out.append(as_list(y))
    elif op == "product":
        for values in ins:
            filled(values, s.get("missing", "error"), s["in"])
        xs = [round_to(as_numbers(values), single) for values in ins]
        for factors in s["factors"]:
            v = np.ones(len(xs[0])) if not factors else xs[factors[0]]
            for f in factors[1:]:
                v = round_to(v * xs[f], single)
            out.append(as_list(v))
    elif op == "linear":
        for values in ins:
            filled(values, s.get("missing", "error"), s["in"])
        x = np.column_stack([as_numbers(values) for values in ins])
        y = x @ np.array(s["matrix"], dtype=np.float64).T
        out = [as_list(y[:, i] + (s["offset"][i] if "offset" in s else 0)) for i in range(y.shape[1])]
    elif op == "date_part":
        for values in ins:
            part = s["part"]
            out.append([None if t is None else t.timestamp() if part == "epoch" else float(getattr(t, part))
                        for t in values])
    else:
        raise AssertionError(f"unknown op {op}")
    assert len(out) == len(s["out"]), f"{op} makes {len(out)} columns, not {len(s['out'])}"
    return out


def features(document, frame):
    """The features, shape (rows, features), float64, missing as NaN."""
    assert not set(document) - {"format", "inputs", "steps", "features", "sparse", "output"}
    assert document["format"] == 1 and document["inputs"]
    columns = {}
    for i in document["inputs"]:
        assert i["type"] in ("number", "category", "time") and i["name"] not in columns
        columns[i["name"]] = [cell(v, i["type"]) for v in frame[i["name"]]]
    for s in document["steps"]:
        for name, values in zip(s["out"], step(s, columns)):
            assert name not in columns, f"{name} made twice"
            columns[name] = values
    made = np.column_stack([as_numbers(columns[name]) for name in document["features"]])
    if document.get("sparse"):
        made[made == 0] = np.nan
    return made


def output(document, predictions, classes=None):
    """What the output steps make of predictions, shape (rows, outputs), float32 or float64, as float64.
    Calibrated: the probability of each class."""
    p = np.asarray(predictions).astype(np.float64).reshape(len(predictions), -1)
    for o in document.get("output", []):
        single = o.get("precision") == "single"
        if o["op"] in ("expm1", "exp", "square"):
            p = getattr(np, o["op"])(p.astype(np.float32 if single else np.float64)).astype(np.float64)
        elif o["op"] == "scale":
            for field, ufunc in (("subtract", np.subtract), ("divide", np.divide), ("multiply", np.multiply),
                                 ("add", np.add)):
                if field in o:
                    p = round_to(ufunc(p, np.array(o[field], dtype=np.float64)), single)
        else:
            kind = np.float32 if single else np.float64
            k = len(o["a"] if o["op"] == "sigmoid" else o["x"])
            t = p[:, -1:] if k == 1 else p
            made = np.empty(t.shape)
            for c in range(k):
                v = t[:, c].astype(kind)
                if o["op"] == "sigmoid":
                    z = kind(o["a"][c]) * v + kind(o["b"][c])
                    e = np.array([libm.expf(x) for x in z], dtype=np.float32) if single else np.exp(z)
                    made[:, c] = kind(1) / (kind(1) + e)
                else:
                    x, y = np.array(o["x"][c], dtype=kind), np.array(o["y"][c], dtype=kind)
                    v = np.clip(v, x[0], x[-1])
                    if len(x) == 1:
                        made[:, c] = y[0]
                    elif single:
                        i = np.clip(np.searchsorted(x, v), 1, len(x) - 1)
                        slope = (y[i] - y[i - 1]) / (x[i] - x[i - 1])
                        made[:, c] = slope * (v - x[i - 1]) + y[i - 1]
                    else:
                        made[:, c] = np.interp(v, x, y)
            if k == 1:
                p = np.column_stack([1 - made[:, 0], made[:, 0]])
            else:
                total = made.sum(axis=1, keepdims=True)
                p = np.where(total == 0, 1 / k, made / np.where(total == 0, 1, total))
            p[(p > 1) & (p <= 1 + 1e-5)] = 1
    return p


TREE_FIELDS = {"output", "left", "right", "feature", "threshold", "missing_left", "left_codes", "value", "cover", "gain"}


def trees(document, x):
    """What a document of scikit-learn's trees predicts for features x, shape (rows, features): (rows, outputs)."""
    assert list(document)[0] == "library" and document["format"] == 1 and x.shape[1] == document["n_features"]
    x = x.astype(np.float32).astype(np.float64) if document["features"] == "float32" else x
    total = np.tile(np.array(document["initial"], dtype=np.float64), (len(x), 1))
    assert total.shape[1] == document["n_outputs"]
    known = {int(f): codes for f, codes in document.get("categories", {}).items()}
    rows = np.arange(len(x))
    for tree in document["trees"]:
        assert not set(tree) - TREE_FIELDS
        at = np.zeros(len(x), dtype=int)
        left, right, feature = (np.array(tree[k]) for k in ("left", "right", "feature"))
        threshold = np.array([np.inf if t == "inf" else t for t in tree["threshold"]])
        default = np.array(tree.get("missing_left", np.zeros(len(left))), dtype=bool)
        value = np.array(tree["value"], dtype=np.float64).reshape(len(left), -1)
        codes = {int(n): list_ for n, list_ in tree.get("left_codes", {}).items()}
        while (left[at] >= 0).any():
            inner = left[at] >= 0
            v = x[rows, feature[at]]
            if document["missing"] == "error" and (inner & np.isnan(v)).any():
                raise RowError("missing value")
            goes = np.where(np.isnan(v), default[at], v <= threshold[at])
            for r in np.flatnonzero(np.isin(at, list(codes)) & ~np.isnan(v)):
                code = int(v[r]) if v[r] >= 0 else -1
                goes[r] = code in codes[at[r]] if code in known[feature[at[r]]] else default[at[r]]
            at = np.where(inner, np.where(goes, left[at], right[at]), at)
        if document["vector_leaves"]:
            total += value[at]
        else:
            total[:, tree["output"]] += value[at, 0]
    z = total / document["divisor"]
    if document["link"] == "logistic":
        return 1 / (1 + np.exp(-document.get("link_factor", 1) * z))
    if document["link"] == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    return np.exp(z) if document["link"] == "exp" else z
