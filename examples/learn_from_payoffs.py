"""Two players learn a zero-sum game from their own payoffs alone, and end where theory says.

python examples/learn_from_payoffs.py
"""

import numpy as np

import equipoise as eqp
from equipoise.equilibria.zero_sum import nash_distribution
from equipoise.learning.tabular.payoff_based import onlooker

# Rock, paper, scissors with unequal stakes.
stakes = np.array([[0.0, -1.0, 0.5], [1.0, 0.0, -0.25], [-0.5, 0.25, 0.0]])
game = eqp.NormalFormGame([stakes, -stakes], action_names=[["rock", "paper", "scissors"]] * 2)

# Neither player sees what the other does. An onlooker who knows the game measures them.
learner = eqp.SmoothedBestResponse(bounded_rationality=0.3)
run = eqp.train(learner, game, steps=20_000, seeds=10, evaluate=onlooker(learner, game), progress=False)

exact = nash_distribution(stakes, 0.3).strategies[0]
learnt = run.policies[0].mean(axis=0)
for name, target, found in zip(game.action_names[0], exact, learnt, strict=True):
    print(f"{name:9} Nash distribution {target:.3f}, learnt {found:.3f}")
print(f"largest difference, mean over seeds: {run.metrics['distance'][-1].mean():.3f}")
print(f"what noise costs at rest, both players: {run.metrics['nash_gap'][-1].mean():.2f}")
