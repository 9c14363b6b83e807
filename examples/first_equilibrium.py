"""A first risk-averse quantal response equilibrium (RQE), beside Nash and logit quantal response.

python examples/first_equilibrium.py
"""

import equipoise as eqp

# A hunt for two: the stag feeds both, but only if both come; a hare can be caught alone.
game = eqp.NormalFormGame(
    [[[6.0, 0.0], [2.5, 2.5]], [[6.0, 2.5], [0.0, 2.5]]],
    player_names=["Ann", "Bob"],
    action_names=[["stag", "hare"]] * 2,
)
concepts = {
    "Nash": eqp.Nash(),
    "QRE, λ = 1": eqp.QRE(1.0),
    "RQE, τ = 0.05, ε = 1": eqp.RQE(risk_aversion=0.05, bounded_rationality=1.0),
    "RQE, τ = 0.5, ε = 1": eqp.RQE(risk_aversion=0.5, bounded_rationality=1.0),
}
for name, concept in concepts.items():
    solution = eqp.solve(game, concept)
    stag = solution.strategies[0][0]
    print(f"{name:21} Ann hunts stag with probability {stag:.3f}; gap {solution.certificate.gap:.0e}")
    print(f"{'':21} {solution.status}")
