# SPDX-License-Identifier: BSD-3-Clause
"""The lasso's path: `mpirun -n 2 python examples/lasso_path.py [--picture FILE]`.

442 patients, ten measurements, and how far diabetes went. The larger the penalty, the fewer measurements keep a
coefficient. Each fit makes one pass over a rank's rows and one allreduce. Prints the same at any number of ranks.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso

import equiheat as ht

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--picture")
picture = parser.parse_args().picture

features, progress = load_diabetes(return_X_y=True)
x, y = ht.array(features, split=0), ht.array(progress, split=0)
x = ht.preprocessing.StandardScaler().fit_transform(x)
scaled = x.numpy()  # for scikit-learn

penalties = np.geomspace(0.1, 45, 24)
path = []
for penalty in penalties:
    model = ht.regression.Lasso(lam=penalty, max_iter=5000, tol=1e-8, fit_intercept=True).fit(x, y)
    path.append(model.coef_.numpy().ravel())
path = np.array(path)
kept = (np.abs(path) > 1e-8).sum(axis=1)
ht.print0("measurements kept", kept.tolist())

for n in (0, len(penalties) // 2, -1):
    reference = Lasso(alpha=penalties[n], max_iter=20000, tol=1e-10).fit(scaled, progress)
    np.testing.assert_allclose(path[n], reference.coef_, atol=1e-3)
if not kept[0] > kept[-1]:
    raise SystemExit("lasso_path: the penalty removed no measurement")

if picture and ht.get_comm().rank == 0:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    axes.semilogx(penalties, path)
    axes.set(xlabel="penalty", ylabel="coefficient")
    axes.invert_xaxis()
    figure.savefig(picture)
