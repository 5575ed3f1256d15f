"""Puts fitted tree models, with the steps before and after them, into a database that has the extension model_predict.

    import model_predict
    version = model_predict.push(connection, "churn", pipeline, X_train, deploy=True)

and from then on, in SQL: ``SELECT predict('churn', c.*) FROM customers c``.

``describe`` reads the fitted objects and makes the arguments of the SQL function ``model_predict.register``;
``push`` sends them. What a pipeline does to its columns becomes one JSON document of a few dozen operations, each of
which the server computes as scikit-learn does. A step that has none is refused by its class name: nothing is
approximated. How it works: a fitted pipeline is walked with a ``Table``, the columns as they stand after each step,
beside a few real rows that go through the fitted steps too, because their dtypes say in which precision a step works.

The module needs what the model needs (NumPy, scikit-learn, XGBoost, LightGBM) and psycopg 2 or 3 to talk.
"""
import json
import os
import subprocess
import sys
import warnings

import numpy as np

__all__ = ["describe", "push", "date_parts", "Refused"]
__version__ = "1.0.0"

DATE_PARTS = ("year", "quarter", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear", "epoch")


class Refused(ValueError):
    """An estimator that the database could not score with the same bits; the message says which step and what to do."""


def date_parts(X, parts=("year", "month", "day", "dayofweek")):
    """Numbers from dates: one float64 column per column of X and part, columns first.

    X: a frame of shape (rows, columns) whose columns are dates or times without time zone; parts: of year, quarter,
    month, day, hour, minute, second, dayofweek (Monday is 0), dayofyear, epoch (seconds since 1970-01-01).
    A missing date gives NaN. Made for pipelines that are to be pushed:
    ``FunctionTransformer(model_predict.date_parts, kw_args={"parts": ["year", "month"]})``.
    """
    import pandas as pd
    unknown = [part for part in parts if part not in DATE_PARTS]
    if unknown:
        raise ValueError(f"date_parts knows {', '.join(DATE_PARTS)}, not {', '.join(map(str, unknown))}")
    frame = pd.DataFrame(X)
    made = {}
    for name in frame.columns:
        times = pd.to_datetime(frame[name])
        for part in parts:
            if part == "epoch":
                values = (times - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
            else:
                values = getattr(times.dt, part)
            made[f"{name}_{part}"] = values.astype("float64")
    return pd.DataFrame(made, index=frame.index)


# ---- what a document is made of

class Column:
    """One column as it stands after some steps.

    value: its name in the document; label: the name that scikit-learn would give it; source: the Input that it still
    is, or None; text: its values are labels; single: an input that Python holds as float32, not rounded yet;
    nulls: what Python holds where SQL has NULL, a set of 'nan' and 'none', or None where nothing is known;
    filled: an imputer has left nothing missing.
    """

    def __init__(self, value, label, source=None, text=False, single=False, nulls=None, filled=False):
        self.value, self.label, self.source, self.text = value, label, source, text
        self.single, self.nulls, self.filled = single, nulls, filled

    def renamed(self, label):
        return Column(self.value, label, self.source, self.text, self.single, self.nulls, self.filled)


class Input:
    """A column of the raw row; type is 'number', 'category' or 'time', None until something tells."""

    def __init__(self, name, type=None, dtype=None):
        self.name, self.type, self.dtype = name, type, dtype


class Table:
    """Columns, and the sample: the same columns of a few real rows (frame, array, sparse matrix), or None."""

    def __init__(self, columns, sample=None, sparse=False):
        self.columns, self.sample, self.sparse = columns, sample, sparse

    def take(self, positions):
        sample = self.sample
        if sample is not None:
            sample = sample.iloc[:, positions] if hasattr(sample, "iloc") else sample[:, positions]
        return Table([self.columns[i] for i in positions], sample, self.sparse)

    def dtypes(self):
        """The dtype of each column in Python, float64 where there is no sample."""
        if self.sample is None:
            return [np.dtype("float64")] * len(self.columns)
        if hasattr(self.sample, "dtypes"):
            return list(self.sample.dtypes)
        return [self.sample.dtype] * len(self.columns)


class Document:
    """The steps so far. Values are numbered while it grows; finish() gives them the names that people see."""

    def __init__(self):
        self.inputs, self.steps, self.output = [], [], []
        self.labels, self.rounded = {}, {}

    def add_input(self, name, type=None, dtype=None):
        source = Input(name, type, dtype)
        self.inputs.append(source)
        return source

    def new(self, label):
        value = f"#{len(self.labels)}"
        self.labels[value] = label
        return value

    def step(self, op, columns, out, single=False, **fields):
        """Appends a step on columns; out: the labels of what it makes. Returns the new columns."""
        made = [self.new(label) for label in out]
        step = {"op": op, "in": [c.value for c in columns], "out": made}
        if single:
            step["precision"] = "single"
        step.update((k, v) for k, v in fields.items() if v is not None)
        self.steps.append(step)
        return [Column(value, label) for value, label in zip(made, out)]

    def exact(self, column, single=False):
        """The column as a step in double must see it: what Python holds as float32 is rounded first."""
        if not column.single or single:
            return column
        if column.value not in self.rounded:
            self.rounded[column.value] = self.step("scale", [column], [column.label], single=True)[0]
        made = self.rounded[column.value].renamed(column.label)
        made.nulls, made.filled = column.nulls, column.filled
        return made

    def numbers(self, columns, single, where):
        """The columns as numbers for a step; text is refused."""
        for column in columns:
            if column.text:
                raise Refused(f"{where} computes with column \"{column.label}\", which holds text: "
                              "make it a number before the pipeline")
            if column.source is not None:
                if column.source.type == "category":
                    raise Refused(f"{where} computes with input \"{column.label}\", which holds text: "
                                  "make it a number before the pipeline")
                if column.source.type == "time":
                    raise Refused(f"{where} computes with input \"{column.label}\", which holds times: "
                                  "use FunctionTransformer(model_predict.date_parts)")
                column.source.type = "number"
        return [self.exact(c, single) for c in columns]

    def finish(self, features, sparse):
        """The document for register(): features are columns in the model's order, each a number."""
        used = {c.value for c in features}
        steps = []
        for step in reversed(self.steps):
            if used.intersection(step["out"]):
                steps.append(pruned(step, used))
                used.update(steps[-1]["in"])
        steps.reverse()
        inputs = [i for i in self.inputs if i.name in used]
        names, taken = {i.name: i.name for i in inputs}, {i.name for i in inputs}

        def name(value, label, mark):
            if value in names:
                return
            chosen, n = (label, 1) if not mark else (f"{label}~1", 1)
            while chosen in taken:
                n += 1
                chosen = f"{label}~{n}"
            names[value] = chosen
            taken.add(chosen)
        for column in features:
            name(column.value, column.label, False)
        for step in steps:
            for value in step["out"]:
                name(value, self.labels[value], True)
        for step in steps:
            step["in"] = [names[v] for v in step["in"]]
            step["out"] = [names[v] for v in step["out"]]
        document = {"format": 1,
                    "inputs": [{"name": i.name, "type": i.type or "number"} for i in inputs],
                    "steps": steps, "features": [names[c.value] for c in features]}
        if sparse:
            document["sparse"] = True
        if self.output:
            document["output"] = self.output
        return document


ELEMENTWISE = ("impute", "is_missing", "scale", "bin", "threshold", "function", "power", "date_part")
PER_COLUMN = ("values", "subtract", "divide", "multiply", "add", "edges", "lambdas")


def pruned(step, used):
    """A step without the columns that lead to no feature: what the model does not need, a row need not have."""
    step = dict(step)
    kept = [i for i, value in enumerate(step["out"]) if value in used]
    if len(kept) == len(step["out"]):
        return step
    if step["op"] in ELEMENTWISE:
        for key in ("in", "out") + PER_COLUMN:
            if key in step:
                step[key] = [step[key][i] for i in kept]
    elif step["op"] == "product":
        step["out"] = [step["out"][i] for i in kept]
        factors = [step["factors"][i] for i in kept]
        needed = sorted(set(f for list_ in factors for f in list_))
        step["in"] = [step["in"][i] for i in needed] or step["in"][:1]
        step["factors"] = [[needed.index(f) for f in list_] for list_ in factors]
    return step


# ---- small things

def numbers(values):
    """A list of Python floats; NaN and infinity are refused by the caller."""
    return [float(v) for v in np.asarray(values, dtype=np.float64).ravel()]


def is_missing(value):
    """None, NaN, pandas' NA and NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return False


def json_label(value, where):
    """A label as the document holds it: text as text, numbers and booleans as numbers."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        if int(float(value)) != int(value):
            raise Refused(f"{where} has the label {value}, which no double holds: make the labels text")
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    raise Refused(f"{where} has labels of type {type(value).__name__}: make them text or numbers")


def json_value(value):
    """A cell of a raw row as JSON has it; a float32 is widened, a time becomes ISO 8601."""
    if is_missing(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, np.datetime64):
        import pandas as pd
        value = pd.Timestamp(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__name__ == "Decimal":
        return float(value)
    return str(value)


def class_label(value):
    """A class of classes_ as text; a float that is whole loses its point, as the server's own 0, 1, … have none."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def library(estimator):
    return (type(estimator).__module__ or "").split(".")[0]


def class_name(estimator):
    return type(estimator).__name__


def is_single(dtype):
    return str(dtype).lower() == "float32"


def run(estimator, sample, method="transform"):
    """The sample after a fitted step, or None."""
    if sample is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(estimator, method)(sample)


def is_sparse(sample):
    return hasattr(sample, "tocsr")


def single_of(out, where):
    """Whether a step worked in float32, by the dtype of what it gave; half precision is refused."""
    if out is None:
        return False
    dtypes = {str(d).lower() for d in (out.dtypes if hasattr(out, "dtypes") else [out.dtype])}
    if "float16" in dtypes:
        raise Refused(f"{where} works in float16: cast its columns to float64 before the pipeline")
    return dtypes == {"float32"}


def per_column_single(out, count, where):
    """The same for each column of a frame or array."""
    if out is None:
        return [False] * count
    dtypes = [str(d).lower() for d in (out.dtypes if hasattr(out, "dtypes") else [out.dtype] * count)]
    if "float16" in dtypes:
        raise Refused(f"{where} works in float16: cast its columns to float64 before the pipeline")
    return [d == "float32" for d in dtypes]


# ---- scikit-learn's transformers: each takes the fitted object, the Table before it and the Document

TRANSFORMERS = {}


def transformer(*keys):
    def keep(function):
        for key in keys:
            TRANSFORMERS[key] = function
        return function
    return keep


OVERRIDES = ("transform", "fit_transform", "predict", "predict_proba", "decision_function", "inverse_transform")


def handler(table, estimator):
    """What of a table of handlers reads this object: that of its class, or of a base class that it changes nothing of."""
    for cls in type(estimator).__mro__:
        root = (cls.__module__ or "").split(".")[0]
        if (root, cls.__name__) in table:
            for method in OVERRIDES:
                own = getattr(type(estimator), method, None)
                if own is not None and getattr(own, "__module__", root) is not None and \
                        getattr(own, "__module__", root).split(".")[0] not in ("sklearn", "imblearn", root):
                    return None
            return table[root, cls.__name__]
    return None


def unknown_step(estimator):
    return Refused(f"the step {class_name(estimator)} cannot be kept with the model: leave it to a view over the table, "
                   "replace it by a step that can, or by a FunctionTransformer of a NumPy function; "
                   "docs/clients.md lists them")


def reading(read, estimator, table, document):
    """What a handler makes of an estimator; one that was not fitted lacks what the handler reads."""
    try:
        return read(estimator, table, document)
    except AttributeError as error:
        raise Refused(f"{class_name(estimator)} was not fitted, or is of a version that is not known: "
                      f"{error}") from error


def transform(estimator, table, document):
    """The Table after a fitted transformer."""
    if estimator is None or (isinstance(estimator, str) and estimator == "passthrough"):
        return table
    read = handler(TRANSFORMERS, estimator)
    if read is None:
        raise unknown_step(estimator)
    made = reading(read, estimator, table, document)
    if made.sample is not None and made.sample.shape[1] != len(made.columns):
        raise Refused(f"the step {class_name(estimator)} makes {made.sample.shape[1]} columns where "
                      f"{len(made.columns)} were expected: this version of scikit-learn is not known")
    return made


@transformer(("sklearn", "Pipeline"), ("imblearn", "Pipeline"))
def pipeline_steps(estimator, table, document):
    for _, step in estimator.steps:
        if not hasattr(step, "fit_resample"):       # samplers of imbalanced-learn work in training only
            table = transform(step, table, document)
    return table


def positions(columns, table):
    """The positions that a ColumnTransformer's column specification means."""
    names = [c.label for c in table.columns]
    if hasattr(table.sample, "columns"):
        names = [str(c) for c in table.sample.columns]
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            start = names.index(columns.start) if columns.start is not None else None
            stop = names.index(columns.stop) + 1 if columns.stop is not None else None
            return list(range(len(names)))[slice(start, stop, columns.step)]
        return list(range(len(names)))[columns]
    chosen = list(columns)
    if chosen and all(isinstance(c, (bool, np.bool_)) for c in chosen):
        return [i for i, c in enumerate(chosen) if c]
    return [names.index(c) if isinstance(c, str) else int(c) % len(names) for c in chosen]


def weighted(columns, weight, document, single):
    """A transformer's outputs times its weight; NumPy casts the weight to float32 where they are float32."""
    if weight is None:
        return columns
    weight = float(np.float32(weight)) if single else float(weight)
    columns = document.numbers(columns, single, "transformer_weights")
    return document.step("scale", columns, [c.label for c in columns], single, multiply=[weight] * len(columns))


@transformer(("sklearn", "ColumnTransformer"))
def column_transformer(estimator, table, document):
    known = getattr(estimator, "_transformer_to_input_indices", {})
    made = []
    for name, step, columns in estimator.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        if isinstance(columns, (str, int)):
            raise Refused(f"transformer \"{name}\" of ColumnTransformer takes column {columns!r} as a vector: "
                          f"write [{columns!r}]")
        chosen = list(known[name]) if name in known else positions(columns, table)
        if not chosen:
            continue
        part = transform(step, table.take(chosen), document)
        weight = (estimator.transformer_weights or {}).get(name)
        columns = weighted(part.columns, weight, document, weight is not None and single_of(part.sample, name))
        verbose = estimator.verbose_feature_names_out
        if verbose is True:
            columns = [c.renamed(f"{name}__{c.label}") for c in columns]
        elif verbose is not False:
            raise Refused("ColumnTransformer with a function or a format as verbose_feature_names_out: "
                          "use True or False")
        made += columns
    sample = run(estimator, table.sample)
    sparse = bool(getattr(estimator, "sparse_output_", False))      # absent where no column is selected
    return Table(made, sample, sparse if sample is None else is_sparse(sample))


@transformer(("sklearn", "FeatureUnion"))
def feature_union(estimator, table, document):
    made, sparse = [], False
    for name, step in estimator.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue
        part = transform(step, table, document)
        sparse = sparse or part.sparse
        weight = (estimator.transformer_weights or {}).get(name)
        columns = weighted(part.columns, weight, document, weight is not None and single_of(part.sample, name))
        if getattr(estimator, "verbose_feature_names_out", True):
            columns = [c.renamed(f"{name}__{c.label}") for c in columns]
        made += columns
    sample = run(estimator, table.sample)
    return Table(made, sample, sparse if sample is None else is_sparse(sample))


@transformer(("sklearn", "FrozenEstimator"))
def frozen_transformer(estimator, table, document):
    return transform(estimator.estimator, table, document)


def scaled_as_python(estimator, sparse, fields, clip, where):
    """In float32 the operands are doubles, or float32 in newer versions: the fitted scaler tells which it uses."""
    width = len(next(iter(fields.values())))
    rows = np.random.default_rng(7).normal(0, 50, (64, width)).astype(np.float32)
    if sparse:
        from scipy.sparse import csr_matrix
        got = run(estimator, csr_matrix(rows)).toarray()
    else:
        got = np.asarray(run(estimator, rows))
    for cast in (np.float64, np.float32):
        x = rows.copy()
        for name, ufunc in (("subtract", np.subtract), ("divide", np.divide), ("multiply", np.multiply),
                            ("add", np.add)):
            if name in fields:
                operand = np.asarray(fields[name], dtype=cast).astype(np.float64)
                x = ufunc(x.astype(np.float64), operand).astype(np.float32)
        if clip:
            x = np.clip(x, np.float32(clip[0]), np.float32(clip[1]))
        if np.array_equal(x, got, equal_nan=True):
            return {k: numbers(np.asarray(v, dtype=cast)) for k, v in fields.items()}
    raise Refused(f"{where} computes in float32 in a way that is not known: cast its columns to float64 first")


def scale(estimator, table, document, fields, clip=None):
    fields = {k: numbers(v) for k, v in fields.items() if v is not None}
    out = run(estimator, table.sample)
    where = class_name(estimator)
    if any(not np.isfinite(v).all() for v in fields.values()):
        raise Refused(f"{where} has a mean or scale that is no number (a column without values in training): "
                      "drop that column")
    single = single_of(out, where)
    columns = document.numbers(table.columns, single, where)
    if not fields and not clip:
        return Table([c.renamed(c.label) for c in columns], out, table.sparse)
    if single and fields:
        fields = scaled_as_python(estimator, table.sparse, fields, clip, where)
    made = document.step("scale", columns, [c.label for c in table.columns], single,
                         clip=list(map(float, clip)) if clip else None, **fields)
    return Table(made, out, table.sparse)


@transformer(("sklearn", "StandardScaler"))
def standard_scaler(estimator, table, document):
    if table.sparse:
        return scale(estimator, table, document,
                     {"multiply": 1 / estimator.scale_ if estimator.scale_ is not None else None})
    return scale(estimator, table, document, {"subtract": estimator.mean_ if estimator.with_mean else None,
                                              "divide": estimator.scale_ if estimator.with_std else None})


@transformer(("sklearn", "RobustScaler"))
def robust_scaler(estimator, table, document):
    if table.sparse:
        return scale(estimator, table, document, {"multiply": 1.0 / estimator.scale_ if estimator.with_scaling else None})
    return scale(estimator, table, document, {"subtract": estimator.center_ if estimator.with_centering else None,
                                              "divide": estimator.scale_ if estimator.with_scaling else None})


@transformer(("sklearn", "MaxAbsScaler"))
def max_abs_scaler(estimator, table, document):
    clip = (-1, 1) if getattr(estimator, "clip", False) else None
    if table.sparse:
        return scale(estimator, table, document, {"multiply": 1.0 / estimator.scale_}, clip)
    return scale(estimator, table, document, {"divide": estimator.scale_}, clip)


@transformer(("sklearn", "MinMaxScaler"))
def min_max_scaler(estimator, table, document):
    return scale(estimator, table, document, {"multiply": estimator.scale_, "add": estimator.min_},
                 estimator.feature_range if estimator.clip else None)


def two_nulls(column, where):
    return Refused(f"{where} treats None and NaN in column \"{column.label}\" differently, and SQL has one NULL: "
                   "make them one before training, as X.fillna(numpy.nan) does")


def imputed_kinds(value):
    """The missing values that an imputer's missing_values stands for."""
    if value is None:
        return {"none"}
    return {"nan", "none"} if type(value).__name__ == "NAType" else {"nan"}


def imputes(column, kinds, where, numeric):
    """Whether NULL in this column is imputed; numeric: None has become NaN on the way."""
    if numeric or not column.nulls:
        return True
    if column.nulls <= kinds:
        return True
    if column.nulls & kinds:
        raise two_nulls(column, where)
    return False


@transformer(("sklearn", "SimpleImputer"))
def simple_imputer(estimator, table, document):
    where = class_name(estimator)
    statistics = list(estimator.statistics_)
    value = estimator.missing_values
    given = None if is_missing(value) else json_label(value, where)
    kinds = imputed_kinds(value) if given is None else set()
    out = run(estimator, table.sample)
    single = single_of(out, where)
    numeric = str(getattr(estimator, "_fit_dtype", "float64")) != "object"
    keep = list(range(len(statistics)))
    if estimator.strategy != "constant" and not getattr(estimator, "keep_empty_features", False):
        keep = [i for i in keep if not is_missing(statistics[i])]
    indicator = list(estimator.indicator_.features_) if estimator.add_indicator else []
    if out is not None and out.shape[1] != len(keep) + len(indicator):
        keep = [i for i in keep if not is_missing(statistics[i])]
    made = []
    for i in keep:
        column = table.columns[i]
        if table.sparse and statistics[i] == 0:
            raise Refused(f"{where} puts 0 into column \"{column.label}\" of a sparse matrix, where a stored 0 and an "
                          "absent one mean different things to the model: make the step before it dense")
        if given is None and not imputes(column, kinds, where, numeric):
            made.append(column)
            continue
        if given is not None and not numeric and column.nulls and "none" in column.nulls:
            raise two_nulls(column, where)
        label = json_label(statistics[i], where)
        text = isinstance(label, str)
        source = column.source
        if text or isinstance(given, str):
            if source is not None:
                if source.type == "number" and source.dtype is not None and text:
                    raise Refused(f"{where} puts the text {label!r} into column \"{column.label}\", "
                                  "which holds numbers")
                source.type = "category"
            before = column
        elif source is not None and source.type == "category" or column.text:
            before, text = column, True             # a number among labels
        else:
            before = document.numbers([column], single, where)[0]
        filled = document.step("impute", [before], [column.label], single and not text, values=[label],
                               missing_value=given)[0]
        filled.text, filled.filled = text, True
        made.append(filled)
    for i in indicator:
        column = table.columns[i]
        if given is None and not imputes(column, kinds, where, numeric):
            raise two_nulls(column, where)
        made += document.step("is_missing", [document.exact(column) if given is not None else column],
                              [f"missingindicator_{column.label}"], missing_value=given)
    return Table(made, out, table.sparse)


@transformer(("sklearn", "MissingIndicator"))
def missing_indicator(estimator, table, document):
    where = class_name(estimator)
    value = estimator.missing_values
    given = None if is_missing(value) else json_label(value, where)
    made = []
    for i in estimator.features_:
        column = table.columns[i]
        if given is None and not imputes(column, imputed_kinds(value), where, not column.text and (
                column.source is None or column.source.type != "category")):
            raise two_nulls(column, where)
        made += document.step("is_missing", [document.exact(column) if given is not None else column],
                              [f"missingindicator_{column.label}"], missing_value=given)
    out = run(estimator, table.sample)
    return Table(made, out, is_sparse(out) if out is not None else estimator.sparse is True)


UNSEEN = "\ufffc an unseen label \ufffc"


class Probe:
    """What a fitted encoder makes of each label, of an unseen one and of missing ones: it is asked.

    Rows of its answers are kept sparse: known[r] has label r of every column, as far as a column has so many.
    """

    def __init__(self, estimator):
        self.estimator, self.labels = estimator, [list(c) for c in estimator.categories_]
        width, height = len(self.labels), max(map(len, self.labels))
        rows = np.empty((height, width), dtype=object)
        for i, labels in enumerate(self.labels):
            for r in range(height):
                rows[r, i] = labels[min(r, len(labels) - 1)]
        self.known, self.unseen, self.nulls = self.ask(rows), None, {}
        if getattr(estimator, "handle_unknown", "ignore") == "error":
            return
        self.unseen = self.ask(np.array([[self.fresh(labels) for labels in self.labels]], dtype=object))
        for kind, value in (("nan", np.nan), ("none", None)):
            try:
                self.nulls[kind] = self.ask(np.array([[value] * width], dtype=object))
            except (TypeError, ValueError):
                pass

    @staticmethod
    def fresh(labels):
        """A label that is none of these, of their type."""
        plain = [label for label in labels if not is_missing(label)]
        if any(isinstance(label, str) for label in plain):
            return UNSEEN
        return float(max(map(abs, map(float, plain)), default=0)) * 2 + 1.5

    def ask(self, rows):
        """The encoder's answers to rows, as a sparse matrix; in blocks, since a dense one may be large."""
        from scipy import sparse
        if hasattr(self.estimator, "feature_names_in_"):
            import pandas as pd
            rows = pd.DataFrame(rows, columns=self.estimator.feature_names_in_, dtype=object)
        parts, begin, height = [], 0, 1
        while begin < len(rows):
            part = run(self.estimator, rows[begin:begin + height])
            parts.append(part.tocsr() if is_sparse(part) else sparse.csr_matrix(np.asarray(part, dtype=np.float64)))
            begin += height
            height = len(rows) if is_sparse(part) else max(1, 4000000 // max(1, parts[0].shape[1]))
        return sparse.vstack(parts, format="csr")

    @staticmethod
    def outputs(answers, r, begin, end):
        """The outputs of row r that are not 0, as (position behind begin, value)."""
        at = slice(answers.indptr[r], answers.indptr[r + 1])
        return [(int(c) - begin, float(v)) for c, v in zip(answers.indices[at], answers.data[at])
                if begin <= c < end and v != 0]

    def column(self, i, column, begin, end, read):
        """Labels, unknown and missing of column i, each with what read() makes of its outputs from begin to end.

        Gives ([(label, answer)], unknown, missing), where "error" stands for an encoder that raises.
        """
        where = class_name(self.estimator)
        found, nulls = [], {}
        for r, label in enumerate(self.labels[i]):
            answer = read(self.outputs(self.known, r, begin, end))
            if is_missing(label):
                nulls["none" if label is None else "nan"] = answer
            else:
                found.append((json_label(label, where), answer))
        if column.filled and nulls:
            raise two_nulls(column, where)
        for kind, answers in self.nulls.items():
            nulls.setdefault(kind, read(self.outputs(answers, 0, begin, end)))
        kinds = column.nulls or {"none" if label is None else "nan" for label in self.labels[i] if is_missing(label)}
        missing = {nulls.get(kind, "error") for kind in kinds or ("nan", "none")}
        if len(missing) > 1:
            raise two_nulls(column, where)
        unknown = "error" if self.unseen is None else read(self.outputs(self.unseen, 0, begin, end))
        label_input(column, [label for label, _ in found], where)
        return found, unknown, missing.pop()


def label_input(column, labels, where):
    """Settles whether an input under an encoder holds text or numbers."""
    text = [isinstance(label, str) for label in labels]
    if column.source is not None:
        if any(text):
            if column.source.type == "number" and not all(text):
                raise Refused(f"{where} finds text and numbers in column \"{column.label}\": make it all text")
            column.source.type = "category"
        elif column.source.type is None and text:
            column.source.type = "number"
        elif column.source.type == "time":
            raise Refused(f"{where} encodes times of column \"{column.label}\": use model_predict.date_parts first")


@transformer(("sklearn", "OneHotEncoder"))
def one_hot_encoder(estimator, table, document):
    where = class_name(estimator)
    widths = getattr(estimator, "_n_features_outs", None)
    out = run(estimator, table.sample)
    probe = Probe(estimator)
    if widths is None or sum(widths) != probe.known.shape[1]:
        raise Refused(f"{where} of this version of scikit-learn is not known")
    try:
        names = list(estimator.get_feature_names_out([c.label for c in table.columns]))
    except (ValueError, AttributeError):
        names = list(estimator.get_feature_names_out())

    def read(outputs):
        if not outputs:
            return "zero"
        if len(outputs) > 1 or outputs[0][1] != 1:
            raise Refused(f"{where} makes more than one 1 of a label")
        return outputs[0][0]
    made, begin = [], 0
    for i, column in enumerate(table.columns):
        end = begin + widths[i]
        labels, unknown, missing = probe.column(i, column, begin, end, read)
        if missing not in (unknown, "error"):
            labels.append((None, missing))
        lists, zero = [[] for _ in range(widths[i])], []
        for label, at in labels:
            (zero if at == "zero" else lists[at]).append(label)
        if widths[i]:
            made += document.step("one_hot", [column], names[begin:end], column.single, labels=lists,
                                  zero=zero or None, unknown=unknown)
        begin = end
    return Table(made, out, is_sparse(out) if out is not None else bool(
        getattr(estimator, "sparse_output", getattr(estimator, "sparse", True))))


def mapped(estimator, table, document, width):
    """OrdinalEncoder, TargetEncoder: width outputs per column."""
    out = run(estimator, table.sample)
    single_of(out, class_name(estimator))
    probe, made = Probe(estimator), []

    def read(outputs):
        value = outputs[0][1] if outputs else 0.0
        return "missing" if value != value else value
    for i, column in enumerate(table.columns):
        for w in range(width):
            begin = i * width + w
            labels, unknown, missing = probe.column(i, column, begin, begin + 1, read)
            made += document.step(
                "map", [column], [column.label if width == 1 else f"{column.label}_{w}"], column.single,
                labels=[label for label, _ in labels], values=[None if v == "missing" else v for _, v in labels],
                unknown=unknown, missing=missing)
    return Table(made, out)


@transformer(("sklearn", "OrdinalEncoder"))
def ordinal_encoder(estimator, table, document):
    return mapped(estimator, table, document, 1)


@transformer(("sklearn", "TargetEncoder"))
def target_encoder(estimator, table, document):
    return mapped(estimator, table, document, len(estimator.encodings_) // len(estimator.categories_))


@transformer(("sklearn", "KBinsDiscretizer"))
def k_bins(estimator, table, document):
    where = class_name(estimator)
    out = run(estimator, table.sample)
    single = single_of(out, where)
    columns = document.numbers(table.columns, single, where)
    edges = [numbers(e[1:-1]) for e in estimator.bin_edges_]
    binned = document.step("bin", columns, [c.label for c in columns], single, edges=edges)
    if estimator.encode == "ordinal":
        return Table(binned, out)
    made = []
    for column, bins in zip(binned, estimator.n_bins_):
        made += document.step("one_hot", [column], [f"{column.label}_{float(b)}" for b in range(bins)],
                              labels=[[b] for b in range(bins)])
    return Table(made, out, estimator.encode == "onehot")


@transformer(("sklearn", "Binarizer"))
def binarizer(estimator, table, document):
    where = class_name(estimator)
    out = run(estimator, table.sample)
    columns = document.numbers(table.columns, single_of(out, where), where)
    made = document.step("threshold", columns, [c.label for c in columns], single_of(out, where),
                         threshold=float(estimator.threshold))
    return Table(made, out, table.sparse)


@transformer(("sklearn", "PolynomialFeatures"))
def polynomial_features(estimator, table, document):
    where = class_name(estimator)
    out = run(estimator, table.sample)
    single = single_of(out, where)
    columns = document.numbers(table.columns, single, where)
    factors = []
    for powers in estimator.powers_:
        order = [i for i, power in enumerate(powers) for _ in range(power)]
        factors.append(order if table.sparse else order[::-1])
    labels = [c.label for c in columns]
    try:
        names = list(estimator.get_feature_names_out(labels))
    except ValueError:
        names = list(estimator.get_feature_names_out())
    made = document.step("product", columns, names, single, factors=factors)
    return Table(made, out, table.sparse)


def selected(estimator, table, document):
    chosen = [int(i) for i in np.flatnonzero(estimator.get_support())]
    return Table([table.columns[i] for i in chosen], run(estimator, table.sample), table.sparse)


for _name in ("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect",
              "VarianceThreshold", "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector"):
    TRANSFORMERS["sklearn", _name] = selected


def exactly(name):
    return lambda document, columns, out, single: document.step("function", columns, out, single, function=name)


# NumPy's functions; those in EXACT give the correctly rounded float32 too
FUNCTIONS = {np.absolute: "abs", np.fabs: "abs", np.sign: "sign", np.sqrt: "sqrt", np.cbrt: "cbrt", np.square: "square",
             np.log: "log", np.log2: "log2", np.log10: "log10", np.log1p: "log1p", np.exp: "exp", np.expm1: "expm1",
             np.reciprocal: "reciprocal", np.floor: "floor", np.ceil: "ceil", np.rint: "round", np.round: "round",
             np.around: "round"}
EXACT = ("abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "round")


def function_name(function):
    return getattr(function, "__qualname__", getattr(function, "__name__", type(function).__name__))


def known_function(function):
    """Its name in the document, or None; a partial or an unhashable object has none."""
    try:
        return FUNCTIONS.get(function)
    except TypeError:
        return None


@transformer(("sklearn", "FunctionTransformer"))
def function_transformer(estimator, table, document):
    function, arguments = estimator.func, dict(estimator.kw_args or {})
    out = run(estimator, table.sample)
    if function is None:
        if out is not None and estimator.validate and not hasattr(out, "iloc"):
            return Table(document.numbers(table.columns, single_of(out, "FunctionTransformer"), "FunctionTransformer"),
                         out, table.sparse)
        return Table(list(table.columns), out, table.sparse)
    where = f"FunctionTransformer({function_name(function)})"
    if getattr(function, "__name__", "") == "date_parts" and \
            os.path.basename(getattr(getattr(function, "__code__", None), "co_filename", "")) == "model_predict.py":
        return dates(table, document, arguments.get("parts", ("year", "month", "day", "dayofweek")), out)
    name = known_function(function)
    if name == "round" and arguments.get("decimals", 0) == 0:
        arguments.pop("decimals", None)
    clip = None
    if function is np.clip:
        low = arguments.pop("a_min", arguments.pop("min", None))
        high = arguments.pop("a_max", arguments.pop("max", None))
        if low is not None and high is not None:
            clip = [float(low), float(high)]
    if arguments or (name is None and clip is None and function is not np.negative and function is not np.isnan):
        raise Refused(f"{where} is no function that the database has: those are NumPy's "
                      f"{', '.join(sorted(set(FUNCTIONS.values())))}, clip with two bounds, negative, isnan, and "
                      "model_predict.date_parts; leave others to a view over the table")
    if table.sparse and name in ("floor", "ceil", "round"):
        raise Refused(f"{where} on a sparse matrix stores zeros, which the model does not take for missing: "
                      "make the step before it dense")
    if table.sparse and (name in ("exp", "log", "log2", "log10", "reciprocal") or clip):
        raise Refused(f"{where} on a sparse matrix is not known: make the step before it dense")
    if out is not None and (not hasattr(out, "shape") or len(out.shape) != 2):
        raise Refused(f"{where} gives no table")
    made = []
    for column, single, dtype in zip(table.columns, per_column_single(out, len(table.columns), where), table.dtypes()):
        dtype = str(dtype).lower()
        if single and name is not None and name not in EXACT:
            raise Refused(f"{where} works in float32 on column \"{column.label}\": "
                          "cast it to float64 before the pipeline")
        if name == "reciprocal" and "int" in dtype or name == "square" and dtype in (
                "int8", "int16", "int32", "uint8", "uint16", "uint32"):
            raise Refused(f"{where} computes with integers on column \"{column.label}\": cast it to float64 before")
        if function is np.isnan:
            made += document.step("is_missing", [column], [column.label])
            continue
        ready = document.numbers([column], single, where)
        if name is not None:
            made += document.step("function", ready, [column.label], single, function=name)
        elif clip:
            made += document.step("scale", ready, [column.label], single, clip=clip)
        else:
            made += document.step("scale", ready, [column.label], single, multiply=[-1.0])
    return Table(made, out, table.sparse)


def dates(table, document, parts, out):
    made = []
    for column in table.columns:
        if column.source is None:
            raise Refused("date_parts works on columns of the table, not on what other steps have made")
        zoned = str(column.source.dtype).startswith("datetime64[ns,")
        if zoned or column.source.type not in (None, "time", "category"):
            raise Refused(f"date_parts on column \"{column.label}\" of type {column.source.dtype}: make it a date or a "
                          "time without time zone")
        column.source.type = "time"
        for part in parts:
            made += document.step("date_part", [column], [f"{column.label}_{part}"], part=part)
    return Table(made, out)


@transformer(("sklearn", "PowerTransformer"))
def power_transformer(estimator, table, document):
    where = class_name(estimator)
    out = run(estimator, table.sample)
    if single_of(out, where):
        raise Refused(f"{where} works in float32: cast its columns to float64 before the pipeline")
    columns = document.numbers(table.columns, False, where)
    lambdas = numbers(estimator.lambdas_)
    if not np.isfinite(lambdas).all():
        raise Refused(f"{where} has a lambda that is no number: drop that column")
    made = document.step("power", columns, [c.label for c in columns], method=estimator.method, lambdas=lambdas)
    if estimator.standardize:
        scaler = estimator._scaler
        made = document.step("scale", made, [c.label for c in columns], subtract=numbers(scaler.mean_),
                             divide=numbers(scaler.scale_))
    return Table(made, out)


@transformer(("sklearn", "PCA"), ("sklearn", "TruncatedSVD"))
def linear(estimator, table, document):
    where = class_name(estimator)
    out = run(estimator, table.sample)
    if single_of(out, where):
        raise Refused(f"{where} works in float32: cast its columns to float64 before the pipeline")
    columns = document.numbers(table.columns, False, where)
    mean = getattr(estimator, "mean_", None)
    if mean is not None and np.any(mean):
        columns = document.step("scale", columns, [c.label for c in columns], subtract=numbers(mean))
    labels = [f"{where.lower()}{i}" for i in range(len(estimator.components_))]
    made = document.step("linear", columns, labels, matrix=[numbers(row) for row in estimator.components_])
    if getattr(estimator, "whiten", False):
        divide = np.sqrt(estimator.explained_variance_)
        divide = np.maximum(divide, np.finfo(divide.dtype).eps)
        made = document.step("scale", made, labels, divide=numbers(divide))
    return Table(made, out)


# ---- predictors: what is around the trees, and the trees

class Model:
    """What a walk through the wrappers has found.

    blob: the model's bytes; features: how many; names, types: of its features, or None; classes: Python's classes_,
    or None; options: arguments of register() that the fitted objects determine; answers: 'proba' where predict_proba
    of the whole estimator is what the database answers, 'value' where predict is, 'raw' where only the trees' own
    prediction is; raw: from a matrix of features to that; single: it answers in float32; wide: it takes float64
    features; labelled: predict of the whole gives the label that predict_class gives; table: of its features;
    held: the categories it holds itself.
    """

    def __init__(self, blob, features, names=None, types=None, classes=None, answers="value", raw=None, single=True,
                 wide=False, labelled=False, held=None, **options):
        self.blob, self.features, self.types, self.classes = blob, features, types, classes
        self.names = None if names is None else [str(n) for n in names]
        self.answers, self.raw, self.single, self.wide = answers, raw, single, wide
        self.labelled, self.held, self.options = labelled, held, options
        self.table, self.both = None, False


PREDICTORS = {}


def predictor(*keys):
    def keep(function):
        for key in keys:
            PREDICTORS[key] = function
        return function
    return keep


def walk(estimator, table, document):
    """The Model inside a fitted predictor; document gets the steps before and after it."""
    if hasattr(estimator, "best_estimator_") and class_name(estimator).endswith("SearchCV"):
        return walk(estimator.best_estimator_, table, document)
    read = handler(PREDICTORS, estimator)
    if read is None:
        if not hasattr(estimator, "predict") and not hasattr(estimator, "inplace_predict"):
            raise Refused(f"{class_name(estimator)} is no predictor: push the whole fitted pipeline")
        raise Refused(f"{class_name(estimator)} is no model that the database can score: it takes XGBoost's, LightGBM's "
                      "and scikit-learn's trees, alone, in pipelines and in the wrappers that docs/clients.md lists")
    model = reading(read, estimator, table, document)
    if model.table is None:
        model.table = table
    return model


@predictor(("sklearn", "Pipeline"), ("imblearn", "Pipeline"))
def pipeline(estimator, table, document):
    for _, step in estimator.steps[:-1]:
        if not hasattr(step, "fit_resample"):
            table = transform(step, table, document)
    return walk(estimator.steps[-1][1], table, document)


@predictor(("sklearn", "FrozenEstimator"))
def frozen(estimator, table, document):
    return walk(estimator.estimator, table, document)


@predictor(("sklearn", "TransformedTargetRegressor"))
def transformed_target(estimator, table, document):
    model = walk(estimator.regressor_, table, document)
    inverse = estimator.transformer_
    where = f"TransformedTargetRegressor with {class_name(inverse)}"
    single = {"precision": "single"} if model.single else {}
    if model.answers == "raw" or model.classes is not None:
        raise Refused(f"{where} around {class_name(estimator.regressor_)} is not known")
    name, read = class_name(inverse), handler(TRANSFORMERS, inverse)
    if read is None:
        raise Refused(f"{where}: only NumPy's exp, expm1 and square and the scalers can follow a prediction")
    if name == "FunctionTransformer":
        if inverse.inverse_func is None:
            model.answers = "value"
            return model
        function = known_function(inverse.inverse_func)
        if function not in ("exp", "expm1", "square") or inverse.inv_kw_args:
            raise Refused(f"TransformedTargetRegressor with inverse_func {function_name(inverse.inverse_func)}: only "
                          "NumPy's exp, expm1 and square can follow a prediction")
        document.output.append({"op": function, **single})
    else:
        fields = {"StandardScaler": lambda: {"multiply": inverse.scale_ if inverse.with_std else None,
                                             "add": inverse.mean_ if inverse.with_mean else None},
                  "RobustScaler": lambda: {"multiply": inverse.scale_ if inverse.with_scaling else None,
                                           "add": inverse.center_ if inverse.with_centering else None},
                  "MaxAbsScaler": lambda: {"multiply": inverse.scale_},
                  "MinMaxScaler": lambda: {"subtract": inverse.min_, "divide": inverse.scale_}}.get(name)
        if fields is None:
            raise Refused(f"{where}: only NumPy's exp, expm1 and square and the scalers can follow a prediction")
        fields = {k: numbers(v) for k, v in fields().items() if v is not None}
        if fields:
            if model.single:
                fields = inverted_as_python(inverse, fields, where)
            document.output.append({"op": "scale", **single, **fields})
    model.answers = "value"
    return model


def inverted_as_python(estimator, fields, where):
    """scaled_as_python for inverse_transform."""
    class Inverse:
        def transform(self, rows):
            return estimator.inverse_transform(rows)
    return scaled_as_python(Inverse(), False, fields, None, where)


@predictor(("sklearn", "CalibratedClassifierCV"))
def calibrated(estimator, table, document):
    several = len(estimator.calibrated_classifiers_)
    if several != 1:
        raise Refused(f"CalibratedClassifierCV holds an ensemble of {several} models: fit it with ensemble=False, or on "
                      "a fitted model with cv=\"prefit\" (in newer versions around a FrozenEstimator)")
    one = estimator.calibrated_classifiers_[0]
    inner = getattr(one, "estimator", None)
    if inner is None or isinstance(inner, str):
        inner = one.base_estimator
    model = walk(inner, table, document)
    if model.answers != "proba" or document.output:
        raise Refused(f"CalibratedClassifierCV around {class_name(inner)} is not known")
    if hasattr(inner, "decision_function"):             # then it is what calibrators were fitted on
        if not hasattr(model, "decision"):
            raise Refused(f"CalibratedClassifierCV around {class_name(inner)} calibrates its decision_function, "
                          "which the database does not")
        model.blob = model.decision()
        model.options.pop("threshold", None)
    elif model.both:
        model.blob, model.both = model.second(), False
    if len(model.classes) != len(estimator.classes_) or any(a != b for a, b in zip(model.classes, estimator.classes_)):
        raise Refused("CalibratedClassifierCV has other classes than the model inside it")
    given = np.linspace(0.05, 0.95, 7).astype(np.float32 if model.single else np.float64)
    calibrators = one.calibrators
    singles = {np.asarray(c.predict(given)).dtype == np.float32 for c in calibrators}
    precision = {"precision": "single"} if singles == {True} else {}
    if len(singles) > 1:
        raise Refused("CalibratedClassifierCV with calibrators of different precision is not known")
    names = {class_name(c) for c in calibrators}
    if names == {"_SigmoidCalibration"}:
        document.output.append({"op": "sigmoid", **precision, "a": [float(c.a_) for c in calibrators],
                                "b": [float(c.b_) for c in calibrators]})
    elif names == {"IsotonicRegression"}:
        document.output.append({"op": "isotonic", **precision, "x": [numbers(c.X_thresholds_) for c in calibrators],
                                "y": [numbers(c.y_thresholds_) for c in calibrators]})
    else:
        raise Refused(f"CalibratedClassifierCV with {', '.join(sorted(names))}: only sigmoid and isotonic are known")
    model.single, model.labelled = False, True
    model.classes = estimator.classes_
    return model


@predictor(("sklearn", "FixedThresholdClassifier"), ("sklearn", "TunedThresholdClassifierCV"))
def with_threshold(estimator, table, document):
    where = class_name(estimator)
    model = walk(estimator.estimator_, table, document)
    if model.answers != "proba" or len(model.classes) != 2:
        raise Refused(f"{where} around {class_name(estimator.estimator_)}: only models of two classes have a threshold")
    if estimator.response_method == "decision_function":
        raise Refused(f"{where} with response_method=\"decision_function\": use \"predict_proba\"")
    threshold = getattr(estimator, "best_threshold_", None)
    if threshold is None:
        threshold = estimator.threshold if estimator.threshold != "auto" else 0.5
    label = getattr(estimator, "pos_label", None)
    if hasattr(estimator, "_curve_scorer"):
        label = estimator._curve_scorer._get_pos_label()
    second = label is None or model.classes[1] == label
    model.options["threshold"] = strict_threshold(threshold, second, np.float32 if model.single else np.float64)
    model.labelled = True
    return model


def strict_threshold(threshold, second, dtype):
    """The t for which p > t, of the second class, decides as NumPy does: p >= threshold, or 1 - p < threshold.

    p has the given dtype. Found by bisection over the bits of p in [0, 1], where the decision changes once.
    """
    bits = np.int32 if dtype == np.float32 else np.int64

    def chosen(at):
        p = np.array([at], dtype=bits).view(dtype)
        return bool((p >= threshold)[0]) if second else not bool((1 - p >= threshold)[0])
    low, high = -1, int(np.array([1.0], dtype=dtype).view(bits)[0])
    if not chosen(high):
        return 1.0
    while high - low > 1:
        middle = (low + high) // 2
        if chosen(middle):
            high = middle
        else:
            low = middle
    if low < 0:
        raise Refused("a threshold that every row passes cannot be kept")
    return float(np.array([low], dtype=bits).view(dtype)[0])


# ---- XGBoost

def booster_blob(booster):
    try:
        return bytes(booster.save_raw(raw_format="ubj"))
    except TypeError:                               # before 1.6
        return bytes(booster.save_raw())


def held_categories(booster):
    """Of XGBoost 3.1 and newer: whether the model holds the labels of its categories."""
    if not hasattr(booster, "get_categories"):
        return False
    categories = booster.get_categories()
    return categories is not None and not categories.empty()


def xgboost_model(booster, **more):
    config = json.loads(booster.save_config())["learner"]
    objective = config["objective"]["name"]
    param = config["learner_model_param"]
    outputs = max(int(param.get("num_class", 0)), 1) * max(int(param.get("num_target", 1)), 1)
    model = Model(booster_blob(booster), booster.num_features(), booster.feature_names, booster.feature_types,
                  held=held_categories(booster), **more)
    model.objective, model.outputs, model.targets = objective, outputs, int(param.get("num_target", 1) or 1)
    return model


@predictor(("xgboost", "Booster"))
def xgboost_booster(estimator, table, document):
    import xgboost

    def raw(features):
        types = estimator.feature_types or []
        if hasattr(features, "columns") and estimator.feature_names:
            features = features[estimator.feature_names]
        return estimator.predict(xgboost.DMatrix(features, enable_categorical="c" in types,
                                                 feature_names=None if hasattr(features, "columns") else
                                                 estimator.feature_names))
    return xgboost_model(estimator, answers="raw", raw=raw, trees="all")


@predictor(*[("xgboost", name) for name in ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier",
                                            "XGBRFRegressor")])
def xgboost_sklearn(estimator, table, document):
    import xgboost
    booster = estimator.get_booster()
    linear_booster = estimator.booster == "gblinear"
    model = xgboost_model(booster, raw=lambda features: xgboost.XGBModel.predict(estimator, features))
    try:
        best = int(estimator.best_iteration)
    except AttributeError:
        best = None
    rounds = booster.num_boosted_rounds()
    model.options["trees"] = "best" if best is not None and best + 1 < rounds and not linear_booster else "all"
    if estimator.missing is not None and not is_missing(estimator.missing):
        model.options["missing"] = float(estimator.missing)
    if not linear_booster:
        model.options["infinity"] = "score"
    if hasattr(estimator, "predict_proba") and model.targets == 1:
        classes = getattr(estimator, "classes_", None)
        if classes is None and getattr(estimator, "n_classes_", 0):
            classes = np.arange(estimator.n_classes_)
        if model.objective in ("binary:logistic", "reg:logistic", "multi:softprob"):
            model.classes, model.answers, model.labelled = classes, "proba", True
        elif model.objective in ("multi:softmax", "binary:hinge", "binary:logitraw"):
            model.classes, model.answers = classes, "raw"
            model.labelled = model.objective != "binary:logitraw"
        else:
            model.answers = "raw"
    elif hasattr(estimator, "predict_proba"):
        model.answers = "raw"
    return model


# ---- LightGBM

def lightgbm_model(booster, **more):
    return Model(booster.model_to_string().encode(), booster.num_feature(), list(booster.feature_name()),
                 single=False, wide=True, held=False, infinity="score", **more)


@predictor(("lightgbm", "Booster"))
def lightgbm_booster(estimator, table, document):
    model = lightgbm_model(estimator, answers="raw", raw=estimator.predict)
    model.pandas_categorical = getattr(estimator, "pandas_categorical", None) or []
    return model


@predictor(*[("lightgbm", name) for name in ("LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker")])
def lightgbm_sklearn(estimator, table, document):
    booster = estimator.booster_
    model = lightgbm_model(booster, raw=booster.predict)
    model.pandas_categorical = getattr(booster, "pandas_categorical", None) or []
    objective = getattr(estimator, "objective_", None) or getattr(estimator, "objective", None)
    if hasattr(estimator, "predict_proba"):
        if not isinstance(objective, str):
            model.answers = "raw"
        else:
            model.classes, model.answers, model.labelled = estimator.classes_, "proba", True
    return model


# ---- scikit-learn's trees: a document of our own in place of a model file

def release(module):
    """The version of a library as two numbers."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in module.__version__.split(".")[:2])


def forest_document(estimator, trees, single, initial, link, task, **more):
    """A forest as bytes: trees as forest_tree() and histogram_tree() make them, in the order in which they are added."""
    import sklearn
    document = {"library": "scikit-learn", "format": 1, "version": sklearn.__version__,
                "estimator": class_name(estimator), "n_features": int(estimator.n_features_in_)}
    if getattr(estimator, "feature_names_in_", None) is not None and getattr(estimator, "_preprocessor", None) is None:
        document["feature_names"] = [str(n) for n in estimator.feature_names_in_]
    document.update(features="float32" if single else "float64", n_outputs=len(initial), initial=initial, link=link,
                    task=task, missing="default" if "missing_left" in trees[0] else "error", **more)
    document.setdefault("vector_leaves", False)
    document.setdefault("divisor", 1)
    document["trees"] = trees
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def forest_tree(tree, values, output, missing):
    """A tree of sklearn.tree: values, shape (nodes,) or (nodes, outputs), are what leaves add."""
    leaf = tree.children_left < 0
    cover = tree.weighted_n_node_samples
    left, right = np.where(leaf, 0, tree.children_left), np.where(leaf, 0, tree.children_right)
    gain = cover * tree.impurity - cover[left] * tree.impurity[left] - cover[right] * tree.impurity[right]
    made = {"output": output, "left": np.where(leaf, -1, tree.children_left).tolist(),
            "right": np.where(leaf, -1, tree.children_right).tolist(),
            "feature": np.where(leaf, 0, tree.feature).tolist(), "threshold": np.where(leaf, 0, tree.threshold).tolist(),
            "value": np.where(leaf if values.ndim == 1 else leaf[:, None], values, 0).ravel().tolist(),
            "cover": cover.tolist(), "gain": np.where(leaf, 0, np.maximum(gain, 0)).tolist()}
    if missing:
        made["missing_left"] = [int(m) for m in np.where(leaf, 0, tree.missing_go_to_left)]
    return made


def one_output(estimator):
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise Refused(f"{class_name(estimator)} with several targets: fit one model for each")


def allows_missing(estimator, tree):
    """Whether predict takes NaN, as it does since 1.3."""
    if not hasattr(tree, "missing_go_to_left"):
        return False
    if hasattr(estimator, "__sklearn_tags__"):
        return bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    return bool(estimator._get_tags().get("allow_nan", False))


@predictor(*[("sklearn", kind + what) for kind in ("DecisionTree", "RandomForest", "ExtraTree", "ExtraTrees")
             for what in ("Classifier", "Regressor")])
def forest(estimator, table, document):
    import sklearn
    one_output(estimator)
    members = getattr(estimator, "estimators_", [estimator])
    classifier = hasattr(estimator, "classes_")
    missing = allows_missing(estimator, members[0].tree_)

    def values(member):
        """What nodes add, shape (nodes, outputs): of classes their shares."""
        made = member.tree_.value[:, 0, :]
        if classifier and release(sklearn) < (1, 3):    # counts, shares in newer versions
            total = made.sum(axis=1)[:, None]
            made = made / np.where(total == 0, 1, total)
        return made

    def blob(task):
        one = {"value": 0, "two_classes": 1}.get(task)      # the only output, or None for one of each class
        trees = [forest_tree(member.tree_, values(member) if one is None else values(member)[:, one], 0, missing)
                 for member in members]
        return forest_document(estimator, trees, True, [0.0] * (len(estimator.classes_) if one is None else 1),
                               "identity", task, vector_leaves=one is None, divisor=len(members))
    model = Model(blob("classes" if classifier else "value"), estimator.n_features_in_,
                  getattr(estimator, "feature_names_in_", None), classes=estimator.classes_ if classifier else None,
                  answers="proba" if classifier else "value", single=False, labelled=classifier, held=True)
    model.both = classifier and len(estimator.classes_) == 2
    model.second = lambda: blob("two_classes")
    return model


@predictor(("sklearn", "GradientBoostingClassifier"), ("sklearn", "GradientBoostingRegressor"))
def gradient_boosting(estimator, table, document):
    import sklearn
    classifier = hasattr(estimator, "classes_")
    if not isinstance(estimator.init_, str) and class_name(estimator.init_) not in ("DummyClassifier", "DummyRegressor"):
        raise Refused(f"{class_name(estimator)} with init={class_name(estimator.init_)}: only the default and \"zero\" "
                      "can be kept")
    initial = numbers(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32)))
    trees = []
    for stage in estimator.estimators_:
        for k, member in enumerate(stage):
            values = estimator.learning_rate * member.tree_.value[:, 0, 0]
            trees.append(forest_tree(member.tree_, values, k, False))
    link = "identity" if not classifier else "logistic" if len(initial) == 1 else "softmax"
    exponential = classifier and estimator.loss == "exponential"

    task = "value" if not classifier else "two_classes" if len(initial) == 1 else "classes"

    def blob(link, **more):
        return forest_document(estimator, trees, True, initial, link, task, **more)
    model = Model(blob(link, **({"link_factor": 2.0} if exponential else {})), estimator.n_features_in_,
                  getattr(estimator, "feature_names_in_", None), classes=estimator.classes_ if classifier else None,
                  answers="proba" if classifier else "value", single=False, labelled=classifier, held=True)
    model.decision = lambda: blob("identity")
    if classifier and len(initial) == 1 and (exponential or release(sklearn) >= (1, 4)):
        model.options["threshold"] = float(np.nextafter(0.5, 0))        # a raw prediction of 0 is the second class
    return model


def bits(words):
    """The positions of the bits that are set in an array of 32-bit words."""
    return [32 * w + b for w, word in enumerate(words) for b in range(32) if int(word) >> b & 1]


def histogram_tree(grown, output):
    """A tree of HistGradientBoosting*."""
    nodes = grown.nodes
    leaf = nodes["is_leaf"].astype(bool)
    category = nodes["is_categorical"].astype(bool) & ~leaf
    made = {"output": output, "left": np.where(leaf, -1, nodes["left"].astype(np.int64)).tolist(),
            "right": np.where(leaf, -1, nodes["right"].astype(np.int64)).tolist(),
            "feature": np.where(leaf, 0, nodes["feature_idx"].astype(np.int64)).tolist(),
            "threshold": ["inf" if t == np.inf else t for t in
                          np.where(leaf | category, 0, nodes["num_threshold"]).tolist()],
            "missing_left": np.where(leaf, 0, nodes["missing_go_to_left"]).astype(int).tolist(),
            "value": np.where(leaf, nodes["value"], 0).tolist(), "cover": nodes["count"].astype(float).tolist(),
            "gain": np.where(leaf, 0, np.maximum(nodes["gain"], 0)).tolist()}
    if category.any():
        made["left_codes"] = {str(n): bits(grown.raw_left_cat_bitsets[nodes["bitset_idx"][n]])
                              for n in np.flatnonzero(category)}
    return made


@predictor(("sklearn", "HistGradientBoostingClassifier"), ("sklearn", "HistGradientBoostingRegressor"))
def histogram_boosting(estimator, table, document):
    classifier = hasattr(estimator, "classes_")
    encoder = getattr(estimator, "_preprocessor", None)
    if encoder is not None:                             # of 1.4 and newer: encodes the columns of categories
        table = transform(encoder, table, document)
    known, index = estimator._bin_mapper.make_known_categories_bitsets()
    # newer versions put the columns of categories first
    categorical = getattr(estimator, "_is_categorical_remapped", getattr(estimator, "is_categorical_", None))
    codes = {} if categorical is None else {"categories": {
        str(f): bits(known[index[f]]) for f in np.flatnonzero(categorical)}}
    initial = numbers(estimator._baseline_prediction)
    trees = [histogram_tree(grown, k) for stage in estimator._predictors for k, grown in enumerate(stage)]
    link = "exp" if estimator.loss in ("poisson", "gamma") else "identity"
    task = "value"
    if classifier:
        link, task = ("logistic", "two_classes") if len(initial) == 1 else ("softmax", "classes")

    def blob(link):
        return forest_document(estimator, trees, False, initial, link, task, **codes)
    model = Model(blob(link), estimator.n_features_in_, getattr(estimator, "feature_names_in_", None),
                  classes=estimator.classes_ if classifier else None, answers="proba" if classifier else "value",
                  single=False, wide=True, labelled=classifier, held=True)
    model.decision = lambda: blob("identity")
    model.table = table
    return model


# ---- from estimator and rows to the arguments of register()

def as_frame_or_array(X):
    """X as frame, array or sparse matrix of two dimensions."""
    if X is None or hasattr(X, "iloc") or is_sparse(X):
        return X
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"X has {X.ndim} dimensions, a table has 2")
    return X


def names_of(estimator, X, given):
    """The names of the raw columns, in the order in which the estimator was fitted; None where there are none."""
    if given is not None:
        return [str(name) for name in given]
    known = None
    try:
        known = getattr(estimator, "feature_names_in_", None)
    except Exception:
        pass
    if known is None and library(estimator) == "xgboost":
        known = getattr(estimator, "feature_names", None) if hasattr(estimator, "feature_names") else None
        known = known or getattr(getattr(estimator, "get_booster", lambda: None)(), "feature_names", None)
    if known is not None:
        return [str(name) for name in known]
    if X is not None and hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    return None


def input_type(values, dtype):
    """The type of an input and what Python holds where it is missing, from a column of X (a pandas Series)."""
    name = str(dtype)
    if name.startswith(("datetime64", "period")):
        return "time", None
    if name == "category":
        labels = [label for label in values.cat.categories]
        return "category" if any(isinstance(label, str) for label in labels) else "number", {"nan"}
    if name not in ("object", "string", "str") and not name.startswith(("string[", "large_string")):
        return "number", {"nan"}
    kinds, types = set(), set()
    for value in values:
        if is_missing(value):
            kinds.add("none" if value is None else "nan")
        elif isinstance(value, str):
            types.add("category")
        elif isinstance(value, (bool, np.bool_, int, float, np.number)) or type(value).__name__ == "Decimal":
            types.add("number")
        elif hasattr(value, "isoformat"):
            types.add("time")
        else:
            types.add("category")
    if len(types) == 1:
        return types.pop(), kinds or None
    return ("category" if types else None), kinds or None


def choose_rows(X, count):
    """Positions of at most count rows of a frame or array that between them hold every label of its text columns and a
    missing value of each column, as far as count allows, and otherwise lie evenly."""
    total = X.shape[0]
    if total <= count:
        return list(range(total))
    candidates = np.unique(np.linspace(0, total - 1, 20000).astype(int)) if total > 20000 else np.arange(total)
    targets = []
    if hasattr(X, "iloc"):
        for i in range(X.shape[1]):
            values = X.iloc[candidates, i]
            missing = np.asarray(values.isna())
            if missing.any() and not missing.all():
                targets.append((0, np.flatnonzero(missing)))
            if str(values.dtype) in ("object", "category", "bool", "boolean", "string", "str") or values.nunique() <= 2:
                for _, rows in sorted(values.reset_index(drop=True).groupby(
                        values.reset_index(drop=True).astype(str)).groups.items()):
                    targets.append((1, np.asarray(rows)))
    elif not is_sparse(X):
        for i in range(X.shape[1]):
            missing = np.array([is_missing(v) for v in X[candidates, i]])
            if missing.any() and not missing.all():
                targets.append((0, np.flatnonzero(missing)))
            labels = {}
            if X.dtype == object:
                for r, v in enumerate(X[candidates, i]):
                    if isinstance(v, str):
                        labels.setdefault(v, []).append(r)
            targets += [(1, np.asarray(rows)) for rows in labels.values()]
    targets = [rows for _, rows in sorted(targets, key=lambda t: (t[0], len(t[1])))]
    members = np.concatenate(targets) if targets else np.zeros(0, dtype=int)
    of_row = np.repeat(np.arange(len(targets)), [len(rows) for rows in targets])[np.argsort(members, kind="stable")]
    starts = np.searchsorted(np.sort(members), np.arange(len(candidates) + 1))
    wanted = np.diff(starts)                            # how many targets that are still open a row would reach
    chosen, reached = [], set()
    for n, rows in enumerate(targets):
        if len(chosen) == count:
            break
        if n in reached:
            continue
        best = int(rows[np.argmax(wanted[rows])])
        chosen.append(best)
        for m in of_row[starts[best]:starts[best + 1]]:
            if m not in reached:
                reached.add(m)
                wanted[targets[m]] -= 1
    for best in np.linspace(0, len(candidates) - 1, count).astype(int):
        if len(chosen) == count:
            break
        if int(best) not in chosen:
            chosen.append(int(best))
    return sorted(int(candidates[r]) for r in chosen)


def take_rows(X, rows):
    if X is None:
        return None
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def raw_table(document, names, X, sample):
    """The Table of the raw columns."""
    columns = []
    for i, name in enumerate(names):
        type_ = dtype = nulls = None
        if X is not None and not is_sparse(X):
            if hasattr(X, "iloc"):
                values, dtype = X.iloc[:, i], X.dtypes.iloc[i]
            else:
                values, dtype = X[:, i], X.dtype
            type_, nulls = input_type(values, dtype)
            if str(dtype) == "float16":
                raise Refused(f"column \"{name}\" is float16: cast it to float32 or float64 before training")
        source = document.add_input(name, type_, dtype)
        columns.append(Column(name, name, source, single=dtype is not None and is_single(dtype), nulls=nulls))
        document.labels[name] = name
    return Table(columns, sample, is_sparse(X))


def category_labels(series, where):
    """The labels of a pandas column of categories, in the order of their codes."""
    return [json_label(label, f"column \"{where}\"") for label in series.cat.categories]


def code_categories(model, table, document):
    """Features that the trees take as categories, fed with the code of their label."""
    dtypes = [str(d) for d in getattr(table.sample, "dtypes", [])]
    lists = getattr(model, "pandas_categorical", None)
    if lists is not None:
        categorical = [i for i, d in enumerate(dtypes) if d == "category"]
        if len(categorical) != len(lists):
            raise Refused(f"the model has {len(lists)} columns of categories, the rows have {len(categorical)}: "
                          "pass X as in training")
    else:
        categorical = [i for i, kind in enumerate(model.types or []) if kind == "c"]
        if categorical and table.sample is None:
            raise Refused(f"the labels of feature \"{table.columns[categorical[0]].label}\" are known from rows only: "
                          "pass X")
        categorical = [i for i in categorical if dtypes and dtypes[i] == "category"]   # others are codes already
    for n, i in enumerate(categorical):
        column = table.columns[i]
        if model.held:
            raise Refused(f"feature \"{column.label}\" is a category of a model that holds its labels itself: with "
                          "steps before it, encode it in the pipeline with OrdinalEncoder")
        if lists is not None:
            labels = [json_label(label, f"column \"{column.label}\"") for label in lists[n]]
        else:
            labels = category_labels(table.sample.iloc[:, i], column.label)
        label_input(column, labels, "the model")
        table.columns[i] = document.step("map", [column], [column.label], labels=labels,
                                         values=list(map(float, range(len(labels)))), missing="missing")[0]


def lightgbm_categories(model, X, names):
    """The option categories for LightGBM: its lists of labels have no names, the columns of X do."""
    lists = getattr(model, "pandas_categorical", None)
    if not lists:
        return None
    if X is None or not hasattr(X, "dtypes"):
        raise Refused("LightGBM's categories are known by the columns of a frame only: pass X, or categories=")
    columns = [name for name, dtype in zip(names, X.dtypes) if str(dtype) == "category"]
    if len(columns) != len(lists):
        raise Refused(f"the model has {len(lists)} columns of categories, X has {len(columns)}: "
                      "pass the training frame")
    return {name: [json_label(label, f"column \"{name}\"") for label in labels]
            for name, labels in zip(columns, lists)}


def versions():
    """The versions of the libraries that took part."""
    found = {"python": sys.version.split()[0]}
    for module, name in (("numpy", "numpy"), ("pandas", "pandas"), ("sklearn", "scikit-learn"), ("scipy", "scipy"),
                         ("xgboost", "xgboost"), ("lightgbm", "lightgbm"), ("imblearn", "imbalanced-learn")):
        if module in sys.modules and getattr(sys.modules[module], "__version__", None):
            found[name] = sys.modules[module].__version__
    return found


def git_commit():
    """The commit of the working directory, '+' behind it where files differ; None outside of one."""
    def git(*arguments):
        return subprocess.run(("git",) + arguments, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def outline(estimator):
    """The class names inside an estimator, as one line."""
    if hasattr(estimator, "steps"):
        return f"{class_name(estimator)}({', '.join(outline(step) for _, step in estimator.steps)})"
    if hasattr(estimator, "transformers_"):
        steps = [step for _, step, _ in estimator.transformers_ if not (isinstance(step, str) and step == "drop")]
        return f"{class_name(estimator)}({', '.join(map(outline, steps))})"
    if isinstance(estimator, str) or estimator is None:
        return str(estimator)
    for inner in ("best_estimator_", "regressor_", "estimator_", "estimator", "base_estimator"):
        part = getattr(estimator, inner, None)
        if part is not None and not isinstance(part, str) and hasattr(part, "get_params"):
            return f"{class_name(estimator)}({outline(part)})"
    return class_name(estimator)


def example_answers(estimator, model, rows, raw_rows):
    """What Python answers for rows: lists of numbers, and labels (None where the database's label is another thing)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if model.answers == "proba":
            answers = np.asarray(estimator.predict_proba(raw_rows))
            answers = answers[:, 1:] if answers.shape[1] == 2 and not model.both else answers
        elif model.answers == "value":
            answers = np.asarray(estimator.predict(raw_rows))
        else:
            answers = np.asarray(model.raw(rows))
        answers = answers.reshape(raw_rows.shape[0], -1)
        labels = np.asarray(estimator.predict(raw_rows)) if model.labelled and model.classes is not None else None
    return answers, labels


def describe(estimator, X=None, *, examples=20, classes=None, **options):
    """The arguments of model_predict.register() for a fitted estimator, as a dict; nothing is sent.

    estimator: a fitted XGBoost, LightGBM or scikit-learn tree model, alone or in pipelines and wrappers.
    X: rows of shape (rows, raw columns) as the estimator takes them, a frame if it was fitted on one. Its dtypes say in
    which precision the steps work; at most `examples` of its rows, those that cover every label and a missing value of
    each column, become examples with the estimator's own answers. Without X a warning says that nothing is proved.
    classes: labels in the order of classes_, where those are not the labels wanted.
    options: further arguments of register(), which win over what was found.

    Raises Refused, naming the step and what to do, where the database could not give the same answers.
    """
    if X is None:
        warnings.warn("without X nothing is proved: the version gets no examples, and numbers are taken for float64",
                      stacklevel=2)
    X = as_frame_or_array(X)
    given = options.pop("feature_names", None)
    names = names_of(estimator, X, given)
    if X is not None and hasattr(X, "columns") and names is not None and given is None:
        columns = [str(c) for c in X.columns]
        absent = [name for name in names if name not in columns]
        blanks = [name.replace(" ", "_") for name in columns]       # LightGBM's way to keep them
        if absent and set(names) <= set(blanks):
            names, absent = [columns[blanks.index(name)] for name in names], []
        if absent:
            raise ValueError(f"X lacks columns that the estimator was fitted on: {', '.join(absent)}")
        X = X.iloc[:, [columns.index(name) for name in names]]
    nameless = names is None
    if nameless:
        width = X.shape[1] if X is not None else getattr(estimator, "n_features_in_", None)
        if width is None and hasattr(estimator, "num_features"):
            width = estimator.num_features()
        if width is None and hasattr(estimator, "num_feature"):
            width = estimator.num_feature()
        if width is None:
            raise ValueError(f"{class_name(estimator)} does not tell how many columns it takes: pass X")
        names = [f"x{i}" for i in range(width)]
    if len(set(names)) != len(names):
        raise Refused("two columns have the same name: rename one before training")

    chosen = choose_rows(X, examples if examples > 0 else 10) if X is not None else []
    raw_rows = take_rows(X, chosen)
    document = Document()
    table = raw_table(document, names, X, raw_rows)
    if X is not None and hasattr(X, "iloc") and any(str(c) != c for c in X.columns):
        table.sample = raw_rows                         # names that are no text: scikit-learn goes by position
    model = walk(estimator, table, document)
    table = model.table
    if len(table.columns) != model.features:
        raise Refused(f"the steps make {len(table.columns)} columns, the model takes {model.features}")

    arguments = {"model": model.blob}
    feature_rows = table.sample
    if model.classes is not None or classes is not None:
        arguments["classes"] = [str(c) for c in classes] if classes is not None else \
            [class_label(c) for c in model.classes]
    arguments.update(model.options)
    bare = not document.steps and not document.output and [c.value for c in table.columns] == names
    if bare and table.sparse and "missing" not in arguments and "missing" not in options:
        arguments["missing"] = 0.0                      # what a sparse matrix does not store is missing
        table.sparse = False
    if bare and not table.sparse and not (model.wide and any(c.single for c in table.columns)):
        if not model.names or list(model.names) == [f"Column_{i}" for i in range(len(names))] and not nameless:
            arguments["feature_names"] = names
        elif given is not None:
            arguments["feature_names"] = names
        if hasattr(model, "pandas_categorical"):
            categories = None if "categories" in options else lightgbm_categories(model, X, names)
            if categories:
                arguments["categories"] = categories
        elif "c" in (model.types or []) and not model.held and "categories" not in options:
            if X is not None and hasattr(X, "dtypes"):
                categories = {name: category_labels(X.iloc[:, i], name) for i, (name, dtype) in
                              enumerate(zip(names, X.dtypes)) if str(dtype) == "category"}
                if categories:
                    arguments["categories"] = categories
            elif X is None:
                warnings.warn("the labels of the model's categories are not known: pass X, or categories=",
                              stacklevel=2)
        row_names = names
    else:
        code_categories(model, table, document)
        columns = [document.exact(c) for c in table.columns] if model.wide else table.columns
        for column in columns:
            if column.text or column.source is not None and column.source.type in ("category", "time"):
                raise Refused(f"the model takes column \"{column.label}\" as a number, but it holds "
                              f"{'times' if column.source is not None and column.source.type == 'time' else 'text'}")
        preprocessing = document.finish(columns, table.sparse)
        arguments["preprocessing"] = preprocessing
        row_names = [i["name"] for i in preprocessing["inputs"]]

    if X is not None and examples > 0:
        arguments["examples"] = make_examples(estimator, model, names, row_names, feature_rows, raw_rows,
                                              arguments.get("classes"))
    arguments["tags"] = {**versions(), "estimator": outline(estimator), "features": row_names}
    commit = git_commit()
    if commit:
        arguments["tags"]["git_commit"] = commit
    arguments["tags"].update(options.pop("tags", None) or {})
    arguments.update({k: v for k, v in options.items() if v is not None})
    return arguments


def make_examples(estimator, model, names, row_names, feature_rows, raw_rows, classes):
    """The examples of register(): raw rows by name, with Python's answers."""
    if feature_rows is not None and raw_rows is not None and feature_rows.shape[0] != raw_rows.shape[0]:
        raise Refused("a step changes the number of rows")
    answers, labels = example_answers(estimator, model, feature_rows, raw_rows)
    at = [names.index(name) for name in row_names]
    dense = raw_rows.toarray() if is_sparse(raw_rows) else raw_rows
    columns = [[json_value(v) for v in (dense.iloc[:, i] if hasattr(dense, "iloc") else dense[:, i])] for i in at]
    made = []
    for r in range(raw_rows.shape[0]):
        row = {name: column[r] for name, column in zip(row_names, columns)}
        numbers_in = [v for v in row.values() if isinstance(v, float)] + [float(v) for v in answers[r]]
        if not np.isfinite(numbers_in).all():
            continue                                    # JSON has no infinity
        example = {"row": row, "predict_all": [float(v) for v in answers[r]]}
        if labels is not None and classes is not None and labels.ndim == 1:
            index = [i for i, c in enumerate(model.classes) if c == labels[r]]
            if len(index) == 1 and index[0] < len(classes):
                example["class"] = classes[index[0]]
        made.append(example)
    return made


# ---- talking to the database

TYPES = {"model": "bytea", "classes": "text[]", "feature_names": "text[]", "categories": "jsonb", "trees": "text",
         "threshold": "double precision", "missing": "real", "absent_feature": "text", "unseen_category": "text",
         "infinity": "text", "examples": "jsonb", "description": "text", "tags": "jsonb", "preprocessing": "jsonb",
         "link": "text", "metrics": "jsonb"}


def call(cursor, function, arguments):
    """Calls a function of schema model_predict with named arguments; returns its one value."""
    binary = bytes
    if type(cursor).__module__.startswith("psycopg2"):
        from psycopg2 import Binary as binary
    texts, values = [], []
    for name, value in arguments.items():
        kind = TYPES.get(name, "text")
        texts.append(f"{name} => %s::{kind}")
        if kind == "bytea":
            value = binary(value)
        elif kind == "jsonb" and value is not None:
            value = json.dumps(value, allow_nan=False)
        elif kind == "text[]" and value is not None:
            value = [str(v) for v in value]
        values.append(value)
    cursor.execute(f"SELECT model_predict.{function}({', '.join(texts)})", values)
    return cursor.fetchone()[0]


def raw_connection(connection):
    """The psycopg connection inside what was given; SQLAlchemy's are opened."""
    for attribute in ("connection", "driver_connection", "dbapi_connection"):
        module = type(connection).__module__
        if module.startswith(("psycopg", "psycopg2")):
            break
        connection = getattr(connection, attribute, connection)
    if not type(connection).__module__.startswith("psycopg"):
        raise TypeError(f"a connection of psycopg 2 or 3 is needed, not {type(connection).__name__}")
    return connection


def push(connection, name, estimator, X=None, *, examples=20, baseline=None, classes=None, metrics=None,
         description=None, tags=None, deploy=False, **options):
    """Registers a fitted estimator as a new version of model `name` and returns the version's number.

    connection: of psycopg 2 or 3. The statements run in the caller's transaction, which is neither committed nor rolled
    back; with autocommit on and no transaction open, in one of their own.
    estimator, X, examples, classes, options: as describe() has them. The examples, raw rows of X, are kept for the
    model's owner; the server scores them and refuses the version where it answers otherwise than Python.
    baseline: a frame of raw rows whose profile becomes the version's baseline (what drift is measured against).
    metrics: a dict of what was measured in training, e.g. {"roc_auc": 0.84}. tags: a dict, added to library versions,
    input names and git commit. deploy: let the version serve at once (a model's first version does anyway).

    Raises Refused before anything is sent, and the driver's error where the server refuses.
    """
    arguments = describe(estimator, X, examples=examples, classes=classes, metrics=metrics, description=description,
                         tags=tags, **options)
    return send(connection, name, arguments, baseline, deploy)


def send(connection, name, arguments, baseline=None, deploy=False):
    """Registers a version from the dict that describe() made; the rest as push() has it."""
    connection = raw_connection(connection)
    cursor = connection.cursor()
    own = connection.autocommit and connection.info.transaction_status == 0
    if own:
        cursor.execute("BEGIN")
    try:
        version = call(cursor, "register", {"name": name, **arguments})
        if baseline is not None:
            set_baseline(cursor, name, version, as_frame_or_array(baseline), arguments)
        if deploy:
            cursor.execute("SELECT model_predict.deploy(%s::text, %s::integer)", (name, version))
        if own:
            cursor.execute("COMMIT")
    except BaseException:
        if own and not connection.closed:
            cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()
    return version


def set_baseline(cursor, name, version, frame, arguments, block=2000):
    """Makes the profile of the rows of a frame the version's baseline."""
    inputs = arguments["tags"]["features"]
    if not hasattr(frame, "columns"):
        raise TypeError("baseline must be a frame whose columns are named as the model's inputs")
    columns = [str(c) for c in frame.columns]
    absent = [n for n in inputs if n not in columns]
    if absent:
        raise ValueError(f"baseline lacks columns: {', '.join(absent)}")
    reference = f"{name}@{version}"
    frame = frame.iloc[:, [columns.index(n) for n in inputs]]
    profiles = []
    for begin in range(0, len(frame), block):
        part = frame.iloc[begin:begin + block]
        values = [[json_value(v) for v in part.iloc[:, i]] for i in range(len(inputs))]
        rows = [dict(zip(inputs, row)) for row in zip(*values)]
        cursor.execute("SELECT model_predict.profile(%s::text, r) FROM jsonb_array_elements(%s::jsonb) r",
                       (reference, json.dumps(rows, allow_nan=False)))
        profiles.append(cursor.fetchone()[0])
    profiles = [p if isinstance(p, str) else json.dumps(p) for p in profiles]
    cursor.execute("SELECT model_predict.set_baseline(%s::text, (SELECT model_predict.merge_profiles(p) "
                   "FROM unnest(%s::jsonb[]) p))", (reference, profiles))


# ---- the command line

def read_rows(path):
    """A frame from .parquet, a pickle, or CSV as COPY writes it (an empty field is NULL, any other text is itself)."""
    import pandas as pd
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    if path.endswith((".pkl", ".pickle")):
        return pd.read_pickle(path)
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def unpickle(path):
    try:
        import joblib
    except ImportError:
        import pickle
        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)


def mlflow_folder(path):
    """The model file of an MLflow folder and its input example, a frame or None."""
    with open(os.path.join(path, "MLmodel")) as file:
        fields = dict(line.strip().split(": ", 1) for line in file if ": " in line)
    candidates = [fields.get("pickled_model"), fields.get("data"), "model.pkl", "model.ubj", "model.json", "model.xgb",
                  "model.lgb", "model.txt"]
    found = [os.path.join(path, c) for c in candidates if c and os.path.isfile(os.path.join(path, c))]
    if not found:
        raise Refused(f"{path} holds no model of scikit-learn, XGBoost or LightGBM")
    example = os.path.join(path, "input_example.json")
    if not os.path.isfile(example):
        return found[0], None
    with open(example) as file:
        held = json.load(file)
    import pandas as pd
    if not isinstance(held, dict) or "columns" not in held:
        return found[0], None
    return found[0], pd.DataFrame(held["data"], columns=held["columns"])


def load(path):
    """What a file holds: the estimator (None where its library is absent), example rows, and options for describe().

    Pickles and joblib files (these run what is in them: open your own only), XGBoost's and LightGBM's model files,
    MLflow folders.
    """
    rows = None
    if os.path.isdir(path):
        path, rows = mlflow_folder(path)
    with open(path, "rb") as file:
        blob = file.read()
    if path.endswith((".pkl", ".pickle", ".joblib")) or blob[:1] == b"\x80":
        return unpickle(path), rows, {}
    options = {"model": blob}
    lightgbm_file = blob[:5] == b"tree\n" or blob[:6] == b"tree\r\n"
    try:
        if lightgbm_file:
            import lightgbm
            return lightgbm.Booster(model_file=path), rows, options
        import xgboost
    except ImportError:
        return None, rows, options
    booster = xgboost.Booster(model_file=path)
    best, rounds = booster.attr("best_iteration"), booster.num_boosted_rounds()
    if booster.attr("scikit_learn") and best is not None and int(best) + 1 < rounds:
        # saved by scikit-learn's interface, which stops there
        options["trees"] = "best"
        predict = booster.predict
        booster.predict = lambda matrix: predict(matrix, iteration_range=(0, int(best) + 1))
    return booster, rows, options


def connect(dsn):
    try:
        import psycopg
    except ImportError:
        import psycopg2 as psycopg
    return psycopg.connect(dsn or "")


def key_values(texts):
    """NAME=VALUE words as a dict; a value that reads as JSON is that, else it is text."""
    made = {}
    for text in texts or []:
        name, _, value = text.partition("=")
        try:
            made[name] = json.loads(value)
        except ValueError:
            made[name] = value
    return made


def command_line(arguments=None):
    import argparse
    parser = argparse.ArgumentParser(
        prog="model_predict.py", description="Puts fitted tree models, with their preprocessing, into PostgreSQL.",
        epilog="Pickles and joblib files run what is in them when they are opened: push only those that you made. "
               "The database is that of --dsn, or of PGHOST, PGDATABASE and so on.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, words in (("push", "register a file's model as a new version"),
                           ("describe", "print what push would register, without the model's bytes")):
        one = commands.add_parser(command, help=words, description=words, epilog=parser.epilog)
        if command == "push":
            one.add_argument("name", help="of the model in the database")
        one.add_argument("file", help="pickle, joblib, .ubj or .json of XGBoost, .txt of LightGBM, or an MLflow folder")
        one.add_argument("--rows", metavar="FILE", help="raw rows that prove the answers: CSV as COPY writes it, .parquet, "
                         "or a pickled frame (which keeps float32 and categories)")
        one.add_argument("--examples", type=int, default=20, metavar="N", help="how many of the rows are kept (20)")
        one.add_argument("--classes", metavar="A,B", help="labels of the classes, in the model's order")
        one.add_argument("--description", metavar="TEXT")
        one.add_argument("--tag", action="append", metavar="NAME=VALUE", help="may be repeated")
        one.add_argument("--metric", action="append", metavar="NAME=VALUE", help="measured in training; may be repeated")
        one.add_argument("--option", action="append", metavar="NAME=VALUE",
                         help="any other argument of register(), such as unseen_category=missing; may be repeated")
        if command == "push":
            one.add_argument("--baseline", metavar="FILE", help="rows as in --rows that drift is measured against")
            one.add_argument("--deploy", action="store_true", help="let the version serve at once")
            one.add_argument("--dsn", help="as libpq has it, such as \"host=db dbname=shop\"")
    given = parser.parse_args(arguments)
    try:
        estimator, rows, options = load(given.file)
        if given.rows:
            rows = read_rows(given.rows)
        options.update(key_values(given.option))
        for name, value in (("description", given.description), ("tags", key_values(given.tag)),
                            ("metrics", key_values(given.metric)),
                            ("classes", given.classes.split(",") if given.classes else None)):
            if value:
                options[name] = value
        if estimator is None:
            warnings.warn("the model's library is not installed here, so nothing is proved")
            made = dict(options)
            made["tags"] = {**versions(), **options.get("tags", {})}
        else:
            made = describe(estimator, rows, examples=given.examples, **options)
        if given.command == "describe":
            made["model"] = f"{len(made['model'])} bytes"
            print(json.dumps(made, indent=1, ensure_ascii=False))
            return 0
        connection = connect(given.dsn)
        version = send(connection, given.name, made, read_rows(given.baseline) if given.baseline else None, given.deploy)
        connection.commit()
        print(f"{given.name}@{version}")
        return 0
    except (Refused, OSError, ValueError, TypeError) as error:
        message = str(error)
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):
            raise
        message = str(error)
    print(f"model_predict.py: {message.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(command_line())
