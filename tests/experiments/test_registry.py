"""Every experiment is found by its name, says what it is, and can be written to files."""

import json

import pytest

from equipoise.experiments import (
    NAMES,
    Claim,
    Experiment,
    Picture,
    Result,
    experiment,
    report,
    to_dict,
    write,
)
from equipoise.experiments.human_play import Settings
from equipoise.reporting import Table
from equipoise.reporting.figures import Series, dots


@pytest.mark.parametrize("name", NAMES)
def test_every_name_leads_to_its_experiment(name):
    found = experiment(name)
    assert found.name == name
    assert found.question.endswith("?")
    assert found.source
    assert type(found.laptop) is type(found.full)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="there is no experiment 'x'; there are human-play"):
        experiment("x")


def made_up():
    import numpy as np

    result = Result(
        answer="It is **two**.",
        tables={"numbers": Table(["n"], [[2.5]], "Numbers")},
        pictures={
            "dots": Picture(lambda: dots(["a"], [Series("s", np.array([1.0]))], xlabel="x"), "One dot")
        },
        claims=(Claim("n is 3", "Somebody (1900)", "2.5", False),),
        certified=True,
    )
    return Experiment(
        "made-up", "What is n?", "Somebody (1900)", Settings(), Settings(), lambda s, p: result
    ), result


def test_a_result_becomes_files(tmp_path):
    wanted, result = made_up()
    files = write(tmp_path / "deep", wanted, Settings(seeds=3), result, "equipoise reproduce made-up")
    assert [f.name for f in files] == ["dots.png", "numbers.csv", "made-up.json", "index.html"]
    assert (tmp_path / "deep" / "numbers.csv").read_text() == "n\n2.5\n"
    data = json.loads((tmp_path / "deep" / "made-up.json").read_text())
    assert data == to_dict(wanted, Settings(seeds=3), result)
    assert data["settings"]["seeds"] == 3
    assert data["claims"][0]["holds"] is False
    page = files[-1].read_text()
    for words in (
        "What is n?",
        "<strong>two</strong>",
        "does not hold",
        "One dot",
        "equipoise reproduce made-up",
    ):
        assert words in page
    assert 'src="data:image/svg+xml;base64,' in page


def test_a_page_is_self_contained():
    page = report(*made_up(), "command").html()
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
