"""Estimate how risk-averse and how noisy people were from how often they chose what.

python examples/fit_your_counts.py
"""

import equipoise as eqp

# Matching pennies in which the row player wins 9 on the left and 1 on the right.
game = eqp.NormalFormGame(
    [[[9.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]],
    player_names=["Row", "Column"],
    action_names=[["top", "bottom"], ["left", "right"]],
)
# How often each action was chosen: your own numbers go here.
counts = [[160.0, 90.0], [40.0, 210.0]]

fits = [eqp.fit(concept, (game, counts)) for concept in (eqp.RQE, eqp.QRE, eqp.Nash)]
for fit in fits:
    predicted = [strategy[0] for strategy in fit.predictions[0]]
    print(f"{fit.name}: top {predicted[0]:.3f} (seen 0.640), left {predicted[1]:.3f} (seen 0.160)")
    for estimate in fit.estimates:
        print(f"    {estimate.name} = {estimate.value:.3g}, 95% [{estimate.low:.3g}, {estimate.high:.3g}]")

print("Lower is better (AIC):")
for row in eqp.compare_fits(fits).rows:
    print(f"    {row.aic:.1f} {row.concept}")
