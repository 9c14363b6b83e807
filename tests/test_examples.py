"""Every example runs and says what it is there to show."""

import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
LONGEST = 40
# What each must print; numbers are checked below where they are known.
SHOWN = {
    "bifurcation": "the three meet at a risk aversion of 0.8288 (crossing)",
    "commitment": "guard the rich gate 0.600, intruder tries the rich gate, worth -0.800",
    "first_equilibrium": "Nash                  Ann hunts stag with probability 1.000",
    "fit_your_counts": "top 0.640 (seen 0.640), left 0.160 (seen 0.160)",
    "learn_from_payoffs": "rock      Nash distribution 0.161",
    "thousand_games": "1000 converged",
    "worst_case": "worst odds",
}
pytestmark = pytest.mark.xdist_group("examples")


@functools.cache
def printed(name):
    """What an example prints, run as a user would, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, FOLDER / f"{name}.py"],
            cwd=folder,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
        )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.\d+", text)]


def test_every_example_is_listed_and_short():
    scripts = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in FOLDER.glob("*.py")}
    assert set(scripts) == set(SHOWN)
    assert max(map(len, scripts.values())) <= LONGEST


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_it_runs_and_shows_its_point(name):
    assert SHOWN[name] in printed(name)


def test_fear_turns_the_hunters_to_hares():
    lines = [line for line in printed("first_equilibrium").splitlines() if "stag with" in line]
    neutral, wary, fearful = (float(re.search(r"probability (\d\.\d+)", line)[1]) for line in lines[1:])
    assert neutral > wary > 0.9 > 0.2 > fearful


def test_fear_raises_what_is_guaranteed_and_lowers_what_is_expected():
    lines = printed("thousand_games").splitlines()
    expected, guaranteed = zip(*(numbers(line)[1:3] for line in lines), strict=True)
    assert list(expected) == sorted(expected, reverse=True)
    assert list(guaranteed) == sorted(guaranteed)


def test_margins_cost_the_leader():
    nash, *worths = (numbers(line)[-1] for line in printed("commitment").splitlines())
    assert worths[0] > nash
    # Each unit of margin shifts the guard by 1/10 and costs 7/10: both sides' payoffs are linear.
    assert worths == pytest.approx([-0.8, -1.15, -1.5])


def test_the_careful_plan_wins_in_the_worst_case_only():
    bold, careful = (
        numbers(line) for line in printed("worst_case").splitlines() if line.startswith(("bold", "careful"))
    )
    assert bold[0] > careful[0]
    assert all(b < c for b, c in zip(bold[1:4], careful[1:4], strict=True))
    # Total variation moves a tenth of the mass from the best to the worst outcome.
    assert bold[2] == pytest.approx(6.8 - 0.1 * 20.0, abs=5e-3)
    assert bold[3] == pytest.approx(-10.0)
