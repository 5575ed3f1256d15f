#!/usr/bin/env python3
"""Draws scaling.json and results.json: µs a row against model size and rows.

usage: plot.py DIR OUT      writes OUT.png and OUT.svg (needs matplotlib)
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def line(axis, points, column, label, style):
    xs = [p[0] for p in points if p[column] is not None]
    axis.loglog(xs, [p[column] for p in points if p[column] is not None], style, label=label)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(f"{sys.argv[1]}/scaling.json") as f:
        scaling = json.load(f)
    matplotlib.rcParams["svg.hashsalt"] = "model_predict"
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), sharey=True)
    for axis, key, title in ((axes[0], "trees", "trees of depth 6, 30 features"),
                             (axes[1], "features", "features, 100 trees of depth 6")):
        line(axis, scaling[key], 1, "in SQL, scan included", "o-")
        line(axis, scaling[key], 2, "XGBoost 1.7.4, C API, a row a call", "s--")
        axis.set_xlabel(title)
        axis.legend()
    line(axes[2], scaling["rows"], 1, "in SQL, scan included", "o-")
    axes[2].set_xlabel("rows in the statement, 100 trees")
    axes[0].set_ylabel("µs a row, one process")
    for axis in axes:
        axis.grid(True, which="both", alpha=0.3)
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(f"{sys.argv[2]}.{kind}", dpi=110, metadata={"Date": None} if kind == "svg" else None)


if __name__ == "__main__":
    main()
