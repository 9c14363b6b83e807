"""How much a plan may lose when the odds are not what was assumed.

python examples/worst_case.py
"""

import numpy as np

import equipoise as eqp

odds = np.array([0.7, 0.2, 0.1])  # good, fair and bad weather
plans = {"bold": np.array([10.0, 4.0, -10.0]), "careful": np.array([6.0, 5.0, 3.0])}

print("plan      expected   within KL 0.1   within TV 0.1   worst 10% (CVaR)   worst odds within KL 0.1")
for name, payoff in plans.items():
    near = eqp.worst_case(odds, payoff, "kl", "constrained", level=0.1)
    shifted = eqp.worst_case(odds, payoff, "tv", "constrained", level=0.1)
    tail = eqp.worst_case(odds, payoff, "cvar", level=0.1)
    print(
        f"{name:8} {odds @ payoff:9.2f} {near.value:15.2f} {shifted.value:15.2f} {tail.value:18.2f}   "
        f"{np.round(near.kernel, 3)}"
    )

# The same fear as a price per unit of divergence instead of a limit: risk aversion τ is 1/level.
for tau in (0.1, 0.5, 2.0):
    values = [eqp.worst_case(odds, payoff, level=1.0 / tau).value for payoff in plans.values()]
    print(f"risk aversion {tau}: bold {values[0]:.2f}, careful {values[1]:.2f}")
