"""Several equilibria, and the picture of where they meet.

python examples/bifurcation.py [FILE.png]
"""

import sys

import equipoise as eqp
from equipoise.reporting.figures import save
from equipoise.reporting.traces import trace_figure

game = eqp.named_game("collaborate-or-defect")

found = eqp.find_equilibria(game, eqp.RQE(risk_aversion=0.5, bounded_rationality=0.2))
for solution in found:
    row, column = (strategy[0] for strategy in solution.strategies)
    print(f"row collaborates {row:.3f}, column {column:.3f}, index {solution.details['index']:+d}")
print(found.status)

followed = eqp.trace(game, eqp.RQE(bounded_rationality=0.2), "risk_aversion", 0.0, 2.0)
for met in followed.bifurcations:
    print(f"the three meet at a risk aversion of {met.parameter:.4f} ({met.kind})")
print("picture:", save(trace_figure(followed), sys.argv[1] if len(sys.argv) > 1 else "bifurcation.png"))
