"""load and save: the suffix decides, and what is wrong with a path is said plainly."""

import numpy as np
import pytest

from equipoise.games import GameFileError, NfgError, NormalFormGame, load, named_game, save


@pytest.mark.parametrize("suffix", [".nfg", ".json", ".NFG"])
def test_saved_games_load_as_they_were(suffix, tmp_path):
    game = NormalFormGame(
        np.array([[[0.1, 1e-17], [3, 1 / 3]], [[1e300, 2], [-5, 0]]]),
        "Spiel für zwei\nin two lines",
        ["一", "two"],
        [["a b", '"quoted"'], ["\tx", "y\\z"]],
    )
    path = tmp_path / f"game{suffix}"
    save(game, path)
    assert load(path) == game
    save(named_game("jordan"), str(path))
    assert load(str(path)) == named_game("jordan")


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "game.nfg"
    path.write_bytes(b'\xef\xbb\xbfNFG 1 R "t" {"a"}\r\n{ 2 }\r\n1 2\r\n')
    assert load(path).payoffs[0].tolist() == [1.0, 2.0]


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "bad.nfg"
    path.write_text("NFG 1 R\n7", encoding="utf-8")
    with pytest.raises(NfgError, match=r"bad\.nfg:2:1: expected the title") as caught:
        load(path)
    assert caught.value.path == str(path)


def test_other_encodings_are_named_with_their_place(tmp_path):
    path = tmp_path / "latin.nfg"
    path.write_bytes('NFG 1 R "t"\n{"f\xfcr"} {1} 1'.encode("latin-1"))
    with pytest.raises(GameFileError, match=r"latin\.nfg:2:4: found byte 0xfc, which is not UTF-8"):
        load(path)


def test_paths_that_are_no_game_files(tmp_path):
    (tmp_path / "pennies.nfg").write_text("", encoding="utf-8")
    (tmp_path / "folder.nfg").mkdir()
    with pytest.raises(FileNotFoundError, match=r"did you mean pennies\.nfg"):
        load(tmp_path / "penies.nfg")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load(tmp_path / "nowhere" / "x.nfg")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        load(tmp_path / "folder.nfg")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(ValueError, match=r"ends in \.csv; a game file ends in \.nfg, \.json, \.npz"):
        load("game.csv")
    with pytest.raises(ValueError, match=r"ends in no suffix"):
        load("game")
    with pytest.raises(ValueError, match=r"converted to \.nfg with Gambit"):
        load("game.efg")


def test_places_that_cannot_be_written(tmp_path):
    game = named_game("stag-hunt")
    (tmp_path / "folder.nfg").mkdir()
    with pytest.raises(IsADirectoryError, match="add a file name"):
        save(game, tmp_path / "folder.nfg")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        save(game, tmp_path / "nowhere" / "x.nfg")
    with pytest.raises(ValueError, match=r"ends in \.txt"):
        save(game, tmp_path / "x.txt")
    half = NormalFormGame([[1.0]], "half a pair \ud800")
    with pytest.raises(ValueError, match="surrogates"):
        save(half, tmp_path / "x.nfg")
    assert not (tmp_path / "x.nfg").exists()
