"""Trains the pipeline of the demo: scikit-learn's steps, then XGBoost. Writes its file and the arguments of register()."""
import json
import sys

import pandas
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

sys.path.insert(0, "../../../src/client")
import model_predict

X = pandas.read_csv("customers.csv").drop(columns="id")
y = (X.pop("churn") == "Yes").astype(int)
text = X.select_dtypes("object").columns.tolist()
pipeline = make_pipeline(
    ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), text),
                       ("numbers", StandardScaler(), ["tenure", "monthly_charges", "total_charges"])],
                      remainder="passthrough"),
    XGBClassifier(n_estimators=60, max_depth=4, learning_rate=0.1, n_jobs=1, random_state=1))
pipeline.fit(X, y)

arguments = model_predict.describe(pipeline, X, examples=5, classes=["No", "Yes"])
with open("pipeline.ubj", "wb") as file:
    file.write(arguments.pop("model"))
with open("pipeline.json", "w") as file:
    json.dump(arguments, file)
