"""The command line: `equipoise COMMAND ...`.

Each command is one module in this package with a `Command`: a frozen record of its options with a
`run` method. Modules are imported when their command is called, so that one command does not wait
for what another needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from equipoise.cli._terminal import Terminal, closest

COMMANDS = {
    "solve": "Find an equilibrium of a game and certify it.",
    "trace": "Follow all equilibria while a parameter varies, and draw them.",
    "fit": "Estimate risk aversion and noise from observed choices, and compare concepts.",
    "train": "Train a learner in a game, and resume it after a stop.",
    "runs": "List training runs and what came out of them.",
    "demo": "See in a minute how people play and which equilibrium says so.",
    "reproduce": "Rerun a published result and compare it with what was printed.",
    "games": "List, show and export the games that come with Equipoise.",
}

OK, FAILED, BAD_INPUT, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; those of this process by default.

    Returns:
        The exit code: 0 done; 1 done, but a solver did not converge or a claim did not hold; 2 the
        input is wrong; 3 a fault in Equipoise; 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    terminal = Terminal.of_process(json="--json" in arguments)
    try:
        return _dispatch(arguments, terminal)
    except SystemExit as stop:
        # tyro leaves this way after --help (0) and after arguments it cannot parse (2).
        return stop.code if isinstance(stop.code, int) else OK
    except KeyboardInterrupt:
        terminal.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (such as `head`) has seen enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if os.environ.get("EQUIPOISE_DEBUG"):
            raise
        return _explain(error, terminal)


def _dispatch(arguments: list[str], terminal: Terminal) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        terminal.show_commands(COMMANDS)
        return OK if arguments else BAD_INPUT
    name, *rest = arguments
    if name == "--version":
        from importlib.metadata import version

        terminal.say(f"equipoise {version('equipoise')}")
        return OK
    if name not in COMMANDS:
        raise ValueError(
            f"there is no command {name!r}{closest(name, COMMANDS)}; `equipoise --help` lists all"
        )
    import tyro

    module = import_module(f"equipoise.cli.{name}")
    kind = module.Command
    if hasattr(module, "select"):  # options that depend on the first argument
        kind, name, rest = module.select(rest)
    command = tyro.cli(
        kind,
        args=rest,
        prog=f"equipoise {name}",
        description=module.__doc__,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.HelptextFromCommentsOff),
    )
    return int(command.run(terminal))


def _explain(error: Exception, terminal: Terminal) -> int:
    if isinstance(error, (ValueError, TypeError, OSError)):
        terminal.error(str(error))
        return BAD_INPUT
    # By name: importing the class would import the solvers for every command.
    if type(error).__name__ == "NotConvergedError":
        terminal.error(str(error))
        return FAILED
    terminal.error(
        f"a fault in Equipoise ({type(error).__name__}: {error}). EQUIPOISE_DEBUG=1 shows where; "
        "please report it with the command you ran."
    )
    return BROKEN
