"""The `journeyman` command: its subcommands, and the one place where a failure becomes a sentence."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from cli.failures import FAILURE, SUCCESS, worded

INTERRUPTED = 130  # what shells expect of a program ended by Ctrl-C
COMMANDS = {  # name -> the module that has a function, or a group `app`, for it
    "playground": "cli.playground",
    "run": "cli.serve",
    "bot": "cli.serve",
    "worker": "cli.serve",
    "imagine": "cli.imagine",
    "parse": "cli.parse",
    "coach": "cli.coach",
    "jobs": "cli.jobs",
    "admin": "cli.admin",
    "migrate": "cli.migrate",
    "models": "cli.models",
    "simulate": "cli.simulate",
    "doctor": "cli.doctor",
    "privacy": "cli.privacy",
    "config": "cli.reference",
    "parameters": "cli.parameters",
    "backup": "cli.backup",
    "restore": "cli.restore",
    "version": "cli.version",
}
TAKE_PROMPTS = {"imagine", "parse", "coach"}  # and a prompt may begin with "--"


def assembled(names: Sequence[str]) -> typer.Typer:
    """Return the command line with the subcommands *names*; their modules are loaded for it."""
    app = typer.Typer(
        name="journeyman",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def journeyman() -> None:
        """A self-hosted Discord bot that gives any server what Midjourney gives."""

    for name in names:
        module = import_module(COMMANDS[name])
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            settings = {"ignore_unknown_options": name in TAKE_PROMPTS}
            app.command(name, context_settings=settings)(getattr(module, name))
    return app


def outcome(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrong usage or configuration."""
    # Only the module of the command that was typed is loaded: a script that calls `parse` should not wait.
    names = [arguments[0]] if arguments and arguments[0] in COMMANDS else list(COMMANDS)
    try:
        assembled(names)(list(arguments), prog_name="journeyman")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILURE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not try to flush into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:
        failure = worded(error)
        if failure is None:
            raise
        print(f"journeyman: {failure}", file=sys.stderr)
        return failure.code
    return SUCCESS


def main() -> None:
    """Be the program."""
    code = outcome(sys.argv[1:])
    if "torch" in sys.modules:
        # Everything of ours is closed by now; taking torch apart would only add a second and a half.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
