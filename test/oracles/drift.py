"""Holds drift() against NumPy: years, months as yyyymm, longitudes, Kelvin,
money, small integers, flags, categories. Prints "ok WHAT" or "not ok WHAT".
"""
import io
import json
import math

import numpy as np
import psycopg2

rng = np.random.default_rng(17)
connection = psycopg2.connect("")
connection.autocommit = True
cursor = connection.cursor()


def check(what, ok, *more):
    print("ok" if ok else "not ok", what, flush=True)
    if not ok:
        print("#", *more)


def ask(sql, *parameters):
    cursor.execute(sql, parameters)
    return cursor.fetchall()


def model(names):
    """A model of XGBoost's that has these features and no trees."""
    return json.dumps({"learner": {
        "attributes": {}, "feature_names": names, "feature_types": ["float"] * len(names),
        "gradient_booster": {"model": {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "0"},
                                       "iteration_indptr": [0], "tree_info": [], "trees": []}, "name": "gbtree"},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "0", "num_class": "0",
                                "num_feature": str(len(names)), "num_target": "1"},
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}},
        "version": [2, 1, 4]}).encode()


N = 8000


def columns(shift):
    """As they were when the model was trained (0), and later (1)."""
    n = N - 1000 * shift
    with_gaps = rng.normal(50, 10, n)
    with_gaps[rng.random(n) < 0.1 + 0.15 * shift] = np.nan
    return {
        "year": rng.integers(1950, 2020 + 4 * shift, n),
        "yyyymm": 100 * rng.integers(2018, 2024 + shift, n) + rng.integers(1, 13, n),
        "longitude": rng.uniform(-180, 180 - 30 * shift, n),
        "kelvin": rng.normal(288 + 2 * shift, 10, n),
        "money": np.round(np.exp(rng.normal(8, 2 + 0.3 * shift, n)), 2) * np.where(rng.random(n) < 0.1, -1, 1),
        "small": rng.poisson(2 + shift, n),
        "flag": (rng.random(n) < 0.02 + 0.01 * shift).astype(int),
        "with_gaps": with_gaps,
        "constant": np.full(n, 3 + shift * (rng.random() > 2)),
        "zeros": np.where(rng.random(n) < 0.5, -0.0, rng.integers(0, 30, n)),
        "tiny": rng.normal(size=n) * 1e-30,
        "same": np.arange(n) % 100,
        "moved": np.full(n, 7 + shift),
    }


then, now = columns(0), columns(1)
names = list(then)
for table, values in (("then", then), ("now", now)):
    cursor.execute(f'DROP TABLE IF EXISTS "{table}"')
    cursor.execute(f'CREATE TABLE "{table}" ({", ".join(f"{c} double precision" for c in names)})')
    text = "".join("\t".join("\\N" if math.isnan(x) else repr(float(x)) for x in row) + "\n"
                   for row in zip(*values.values()))
    cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.StringIO(text))
ask("SELECT model_predict.register('numbers', %s)", model(names))


def keys(x):
    """The order-preserving 32 bits of a float32; missing ones are left out."""
    bits = (np.asarray(x, dtype=np.float32)[~np.isnan(x)] + np.float32(0)).view(np.uint32).astype(np.uint64)
    return np.where(bits >> 31, bits ^ 0xffffffff, bits ^ 0x80000000)


def histogram(x):
    k, shift = keys(x), 0
    while len(np.unique(k >> shift)) > 1024:
        shift += 1
    return k >> shift, shift


def index(p, q):
    """PSI and the Jensen-Shannon distance of counts."""
    p, q = np.array(p) / sum(p), np.array(q) / sum(q)
    m = (p + q) / 2
    js = sum(x * math.log2(x / y) for a in (p, q) for x, y in zip(a, m) if x > 0) / 2
    p, q = np.where(p == 0, 0.0001, p), np.where(q == 0, 0.0001, q)
    return float(np.sum((p - q) * np.log(p / q))), math.sqrt(max(js, 0))


def counts(actual, expected):
    """By the values of the expected ones where they are few, else by their deciles; last what is not listed."""
    values = np.unique(expected)
    if len(values) <= 10:
        return [[np.sum(x == v) for v in values] + [np.sum(~np.isin(x, values))] for x in (actual, expected)]
    edges = np.unique(np.quantile(expected, np.arange(1, 10) / 10, method="inverted_cdf"))
    edges = edges[edges < values[-1]]
    return [list(np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1)) + [0] for x in (actual, expected)]


def expected_drift(name):
    a, shift_a = histogram(now[name])
    e, shift_e = histogram(then[name])
    shift = max(shift_a, shift_e)
    p, q = counts(a >> (shift - shift_a), e >> (shift - shift_e))
    p.append(np.isnan(now[name]).sum())
    q.append(np.isnan(then[name]).sum())
    bins = sum(x > 0 or y > 0 for x, y in zip(p, q))
    return index(p, q) + ((bins - 1) * (1 / sum(p) + 1 / sum(q)), sum(p), p[-1] / sum(p), q[-1] / sum(q), p[-2] / sum(p))


(profile_then,), = ask('SELECT model_predict.profile(%s, t.*)::text FROM "then" t', "numbers")
(profile_now,), = ask('SELECT model_predict.profile(%s, t.*)::text FROM "now" t', "numbers")
parsed = {i["name"]: i for i in json.loads(profile_then)["inputs"]}
rows = {r[0]: r for r in ask("SELECT * FROM model_predict.drift(%s::jsonb, %s::jsonb)", profile_now, profile_then)}
for name in names:
    k, shift = histogram(then[name])
    unique, n = np.unique(k, return_counts=True)
    check(f"profile of {name}", parsed[name]["shift"] == shift and parsed[name]["keys"] == unique.tolist() and
          parsed[name]["counts"] == n.tolist() and parsed[name]["missing"] == np.isnan(then[name]).sum())
    want = expected_drift(name)
    got = rows[name][2:9]
    check(f"drift of {name}", all(abs(g - w) <= 1e-12 * max(1, abs(w)) for g, w in zip(got, want)), got, want)
    psi = got[0]
    verdict = "none" if psi < 0.1 else "moderate" if psi < 0.25 else "significant"
    check(f"verdict on {name}", rows[name][10] == verdict, rows[name][10], psi)
    # where there are more than 1,024 numbers, keys are shifted, which moves edges a little
    a, e = (x[name][~np.isnan(x[name])] for x in (now, then))
    if name not in ("with_gaps",):
        plain = index(*counts(a.astype(np.float32), e.astype(np.float32)))[0]
        tolerance = 1e-12 if histogram(then[name])[1] == histogram(now[name])[1] == 0 else 0.02
        check(f"drift of {name} is that of the numbers themselves", abs(plain - psi) < tolerance, plain, psi)
check("the score is the first row", list(rows)[0] == "score")
check("then by index", [r[2] for r in rows.values()][1:] == sorted((r[2] for r in list(rows.values())[1:]), reverse=True))

# What a baseline hides moves its index little
ask("SELECT model_predict.set_baseline('numbers', %s)", profile_then)
(kept,), = ask("SELECT profile::text FROM model_predict.stored_baseline")
kept = json.loads(kept)
check("a baseline has no bin of fewer than 5 rows", min(min(i["counts"]) for i in kept["inputs"] + [kept["score"]]) >= 5)
check("but all rows", all(sum(i["counts"]) + i["missing"] == N for i in kept["inputs"]))
pooled = {r[0]: r for r in ask("SELECT * FROM model_predict.drift('numbers', %s::jsonb)", profile_now)}
for name in names:
    check(f"drift of {name} from a baseline that hides some", abs(pooled[name][2] - rows[name][2]) < 0.01,
          pooled[name][2], rows[name][2])

# Any parts, in any order, by any plan
(parts,), = ask("""SELECT model_predict.merge_profiles(p)::text FROM (SELECT model_predict.profile('numbers', t.*) p
    FROM "then" t GROUP BY (year::int %% 7)) x""")
check("profiles of parts add up", parts == profile_then)
cursor.execute("""SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off; ALTER TABLE "then" SET (parallel_workers = 3)""")
plan = str(ask("""EXPLAIN SELECT model_predict.profile('numbers', t.*) FROM "then" t"""))
(parallel,), = ask("""SELECT model_predict.profile('numbers', t.*)::text FROM "then" t""")
check("a parallel plan gives the same profile", "Partial" in plan and parallel == profile_then)
