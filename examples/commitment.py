"""What to commit to when the other side sees it and replies best, and how much certainty costs.

python examples/commitment.py
"""

import equipoise as eqp

# Two gates to guard; the intruder wants the richer one.
game = eqp.NormalFormGame(
    [[[2.0, -3.0], [-5.0, 2.0]], [[-1.0, 3.0], [5.0, -1.0]]],
    player_names=["guard", "intruder"],
    action_names=[["rich gate", "poor gate"]] * 2,
)
nash = eqp.solve(game, eqp.Nash())
print(f"Nash: guard the rich gate {nash.strategies[0][0]:.3f}, worth {nash.values[0]:.3f}")

# With a margin the reply is best by that much: small errors about the intruder's payoffs then do no harm.
for margin in (0.0, 0.5, 1.0):
    solution = eqp.solve(game, eqp.Stackelberg(leader=0, margin=margin))
    reply = game.action_names[1][solution.details["reply"]]
    print(
        f"committed, margin {margin}: guard the rich gate {solution.strategies[0][0]:.3f}, "
        f"intruder tries the {reply}, worth {solution.values[0]:.3f}"
    )
