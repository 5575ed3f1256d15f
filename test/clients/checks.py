"""What the Python clients share: the models, a row, what XGBoost answered for it, and a way to report."""
import json
import os
import struct


def read(name):
    with open(os.environ[name], "rb") as file:
        return file.read()


CHURN = read("MP_CHURN")
EXAMPLES = json.loads(read("MP_EXAMPLES"))
JSON = EXAMPLES[0]["row"]
CHURN_SCORE = EXAMPLES[0]["predict_all"][0]
NUMERIC = read("MP_NUMERIC")
ARRAY = [float(x) for x in os.environ["MP_ARRAY"].split(",")]
NUMERIC_SCORE = float(os.environ["MP_NUMERIC_SCORE"])


def check(what, ok):
    print("ok" if ok else "not ok", what, flush=True)


def float32(x):
    return struct.pack("<f", x)


def close(got, want):
    """The same float32: arrays and scalars arrive as Python floats."""
    return float32(got) == float32(want)
