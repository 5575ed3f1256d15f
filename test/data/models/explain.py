#!/usr/bin/python3
"""Records what XGBoost 1.7.4 says to explain its own models here: run with Debian's python3-xgboost.

usage: explain.py

Writes into some folders of xgboost-1.7.4: interactions.csv (pred_interactions of the first rows of X.csv, flat),
importance.csv (Booster.get_score, features without a split left out) and dump.txt (get_dump with statistics, each
tree after a line with its number).
"""
import csv
import json
import os

import numpy as np
import xgboost

CASES = ["binary-logistic-basescore", "categorical-onehot", "categorical-partition", "dart-multi", "forest", "gblinear",
         "multi-target", "root-only", "sklearn-classifier"]
ROWS = 5
TREES = 2


def rows_of(folder, meta):
    rows = list(csv.reader(open(f"{folder}/X.csv")))
    categories = meta.get("categories") or {}

    def number(name, cell):
        if cell == "":
            return np.nan
        return categories[name].index(cell) if cell in categories.get(name, []) else float(cell)
    return rows[0], np.array([[number(n, c) for n, c in zip(rows[0], r)] for r in rows[1:]], dtype=np.float32)


def record(folder):
    meta = json.load(open(f"{folder}/meta.json"))
    booster = xgboost.Booster(model_file=f"{folder}/model.json")
    names, x = rows_of(folder, meta)
    kinds = ["weight"]
    if meta["booster"] != "gblinear":
        kinds += ["gain", "cover", "total_gain", "total_cover"]
        last = int(booster.attr("best_iteration") or 0) + 1 if meta.get("iteration_range") else 0
        d = xgboost.DMatrix(x[:ROWS], feature_names=booster.feature_names, feature_types=booster.feature_types)
        answer = booster.predict(d, pred_interactions=True, iteration_range=(0, last))
        np.savetxt(f"{folder}/interactions.csv", answer.reshape(ROWS, -1), fmt="%.9g", delimiter=",")
        with open(f"{folder}/dump.txt", "w") as f:
            for i, tree in enumerate(booster.get_dump(with_stats=True)[:TREES]):
                f.write(f"tree {i}\n{tree}")
    scores = [booster.get_score(importance_type=k) for k in kinds]
    with open(f"{folder}/importance.csv", "w") as f:
        f.write(",".join(["position"] + kinds) + "\n")
        for i, name in enumerate(booster.feature_names or [f"f{i}" for i in range(len(names))]):
            if name in scores[0]:
                f.write(",".join([str(i)] + ["%.9g" % np.float32(s[name]) for s in scores]) + "\n")


assert xgboost.__version__ == "1.7.4"
for case in CASES:
    record(f"{os.path.dirname(os.path.abspath(__file__))}/xgboost-1.7.4/{case}")
