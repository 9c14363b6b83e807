"""What can be sampled: bridges between games and Gymnasium, PettingZoo and JAX environments."""

from equipoise.environments.finite_gymnasium import MarkovEnv, from_gymnasium, to_gymnasium
from equipoise.environments.finite_jax import from_jax_environment
from equipoise.environments.finite_pettingzoo import from_pettingzoo, to_pettingzoo

__all__ = [
    "MarkovEnv",
    "from_gymnasium",
    "from_jax_environment",
    "from_pettingzoo",
    "to_gymnasium",
    "to_pettingzoo",
]
