"""How a player judges risk: divergences, regularizers and the risk measures built from them."""
