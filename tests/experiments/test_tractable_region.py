"""The published parameters and the regions of the theorems."""

import numpy as np

from equipoise.experiments import experiment, silent


def test_all_published_fits_lie_inside():
    wanted = experiment("tractable-region")
    result = wanted.run(wanted.laptop, silent)
    table = result.tables["tractable-region"]
    products = np.array([row[table.columns.index("product")] for row in table.rows])
    assert len(products) == 26
    assert products.min() > 1.003
    assert all(claim.holds for claim in result.claims)
    left, right = result.pictures["tractable-region"].draw().axes
    # Curves of the figure: y = level / x.
    levels = [np.unique(np.round(line.get_xdata() * line.get_ydata(), 12)) for line in left.get_lines()]
    np.testing.assert_allclose(np.concatenate(levels), [1, 1 / 16, 1 / 64])
    assert len(right.get_lines()) == 2
    assert len(left.collections[-1].get_offsets()) == 13
