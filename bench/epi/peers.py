"""Answers the questions of epi-bench with epyestim (PyPI): prints the seconds, writes rows to the last argument.

Ends with exit code 3 if the package is not there.
"""

import sys
import time

try:
    import numpy as np
    import pandas as pd
    from scipy.stats import gamma
    from epyestim.estimate_r import estimate_r
except ImportError:
    sys.exit(3)

if sys.argv[1] != "reproduction":
    sys.exit(3)
series = [[float(x) for x in line.split(",")] for line in open(sys.argv[2])]
si = np.array([float(line) for line in open(sys.argv[3])])
quantiles = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975]
started = time.perf_counter()
rows = []
for cases in series:
    dates = pd.date_range("2020-01-01", periods=len(cases))
    found = estimate_r(pd.Series(cases, dates), si / si.sum(), 1.0, 5.0, 7)
    a, b = found["a_posterior"].to_numpy(), found["b_posterior"].to_numpy()
    columns = [a * b, np.sqrt(a) * b] + [gamma.ppf(q, a, scale=b) for q in quantiles]
    # Its windows begin a day earlier than the others'.
    rows.append(np.column_stack(columns)[-(len(cases) - 7):])
print(time.perf_counter() - started)
np.savetxt(sys.argv[-1], np.vstack(rows), delimiter=",", fmt="%.17g")
