"""The catalogue: every listed equilibrium is one, every list called complete is complete."""

import itertools

import numpy as np
import pytest

import zoo
from equipoise.games import NormalFormGame, catalogue, catalogue_entry, named_game

ENTRIES = catalogue()


def largest_gain(game, strategies):
    values = game.expected_payoffs(strategies)
    return max(np.max(game.deviation_payoffs(i, strategies)) - values[i] for i in range(game.num_players))


def size(game):
    return max(1.0, max(np.max(np.abs(tensor)) for tensor in game.payoffs))


@pytest.mark.parametrize("key", ENTRIES)
def test_no_pure_deviation_gains(key):
    entry = ENTRIES[key]
    assert entry.equilibria
    for strategies in entry.equilibria:
        assert largest_gain(entry.game, strategies) <= 1e-12 * size(entry.game)


@pytest.mark.parametrize("key", ENTRIES)
def test_equilibria_are_listed_once(key):
    for one, other in itertools.combinations(ENTRIES[key].equilibria, 2):
        assert max(np.max(np.abs(x - y)) for x, y in zip(one, other, strict=True)) > 1e-6


@pytest.mark.parametrize("key", ENTRIES)
def test_tags_and_words(key):
    entry = ENTRIES[key]
    assert entry.key == key
    assert entry.title == entry.game.title != ""
    assert entry.description.endswith(".")
    assert entry.source
    assert entry.game.is_zero_sum == ("zero-sum" in entry.tags)
    if "constant-sum" in entry.tags:
        assert entry.game.is_constant_sum
    if entry.game.num_players != 2 or not entry.game.is_zero_sum:
        assert entry.game.is_symmetric == ("symmetric" in entry.tags)
    assert ("rectangular" in entry.tags) == (
        len(set(entry.game.num_actions)) > 1 and "large" not in entry.tags
    )
    assert ("three-player" in entry.tags) == (entry.game.num_players == 3)
    for names in entry.game.action_names:
        assert len(set(names)) == len(names)


def test_there_are_many():
    assert len(ENTRIES) >= 36
    assert len({entry.title for entry in ENTRIES.values()}) == len(ENTRIES)


def all_equilibria(game):
    """Support enumeration; complete for a game that is not degenerate, which it asserts."""
    R, C = game.payoffs[0], game.own_first(1)
    found = []
    for k in range(1, min(R.shape) + 1):
        for rows in itertools.combinations(range(R.shape[0]), k):
            for columns in itertools.combinations(range(R.shape[1]), k):
                y = indifferent(R[np.ix_(rows, columns)])
                x = indifferent(C[np.ix_(columns, rows)])
                if x is None or y is None or min(x.min(), y.min()) < -1e-9:
                    continue
                full_x, full_y = np.zeros(R.shape[0]), np.zeros(R.shape[1])
                full_x[list(rows)], full_y[list(columns)] = x, y
                if largest_gain_2(R, C, full_x, full_y) > 1e-9:
                    continue
                assert min(x.min(), y.min()) > 1e-9, (
                    "degenerate: an equilibrium strategy vanishes on its support"
                )
                assert np.sum(R @ full_y > np.max(R @ full_y) - 1e-9) == k, "degenerate: extra best response"
                assert np.sum(C @ full_x > np.max(C @ full_x) - 1e-9) == k, "degenerate: extra best response"
                found.append((full_x, full_y))
    return found


def largest_gain_2(R, C, x, y):
    return max(np.max(R @ y) - x @ R @ y, np.max(C @ x) - y @ C @ x)


def indifferent(matrix):
    """The mixture of columns that makes all rows equal, or None where there is no single one."""
    k = matrix.shape[0]
    system = np.vstack([matrix[1:] - matrix[0], np.ones(k)])
    if np.linalg.matrix_rank(system) < k:
        return None
    return np.linalg.solve(system, np.eye(k)[-1])


COMPLETE_2 = [k for k, entry in ENTRIES.items() if entry.complete and entry.game.num_players == 2]
COMPLETE_3 = [k for k, entry in ENTRIES.items() if entry.complete and entry.game.num_players == 3]


@pytest.mark.parametrize("key", COMPLETE_2)
def test_complete_lists_of_two_players_by_support_enumeration(key):
    entry = ENTRIES[key]
    found = all_equilibria(entry.game)
    assert len(found) == len(entry.equilibria)
    for strategies in entry.equilibria:
        distances = [max(np.max(np.abs(a - b)) for a, b in zip(f, strategies, strict=True)) for f in found]
        assert min(distances) < 1e-9


@pytest.mark.parametrize("key", COMPLETE_3)
def test_complete_lists_of_three_players_by_search(key):
    """Newton's method from many starts on every combination of supports finds nothing else."""
    entry = ENTRIES[key]
    game = entry.game
    found = []
    rng = np.random.default_rng(0)
    for supports in itertools.product(*(subsets(count) for count in game.num_actions)):
        for _ in range(1 if all(len(s) == 1 for s in supports) else 3):
            strategies = newton(game, supports, rng)
            if strategies is None or largest_gain(game, strategies) > 1e-9:
                continue
            if all(
                max(np.max(np.abs(a - b)) for a, b in zip(f, strategies, strict=True)) > 1e-6 for f in found
            ):
                found.append(strategies)
    assert len(found) == len(entry.equilibria)


def subsets(count):
    return [s for k in range(1, count + 1) for s in itertools.combinations(range(count), k)]


def newton(game, supports, rng):
    """A profile with these supports in which every player is indifferent over its own, or None."""
    sizes = [len(s) for s in supports]
    z = np.concatenate([rng.dirichlet(np.ones(k)) for k in sizes])
    splits = np.cumsum(sizes)[:-1]

    def expand(z):
        strategies = [np.zeros(count) for count in game.num_actions]
        for x, s, part in zip(strategies, supports, np.split(z, splits), strict=True):
            x[list(s)] = part
        return strategies

    def residual(z):
        strategies = expand(z)
        rows = []
        for i, (s, part) in enumerate(zip(supports, np.split(z, splits), strict=True)):
            u = multilinear(game, i, strategies)[list(s)]
            rows += [*(u[1:] - u[0]), np.sum(part) - 1]
        return np.array(rows)

    for _ in range(12):
        value = residual(z)
        if np.max(np.abs(value)) < 1e-13:
            break
        step = 1e-7
        jacobian = np.stack(
            [(residual(z + step * e) - residual(z - step * e)) / (2 * step) for e in np.eye(len(z))], 1
        )
        z = z - np.linalg.lstsq(jacobian, value, rcond=None)[0]
    if np.max(np.abs(residual(z))) > 1e-10 or np.min(z) < 1e-9:
        return None
    return expand(z)


def multilinear(game, i, strategies):
    """Expected payoffs against others' vectors that need not be probabilities."""
    tensor = game.payoffs[i]
    for j in reversed(range(game.num_players)):
        if j != i:
            tensor = np.tensordot(tensor, strategies[j], axes=(j, 0))
    return tensor


@pytest.mark.peer
@pytest.mark.parametrize("key", COMPLETE_3)
def test_complete_lists_of_three_players_by_gambit(key):
    gambit = pytest.importorskip("pygambit")
    entry = ENTRIES[key]
    game = gambit.StrategicGame.from_arrays(*entry.game.payoffs)
    assert len(list(gambit.nash.enumpoly_solve(game).equilibria)) == len(entry.equilibria)


def test_values_in_print():
    def value(key):
        entry = catalogue_entry(key)
        return entry.game.expected_payoffs(entry.equilibria[0])[0]

    assert value("kuhn-poker") == pytest.approx(-1 / 18, abs=1e-15)
    assert value("two-by-three") == pytest.approx(49 / 11)
    assert value("two-finger-morra") == pytest.approx(0, abs=1e-15)
    assert value("colonel-blotto") == pytest.approx(0, abs=1e-15)
    assert value("hide-and-seek") == pytest.approx(6 / 11)
    assert value("penalty-kick") == pytest.approx(79.6, abs=0.05)
    assert value("biased-rock-paper-scissors") == pytest.approx(0, abs=1e-15)


def test_degenerate_segments_hold_between_their_ends():
    """Between two listed ends with one strategy in common, every mixture is an equilibrium too."""
    for key, first, second in [
        ("entry-deterrence", 1, 2),
        ("continuum", 0, 1),
        ("bismarck-sea", 0, 1),
        ("commitment-1", 0, 1),
        ("commitment-2", 0, 1),
        ("two-finger-morra", 0, 1),
        ("kuhn-poker", 0, 1),
        ("seltens-horse", 0, 1),
        *(("kohlberg-mertens", k, (k + 1) % 6) for k in range(6)),
    ]:
        entry = ENTRIES[key]
        ends = entry.equilibria[first], entry.equilibria[second]
        middle = [0.3 * x + 0.7 * y for x, y in zip(*ends, strict=True)]
        assert largest_gain(entry.game, middle) < 1e-12


def test_unprofitable_equilibrium_pays_the_security_level():
    game = named_game("unprofitable")
    for i, security in enumerate([[0.75, 0.25], [0.25, 0.75]]):
        guaranteed = np.min(np.array(security) @ game.own_first(i))
        assert guaranteed == game.expected_payoffs(catalogue_entry("unprofitable").equilibria[0])[i] == 3.0


def test_lookup_suggests_similar_names():
    assert named_game("stag-hunt") is catalogue()["stag-hunt"].game
    with pytest.raises(ValueError, match="did you mean 'stag-hunt'"):
        named_game("Stag Hunt")
    with pytest.raises(ValueError, match=r"did you mean .*'prisoners-dilemma'"):
        catalogue_entry("prisoner dilemma")
    with pytest.raises(ValueError, match=r"see catalogue\(\)"):
        named_game("zzzz")


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        ENTRIES["new"] = ENTRIES["stag-hunt"]


def test_zoo_is_complete_and_the_same_in_every_call():
    games = zoo.all_games()
    assert set(ENTRIES) < set(games)
    assert set(zoo.small_games()) | set(zoo.large_games()) == set(games)
    assert all(isinstance(game, NormalFormGame) for game in games.values())
    assert {game.num_players for game in games.values()} == {1, 2, 3, 4}
    zoo.random_games.cache_clear()
    assert zoo.all_games() == games
