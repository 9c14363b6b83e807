"""The training loop: seeds, records, checkpoints, resumption, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equipoise as eqp
from equipoise.learning import CheckpointError, Learner, TrainingDivergedError, check_learner, load_run, train
from equipoise.learning.training import check_kind

GAME = eqp.NormalFormGame([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]])


@dataclass(frozen=True)
class Averager:
    """Estimates the mean of noisy payoffs of uniform play: the simplest learner there is."""

    step: float = 0.0
    fault: int = -1  # update at which the estimate becomes NaN

    name = "averager"
    precision = "float64"

    def check(self, game):
        if not isinstance(game, eqp.NormalFormGame):
            raise TypeError("game must be a NormalFormGame")

    def prepare(self, game):
        return {"payoff": np.stack(game.payoffs)}

    def samples_per_update(self, game):
        return 4

    def init(self, model, key):
        return {"estimate": jnp.zeros(()), "count": jnp.zeros((), int)}

    def update(self, model, state, key):
        draws = jax.random.choice(key, model["payoff"][0].ravel(), (4,))
        count = state["count"] + 1
        rate = jnp.where(self.step > 0, self.step, 1.0 / count)
        estimate = state["estimate"] + rate * (draws.mean() - state["estimate"])
        estimate = jnp.where(count == self.fault + 1, jnp.nan, estimate)
        return {"estimate": estimate, "count": count}, {"draw": draws.mean()}

    def policy(self, model, state):
        return (jnp.full(2, 0.5), jnp.full(2, 0.5))


def test_a_learner_that_follows_the_protocol_is_one():
    assert isinstance(Averager(), Learner)
    check_learner(Averager(), GAME)


def test_learns_the_mean_and_records_it():
    run = train(Averager(), GAME, steps=4000, seeds=20)
    # Payoffs have mean 2.25 and standard deviation 1.92: 20 seeds stay within four standard errors.
    assert run.updates == 1000
    assert np.abs(run.states["estimate"] - 2.25).max() < 4 * 1.92 / np.sqrt(4000)
    assert run.metrics["draw"].shape == (100, 20)
    # Means over all updates, whatever the records: exactly the learner's own estimate.
    assert np.allclose(run.metrics["draw"].mean(axis=0), run.states["estimate"], rtol=1e-12)
    assert run.policies[0].shape == (20, 2)


def test_seeds_do_not_depend_on_how_many_there_are():
    alone = train(Averager(), GAME, steps=40, seeds=1)
    many = train(Averager(), GAME, steps=40, seeds=5)
    assert many.states["estimate"][0] == alone.states["estimate"][0]
    assert len(set(many.states["estimate"])) == 5
    other = train(Averager(), GAME, steps=40, seeds=1, seed=1)
    assert other.states["estimate"][0] != alone.states["estimate"][0]


def test_records_do_not_change_the_numbers():
    often = train(Averager(), GAME, steps=400, log_every=4)
    rarely = train(Averager(), GAME, steps=400, log_every=120)
    assert often.states["estimate"] == rarely.states["estimate"]
    assert list(rarely.at) == [120, 240, 360, 400]


def test_evaluation_sees_policies_and_adds_metrics():
    run = train(
        Averager(), GAME, steps=40, seeds=3, evaluate=lambda policies: {"mass": policies[0].sum((1,))}
    )
    assert np.allclose(run.metrics["mass"], 1.0)
    with pytest.raises(ValueError, match="one number per seed"):
        train(Averager(), GAME, steps=40, seeds=3, evaluate=lambda policies: {"mass": policies[0]})


def test_a_run_on_disk_loads_and_continues_bit_for_bit(tmp_path):
    whole = train(Averager(), GAME, steps=800, seeds=3, log_every=40, directory=tmp_path / "whole")
    train(Averager(), GAME, steps=320, seeds=3, log_every=40, directory=tmp_path / "parts")
    parts = train(Averager(), GAME, steps=800, seeds=3, log_every=40, directory=tmp_path / "parts")
    assert np.array_equal(whole.states["estimate"], parts.states["estimate"])
    for name in ("metrics.jsonl", "run.json"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "parts" / name).read_text()
    loaded = load_run(tmp_path / "whole", learner=Averager())
    assert loaded.steps == 800
    assert np.array_equal(loaded.metrics["draw"], whole.metrics["draw"])
    assert np.array_equal(loaded.policies[1], whole.policies[1])


def test_records_after_the_last_checkpoint_are_written_again(tmp_path):
    train(Averager(), GAME, steps=400, log_every=40, directory=tmp_path)
    before = (tmp_path / "metrics.jsonl").read_text()
    old = (tmp_path / "checkpoint.npz").read_bytes()
    train(Averager(), GAME, steps=800, log_every=40, directory=tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(old)  # as if killed just before the second checkpoint
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 840, "dr')  # and in the middle of a line
    run = train(Averager(), GAME, steps=400, log_every=40, directory=tmp_path)
    assert run.steps == 400
    train(Averager(), GAME, steps=440, log_every=40, directory=tmp_path)
    after = (tmp_path / "metrics.jsonl").read_text()
    assert after.startswith(before)
    assert [json.loads(line)["step"] for line in after.splitlines()][-1] == 440


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_numbers_of_an_unbroken_one(tmp_path):
    script = textwrap.dedent(
        f"""
        import sys, time
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_training import GAME, Averager
        from equipoise.learning import train
        pause = lambda policies: time.sleep(0.05) or {{}}
        train(Averager(), GAME, steps=4000, seeds=2, log_every=40, checkpoint_every=200,
              directory=sys.argv[1], evaluate=pause)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "killed")])
    deadline = time.monotonic() + 60
    while not (tmp_path / "killed" / "checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    partial = load_run(tmp_path / "killed", learner=Averager())
    assert 0 < partial.steps < 4000
    run = train(Averager(), GAME, steps=4000, seeds=2, log_every=40, directory=tmp_path / "killed")
    whole = train(Averager(), GAME, steps=4000, seeds=2, log_every=40)
    assert np.array_equal(run.states["estimate"], whole.states["estimate"])
    assert np.array_equal(run.metrics["draw"], whole.metrics["draw"])


def test_another_configuration_is_refused_by_name(tmp_path):
    train(Averager(), GAME, steps=40, directory=tmp_path)
    with pytest.raises(CheckpointError, match=r"settings\.step = 0\.0, but 0\.5"):
        train(Averager(step=0.5), GAME, steps=40, directory=tmp_path)
    with pytest.raises(CheckpointError, match="seeds = 1, but 2"):
        train(Averager(), GAME, steps=40, seeds=2, directory=tmp_path)
    other = eqp.NormalFormGame([[[3.0, 0.0], [5.0, 2.0]], [[3.0, 5.0], [0.0, 1.0]]])
    with pytest.raises(CheckpointError, match="another game"):
        train(Averager(), other, steps=40, directory=tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(Averager(), GAME, steps=40, directory=tmp_path)
    whole = (tmp_path / "checkpoint.npz").read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"nothing"):
        (tmp_path / "checkpoint.npz").write_bytes(broken)
        with pytest.raises(CheckpointError, match="damaged"):
            train(Averager(), GAME, steps=80, directory=tmp_path)


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path):
    faulty = Averager(fault=50)
    with pytest.raises(
        TrainingDivergedError, match=r"estimate.*seed 0 became NaN by step 240.*checkpoint at 200"
    ):
        train(faulty, GAME, steps=400, log_every=40, checkpoint_every=40, directory=tmp_path)
    assert load_run(tmp_path, learner=faulty).steps == 200


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"log_every": 0}, "log_every must be at least 1"),
        ({"tensorboard": True}, "directory"),
    ],
)
def test_bad_numbers_are_refused(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        train(Averager(), GAME, **{"steps": 40, **wrong})


def test_what_is_no_learner_is_refused():
    with pytest.raises(TypeError, match="class Averager"):
        check_kind(Averager)
    with pytest.raises(TypeError, match="learner must be"):
        check_kind("averager")
    with pytest.raises(FileNotFoundError, match="not the folder of a run"):
        load_run("nowhere")


def test_the_global_precision_is_left_alone():
    train(Averager(), GAME, steps=40)
    assert jnp.zeros(()).dtype == jnp.float32


@dataclass(frozen=True)
class Forgetful(Averager):
    """Breaks the contract: the type of its state changes."""

    def update(self, model, state, key):
        state, metrics = super().update(model, state, key)
        return {**state, "count": state["count"].astype(float)}, metrics


def test_a_broken_contract_is_found():
    with pytest.raises(TypeError):
        check_learner(Forgetful(), GAME)
