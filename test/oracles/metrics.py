"""Holds the aggregates over scores against scikit-learn and SciPy: by group,
with ties, one class, few rows, weights that do not add up exactly, and numbers
whose squares cancel. Prints "ok WHAT" or "not ok WHAT", line by line.
"""
import math
import warnings

import numpy as np
import psycopg2
import scipy.stats
import sklearn.calibration
import sklearn.metrics as m

warnings.simplefilter("ignore")
rng = np.random.default_rng(20)
connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def check(what, ok):
    print("ok" if ok else "not ok", what, flush=True)


def close(got, want):
    """The same within 1e-12; None is what is not defined."""
    if isinstance(want, (list, tuple, np.ndarray)):
        return len(got) == len(want) and all(close(g, w) for g, w in zip(got, want))
    if want is None or math.isnan(want):
        return got is None
    if got is None or math.isinf(want):
        return got == want
    return abs(got - want) <= 1e-12 * max(1, abs(want))


def load(table, columns):
    """A table with these columns: {name: (type, values)}."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {t}' for n, (t, _) in columns.items())})")
    rows = zip(*(v for _, v in columns.values()))
    import io
    text = "".join("\t".join("\\N" if x is None else str(x) for x in row) + "\n" for row in rows)
    cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(text))
    cursor.execute(f"ANALYZE {table}")


def ask(sql):
    """Rows as dictionaries."""
    cursor.execute(sql)
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def by_group(sql):
    return {row["g"]: row for row in ask(sql)}


def compare(what, got, want):
    wrong = [f"{name}: {got[name]!r}, not {value!r}" for name, value in want.items()
             if not close(got[name], value)]
    check(what, not wrong)
    for line in wrong:
        print("#", line)


# Two classes

def scores_of(n, kind):
    outcome = rng.random(n) < 0.3
    score = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * outcome - 1)))
    if kind == "float32":
        score = score.astype(np.float32)
    if kind == "ties":
        score = np.round(score, 1).astype(np.float32)
    if kind == "certain":
        score = np.where(rng.random(n) < 0.2, outcome ^ (rng.random(n) < 0.1), score).astype(np.float32)
    if kind == "certain64":
        score = np.where(rng.random(n) < 0.2, outcome ^ (rng.random(n) < 0.1), score)
    if kind == "positives":
        outcome[:] = True
    if kind == "negatives":
        outcome[:] = False
    return outcome, score


def defined(outcome, function):
    return function() if outcome.any() and not outcome.all() else None


def binary_measures(outcome, score, weight, threshold):
    w = {"sample_weight": weight}
    yes = score.astype(float) > threshold
    tn, fp, fn, tp = m.confusion_matrix(outcome, yes, labels=[False, True], **w).ravel()
    auc = defined(outcome, lambda: m.roc_auc_score(outcome, score, **w))

    def ks():
        fpr, tpr, _ = m.roc_curve(outcome, score, drop_intermediate=False, **w)
        return max(tpr - fpr)

    def ece():
        bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
        ones = np.ones(len(score)) if weight is None else weight
        return sum(abs(math.fsum((ones * (outcome * 1.0 - score))[bins == b])) for b in range(10)) / ones.sum()

    loss = m.log_loss(outcome.astype(int), score, labels=[0, 1], **w)
    return {
        "rows": len(outcome),
        "positives": float(outcome.sum() if weight is None else weight[outcome].sum()),
        "roc_auc": auc,
        "average_precision": m.average_precision_score(outcome, score, **w) if outcome.any() else 0.0,
        "gini": None if auc is None else 2 * auc - 1,
        "ks": defined(outcome, ks),
        "log_loss": loss,
        "brier_score": m.brier_score_loss(outcome, score.astype(float), pos_label=True, **w),
        "ece": ece(),
        "accuracy": m.accuracy_score(outcome, yes, **w),
        "balanced_accuracy": m.balanced_accuracy_score(outcome, yes, **w),
        "precision": m.precision_score(outcome, yes, zero_division=0, **w),
        "recall": m.recall_score(outcome, yes, zero_division=0, **w),
        "specificity": m.recall_score(outcome, yes, pos_label=False, zero_division=0, **w),
        "f1": m.f1_score(outcome, yes, zero_division=0, **w),
        "mcc": m.matthews_corrcoef(outcome, yes, **w),
        "tp": float(tp), "fp": float(fp), "tn": float(tn), "fn": float(fn),
    }


groups = {}
for kind in ("float32", "float64", "ties", "certain", "certain64", "positives", "negatives"):
    for n in (1, 2, 3, 50, 3000):
        outcome, score = scores_of(n, kind)
        # powers of ten do not add up exactly in binary
        weight = rng.choice([0.1, 0.7, 1e-3, 1e6, 3], n)
        groups[f"{kind} {n}"] = (outcome, score, weight)
order = rng.permutation(sum(len(o) for o, _, _ in groups.values()))
flat = [(g, bool(o), repr(float(s)), repr(float(w)))
        for g, (os, ss, ws) in groups.items() for o, s, w in zip(os, ss, ws)]
flat = [flat[i] for i in order]
columns = dict(zip(("g", "o", "s", "w"), zip(*flat)))
load("binary_scores", {"g": ("text", columns["g"]), "o": ("boolean", columns["o"]),
                       "s": ("double precision", columns["s"]), "w": ("double precision", columns["w"])})

plain = by_group("""SELECT g, (e).*, auc, ap, ll, bs FROM (SELECT g, model_predict.evaluate_binary(o, s) e,
    model_predict.roc_auc(o, s) auc, model_predict.average_precision(o, s) ap,
    model_predict.log_loss(o, s) ll, model_predict.brier_score(o, s) bs FROM binary_scores GROUP BY g) x""")
weighted = by_group("""SELECT g, (e).*, auc, ap, ll, bs FROM (SELECT g, model_predict.evaluate_binary(o, s, 0.3, w) e,
    model_predict.roc_auc(o, s, w) auc, model_predict.average_precision(o, s, w) ap,
    model_predict.log_loss(o, s, w) ll, model_predict.brier_score(o, s, w) bs FROM binary_scores GROUP BY g) x""")
for g, (outcome, score, weight) in groups.items():
    for got, w, threshold, what in ((plain[g], None, 0.5, g), (weighted[g], weight, 0.3, g + ", weighted")):
        want = binary_measures(outcome, score, w, threshold)
        want.update(auc=want["roc_auc"], ap=want["average_precision"], ll=want["log_loss"], bs=want["brier_score"])
        compare("two classes, " + what, got, want)

# Curves

curves = by_group("""SELECT g, array(SELECT row(threshold, false_positive_rate, true_positive_rate)::text
        FROM unnest(r)) roc, array(SELECT row(threshold, precision, recall)::text FROM unnest(p)) pr,
        array(SELECT row(mean_score, rate)::text FROM unnest(c)) cal, array(SELECT rows FROM unnest(c)) n,
        array(SELECT row(threshold, false_positive_rate, true_positive_rate)::text FROM unnest(few)) few
    FROM (SELECT g, model_predict.roc_curve(o, s, 10000) r, model_predict.precision_recall_curve(o, s, 10000) p,
        model_predict.calibration_curve(o, s, 7) c, model_predict.roc_curve(o, s, 20) few
    FROM binary_scores GROUP BY g) x""")


def points(texts):
    return [[float(x) if x else None for x in t.strip("()").split(",")] for t in texts]


for g in ("float32 3000", "float64 50", "ties 3000", "certain 3000"):
    outcome, score, _ = groups[g]
    score = score.astype(float)
    fpr, tpr, thresholds = m.roc_curve(outcome, score)
    got = points(curves[g]["roc"])
    check(f"ROC curve, {g}", close([p[1:] for p in got], list(zip(fpr, tpr))) and
          got[0][0] == math.inf and close([p[0] for p in got[1:]], thresholds[1:]))
    precision, recall, thresholds = m.precision_recall_curve(outcome, score)
    # newer ones can drop points between which recall stays
    keep = [i for i in range(len(recall)) if i in (0, len(recall) - 1) or
            recall[i - 1] != recall[i] or recall[i + 1] != recall[i]]
    got = points(curves[g]["pr"])
    check(f"precision-recall curve, {g}",
          close([p[1:] for p in got], [(precision[i], recall[i]) for i in keep]) and got[-1][0] is None and
          close([p[0] for p in got[:-1]], [thresholds[i] for i in keep[:-1]]))
    true, mean = sklearn.calibration.calibration_curve(outcome, score, n_bins=7)
    check(f"calibration, {g}", close(points(curves[g]["cal"]), list(zip(mean, true))))
    few = points(curves[g]["few"])
    check(f"few points of a ROC curve, {g}", few[0][1:] == [0, 0] and few[-1][1:] == [1, 1] and
          len(few) <= 20 and all(p in points(curves[g]["roc"]) for p in few) and
          (few == points(curves[g]["roc"]) or max(b[1] + b[2] - a[1] - a[2] for a, b in zip(few, few[1:])) < 0.22))

for g in ("float64 3000", "float64 50"):
    outcome, score, _ = groups[g]
    gains = ask(f"""SELECT u.* FROM (SELECT model_predict.gains(o, s, 7) g FROM binary_scores WHERE g = '{g}') x,
        unnest(x.g) u""")
    by_score = outcome[np.argsort(-score, kind="stable")]
    pieces = np.array_split(by_score, 7)
    compare(f"gains, {g}", {"rows": [r["rows"] for r in gains], "positives": [r["positives"] for r in gains],
                            "lift": [r["lift"] for r in gains], "captured": [r["captured"] for r in gains]},
            {"rows": [len(p) for p in pieces], "positives": [p.sum() for p in pieces],
             "lift": [p.mean() / outcome.mean() for p in pieces],
             "captured": np.cumsum([p.sum() for p in pieces]) / outcome.sum()})

# Numbers

numbers = {}
for kind, offset, spread in (("small", 0, 1), ("years", 2000, 10), ("money", 1e9, 1), ("constant", 0.1, 0)):
    for n in (1, 2, 1000):
        actual = offset + spread * rng.normal(size=n)
        predicted = actual + max(spread, 1) * 0.3 * rng.normal(size=n)
        numbers[f"{kind} {n}"] = (actual, predicted, rng.choice([0.1, 0.7, 1e-3, 3], n))
numbers["perfect 10"] = (np.full(10, 0.1), np.full(10, 0.1), np.full(10, 0.1))
flat = [(g, repr(float(a)), repr(float(p)), repr(float(w)))
        for g, (as_, ps, ws) in numbers.items() for a, p, w in zip(as_, ps, ws)]
columns = dict(zip(("g", "a", "p", "w"), zip(*flat)))
load("numbers", {"g": ("text", columns["g"]), **{c: ("double precision", columns[c]) for c in "apw"}})


def exact_r2(actual, unexplained, w):
    """1 - unexplained / variance, in fractions: scikit-learn's mean rounds."""
    from fractions import Fraction as F
    w = [F(x) for x in w]
    y = [F(x) for x in actual]
    mean = sum(a * b for a, b in zip(w, y)) / sum(w)
    variance = sum(a * (b - mean) ** 2 for a, b in zip(w, y))
    if variance == 0:
        return 1.0 if unexplained == 0 else 0.0
    return float(1 - unexplained / variance)


def regression_measures(a, p, w):
    from fractions import Fraction as F
    ones = np.ones(len(a)) if w is None else w
    errors = [F(x) for x in p - a]
    weights = [F(x) for x in ones]
    squares = sum(x * e * e for x, e in zip(weights, errors))
    mean = sum(x * e for x, e in zip(weights, errors)) / sum(weights)
    return {"rows": len(a),
            "rmse": math.sqrt(m.mean_squared_error(a, p, sample_weight=w)),
            "mae": m.mean_absolute_error(a, p, sample_weight=w),
            "mape": m.mean_absolute_percentage_error(a, p, sample_weight=w),
            "r2": None if len(a) < 2 else exact_r2(a, squares, ones),
            "bias": float(np.average(p - a, weights=w)),
            "explained_variance": exact_r2(a, squares - mean * mean * sum(weights), ones)}


for what, arguments in (("", "a, p"), (", weighted", "a, p, w")):
    rows = by_group(f"""SELECT g, (e).*, r, ae, pe, r2 AS r_2 FROM (SELECT g, model_predict.evaluate_regression({arguments}) e,
        model_predict.rmse({arguments}) r, model_predict.mae({arguments}) ae, model_predict.mape({arguments}) pe,
        model_predict.r2({arguments}) FROM numbers GROUP BY g) x""")
    for g, (a, p, w) in numbers.items():
        want = regression_measures(a, p, w if what else None)
        want.update(r=want["rmse"], ae=want["mae"], pe=want["mape"], r_2=want["r2"])
        compare(f"numbers, {g}{what}", rows[g], want)
        if g.startswith(("small", "years")) and len(a) > 2:
            check(f"r2 and explained variance are scikit-learn's, {g}{what}",
                  close(rows[g]["r2"], m.r2_score(a, p, sample_weight=w if what else None)) and
                  close(rows[g]["explained_variance"],
                        m.explained_variance_score(a, p, sample_weight=w if what else None)))

# Classes

labels = np.array(["a", "b", "c", "ä€", "", "never right"])
classes = {}
for n in (1, 2, 30, 2000):
    actual = rng.choice(labels[:5], n)
    predicted = np.where(rng.random(n) < 0.6, actual, rng.choice(labels, n))
    predicted[actual == "never right"] = "a"
    classes[f"several {n}"] = (actual, predicted, rng.choice([0.1, 0.7, 3], n))
classes["one"] = (np.full(5, "a"), np.full(5, "a"), np.full(5, 0.1))
classes["one for all"] = (np.array(["a", "b", "c"]), np.full(3, "a"), np.full(3, 0.1))
flat = [(g, a, p, repr(float(w))) for g, (as_, ps, ws) in classes.items() for a, p, w in zip(as_, ps, ws)]
columns = dict(zip(("g", "a", "p", "w"), zip(*flat)))
load("classes", {"g": ("text", columns["g"]), "a": ("text", columns["a"]), "p": ("text", columns["p"]),
                 "w": ("double precision", columns["w"])})
for what, arguments in (("", "a, p"), (", weighted", "a, p, w")):
    rows = by_group(f"SELECT g, (e).* FROM (SELECT g, model_predict.evaluate_classes({arguments}) e FROM classes GROUP BY g) x")
    for g, (a, p, w) in classes.items():
        k = {"sample_weight": w if what else None}
        macro = {"average": "macro", "zero_division": 0, **k}
        compare(f"classes, {g}{what}", rows[g], {
            "rows": len(a), "accuracy": m.accuracy_score(a, p, **k),
            "balanced_accuracy": m.balanced_accuracy_score(a, p, **k),
            "macro_precision": m.precision_score(a, p, **macro), "macro_recall": m.recall_score(a, p, **macro),
            "macro_f1": m.f1_score(a, p, **macro),
            "weighted_f1": m.f1_score(a, p, **{**macro, "average": "weighted"}),
            "mcc": m.matthews_corrcoef(a, p, **k), "kappa": m.cohen_kappa_score(a, p, **k)})
        union = sorted(set(a) | set(p))
        matrix = m.confusion_matrix(a, p, labels=union, **k)
        confusion = rows[g]["confusion"]
        check(f"confusion, {g}{what}", all(close(float(confusion.get(x, {}).get(y, 0)), float(matrix[i, j]))
                                           for i, x in enumerate(union) for j, y in enumerate(union)))

# Two scores

n = 5000
a = rng.random(n).astype(np.float32)
b = np.clip(a + 0.1 * rng.normal(size=n), 0, 1).astype(np.float32)
pairs = {"float32": (a, b), "float64": (a.astype(float) ** 1.1, b.astype(float)),
         "ties": (np.round(a, 1), np.round(b, 1)), "few": (a[:2], b[:2]), "constant": (np.full(20, a[0]), b[:20])}
flat = [(g, repr(float(x)), repr(float(y))) for g, (xs, ys) in pairs.items() for x, y in zip(xs, ys)]
columns = dict(zip(("g", "a", "b"), zip(*flat)))
load("pairs", {"g": ("text", columns["g"]), "a": ("double precision", columns["a"]), "b": ("double precision", columns["b"])})


def psi(actual, expected):
    """Over the deciles of what is expected, or its values where there are few."""
    values = np.unique(expected)
    if len(values) <= 10:
        shares = [[np.mean(x == v) for v in values] + [np.mean(~np.isin(x, values))] for x in (actual, expected)]
    else:
        edges = np.unique(np.quantile(expected, np.arange(1, 10) / 10, method="inverted_cdf"))
        edges = edges[edges < values[-1]]
        shares = [np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) / len(x) for x in (actual, expected)]
    p, q = (np.where(np.array(s) == 0, 0.0001, s) for s in shares)
    return float(np.sum((p - q) * np.log(p / q)))


agreement = "SELECT g, (e).* FROM (SELECT g, model_predict.agreement(a, b{}) e FROM pairs GROUP BY g) x"
for what, arguments, threshold in (("", "", 0.5), (", threshold", ", 0.7", 0.7), (", weighted", ", 0.5, 0.1", 0.5)):
    rows = by_group(agreement.format(arguments))
    for g, (a, b) in pairs.items():
        a, b = a.astype(float), b.astype(float)
        constant = len(set(a)) == 1
        compare(f"agreement, {g}{what}", rows[g], {
            "rows": len(a), "mean_difference": math.fsum(b - a) / len(a),
            "mean_abs_difference": math.fsum(abs(b - a)) / len(a), "max_abs_difference": float(max(abs(b - a))),
            "correlation": None if constant else float(np.corrcoef(a, b)[0, 1]),
            "rank_correlation": None if constant else float(scipy.stats.spearmanr(a, b)[0]),
            "changed_class": float(np.mean((a > threshold) != (b > threshold))), "psi": psi(b, a)})

# A third of the rows weighs 2: the same as those rows twice
twice = ask("""SELECT (model_predict.agreement(a, b, 0.5, CASE WHEN a < 0.3 THEN 2 ELSE 1 END)).*, g FROM pairs
    WHERE g IN ('float32', 'float64', 'ties') GROUP BY g ORDER BY g""")
repeated = ask("""SELECT (model_predict.agreement(a, b)).*, g FROM pairs, generate_series(1, CASE WHEN a < 0.3 THEN 2 ELSE 1 END)
    WHERE g IN ('float32', 'float64', 'ties') GROUP BY g ORDER BY g""")
for one, other in zip(twice, repeated):
    compare(f"agreement, rows that weigh 2, {one['g']}", one, {k: v for k, v in other.items() if k not in ("rows", "g")})

# No answer depends on the order of rows or on the plan

queries = {
    "two classes": "SELECT g, model_predict.evaluate_binary(o, s), model_predict.evaluate_binary(o, s, 0.5, w), "
                   "model_predict.log_loss(o, s, w), model_predict.gains(o, s, 5, w), model_predict.roc_curve(o, s) "
                   "FROM {} GROUP BY g",
    "numbers": "SELECT g, model_predict.evaluate_regression(a, p, w) FROM {} GROUP BY g",
    "classes": "SELECT g, model_predict.evaluate_classes(a, p), model_predict.evaluate_classes(a, p, w) FROM {} GROUP BY g",
    "two scores": "SELECT g, model_predict.agreement(a, b), model_predict.agreement(a, b, 0.5, a) FROM {} GROUP BY g",
}
tables = {"two classes": "binary_scores", "numbers": "numbers", "classes": "classes", "two scores": "pairs"}
for what, query in queries.items():
    cursor.execute("RESET ALL")
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    table = tables[what]
    serial = sorted(map(str, ask(query.format(table))))
    backwards = sorted(map(str, ask(query.format(f"(SELECT * FROM {table} ORDER BY ctid DESC) t"))))
    cursor.execute("SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; "
                   "SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off")
    cursor.execute(f"ALTER TABLE {table} SET (parallel_workers = 3)")
    plan = str(ask("EXPLAIN " + query.format(table)))
    parallel = sorted(map(str, ask(query.format(table))))
    check(f"rows backwards give the same bits: {what}", serial == backwards)
    check(f"a parallel plan gives the same bits: {what}", "Partial" in plan and serial == parallel)
