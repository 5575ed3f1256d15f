#!/usr/bin/env python3
"""Contributions and interactions of one row: this project beside libxgboost, one thread, the same rows.

usage: shap_compare.py SHAP_BENCH DIR [NAME...]

SHAP_BENCH is the program made of shap_bench.c, DIR the folder of make_models.py. Runs the two in turn on each model and
prints microseconds per row and the ratio. Interactions of XGBoost are timed on small models only: they take seconds.
"""
import statistics
import subprocess
import sys
import time

import numpy as np
import xgboost as xgb


def microseconds(booster, rows, runs, **what):
    times = []
    for i in range(runs):
        d = xgb.DMatrix(rows[i:i + 1], feature_names=booster.feature_names, nthread=1)
        start = time.perf_counter()
        booster.predict(d, **what)
        times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)


program, folder = sys.argv[1:3]
print(f"{'model':8} {'':13} {'libxgboost ' + xgb.__version__:>18} {'ours':>10} {'ratio':>7}")
for name in sys.argv[3:] or ["small", "medium", "large", "multi"]:
    booster = xgb.Booster({"nthread": 1}, model_file=f"{folder}/{name}.ubj")
    rows = np.fromfile(f"{folder}/{name}.f32", dtype=np.float32).reshape(-1, booster.num_features())
    words = subprocess.run([program, folder, name], capture_output=True, text=True, check=True).stdout.split()
    ours = dict(zip(words[1::2], map(float, words[2::2])))
    theirs = microseconds(booster, rows, 30, pred_contribs=True)
    print(f"{name:8} {'contribs':13} {theirs:18.0f} {ours['contribs']:10.1f} {theirs / ours['contribs']:7.0f}")
    if name == "small":
        theirs = microseconds(booster, rows, 5, pred_interactions=True)
        print(f"{name:8} {'interactions':13} {theirs:18.0f} {ours['interactions']:10.1f} "
              f"{theirs / ours['interactions']:7.0f}")
