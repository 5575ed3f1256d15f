#!/usr/bin/env python3
"""Makes the benchmark's models and rows, always the same ones.

usage: make_models.py DIR [NAME...]

Writes for each model DIR/NAME.ubj and DIR/NAME.f32: rows as float32, row after
row, features in the model's order, NaN where missing. Features are independent
random normals, a worst case for evaluators that branch; 5 % are missing. Needs
numpy and xgboost (Debian: python3-xgboost). What is already there is kept.
"""
import os
import sys

import numpy as np
import xgboost as xgb

# trees, depth, features, classes, and what XGBoost does not do by itself; the first
# four are measured in every way, the others for the shape of their trees
MODELS = {
    "small": (100, 6, 30, 1, {}),
    "medium": (500, 8, 50, 1, {}),
    "large": (2000, 8, 100, 1, {}),
    "multi": (100, 6, 30, 10, {}),
    "depth10": (300, 10, 30, 1, {}),
    "depth12": (150, 12, 30, 1, {}),
    "leafwise": (300, 0, 30, 1, {"grow_policy": "lossguide", "max_leaves": 255}),
    "wide200": (300, 6, 200, 1, {}),
    "wide500": (300, 6, 500, 1, {}),
    "bins4000": (300, 6, 20, 1, {"max_bin": 4000}),
    "tiny": (50, 3, 10, 1, {}),
}
TRAIN_ROWS = 40000
SCORE_ROWS = 20000


def table(rng, n_rows, n_features):
    x = rng.standard_normal((n_rows, n_features)).astype(np.float32)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x


def train(name):
    rounds, depth, n_features, n_classes, extra = MODELS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    x = table(rng, TRAIN_ROWS, n_features)
    filled = np.nan_to_num(x)
    weights = rng.standard_normal((n_features, max(n_classes, 1)))
    scores = filled @ weights + 2 * np.sin(2 * filled[:, :1]) * filled[:, 1:2]
    scores += rng.standard_normal(scores.shape) * np.sqrt(n_features)
    params = {"tree_method": "hist", "max_depth": depth, "eta": 0.1, "seed": 1, "nthread": 2, **extra}
    if n_classes > 1:
        y = scores.argmax(axis=1)
        params.update(objective="multi:softprob", num_class=n_classes)
    else:
        y = scores[:, 0] > 0
        params.update(objective="binary:logistic")
    names = [f"c{i}" for i in range(n_features)]
    return xgb.train(params, xgb.DMatrix(x, y, feature_names=names), rounds)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        path = f"{out}/{name}.ubj"
        if not os.path.exists(path):
            train(name).save_model(path + ".part.ubj")
            os.rename(path + ".part.ubj", path)
        rows = f"{out}/{name}.f32"
        if not os.path.exists(rows):
            table(np.random.default_rng(7), SCORE_ROWS, MODELS[name][2]).tofile(rows)


if __name__ == "__main__":
    main()
