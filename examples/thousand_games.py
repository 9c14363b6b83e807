"""A thousand games in one call: does fear of the others make play safer?

python examples/thousand_games.py
"""

import time

import numpy as np

import equipoise as eqp

# [games, players, rows, columns]
payoffs = np.random.default_rng(0).standard_normal((1000, 2, 5, 5))
for risk_aversion in (0.0, 0.5, 2.0):
    concept = eqp.RQE(risk_aversion=risk_aversion, bounded_rationality=0.2)
    start = time.perf_counter()
    batch = eqp.solve_batch(payoffs, concept)
    seconds = time.perf_counter() - start
    row, column = batch.strategies
    expected = np.einsum("gab,ga,gb->g", payoffs[:, 0], row, column)
    # What the row player is left with when the column player turns against it.
    guaranteed = np.einsum("gab,ga->gb", payoffs[:, 0], row).min(axis=1)
    print(
        f"risk aversion {risk_aversion}: expected {expected.mean():.3f}, guaranteed {guaranteed.mean():.3f}; "
        f"{batch.converged.sum()} converged, largest gap {batch.gaps.max():.0e}, {seconds:.2f} s"
    )
