#!/usr/bin/env python3
"""scikit-learn's side of the row `grid-search`: GridSearchCV of MLPClassifier(solver="lbfgs", tol=5e-3) on the digits.

For each line `grid lbfgs SEED` on standard input it searches once and prints `NAME grid lbfgs SECONDS;SCORE,SCORE,...`:
the mean accuracy over 5 folds of each point, alpha by alpha. Two workers, one BLAS thread each.
"""
import os

for library in ("OMP", "OPENBLAS", "MKL", "BLIS"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers too: 200 iterations do not always suffice

import argparse, sys, time, warnings

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("name", metavar="NAME", help="as it stands in the answers")
NAME = parser.parse_args().name

import numpy, scipy, sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

WORKERS = 2
GRID = {"hidden_layer_sizes": [(5,), (20,), (50,), (100,), (150,), (200,)], "alpha": [0.001, 0.01, 1, 2]}


def search(x, y, seed):
    classifier = MLPClassifier(solver="lbfgs", tol=5e-3, random_state=seed)
    grid = GridSearchCV(classifier, GRID, cv=5, n_jobs=WORKERS, refit=False)
    begun = time.perf_counter()
    grid.fit(x, y)
    return time.perf_counter() - begun, grid.cv_results_["mean_test_score"]


def main():
    warnings.filterwarnings("ignore")
    x, y = load_digits(return_X_y=True)
    versions = f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {numpy.__version__}"
    print(f"# {NAME}: {versions}, {WORKERS} workers with one BLAS thread each", flush=True)
    for line in sys.stdin:
        net, solver, seed = line.split()
        seconds, scores = search(x, y, int(float(seed)))
        print(f"{NAME} {net} {solver} {seconds:.4f};{','.join(f'{score:.6f}' for score in scores)}", flush=True)


main()
