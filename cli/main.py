"""The `journeyman` command: its subcommands, and the one place where a failure becomes a sentence."""

import os
import sys
from collections.abc import Sequence

import typer

from cli import jobs
from cli.doctor import doctor
from cli.failures import FAILURE, SUCCESS, worded
from cli.imagine import imagine
from cli.migrate import migrate
from cli.parse import parse
from cli.playground import playground
from cli.serve import bot, run, worker
from cli.version import version

INTERRUPTED = 130  # what shells expect of a program ended by Ctrl-C

app = typer.Typer(
    name="journeyman",
    help="A self-hosted Discord bot that gives any server what Midjourney gives.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
VERBATIM = {"ignore_unknown_options": True}  # a prompt may begin with "--"
app.command("playground")(playground)
app.command("run")(run)
app.command("bot")(bot)
app.command("worker")(worker)
app.command("imagine", context_settings=VERBATIM)(imagine)
app.command("parse", context_settings=VERBATIM)(parse)
app.add_typer(jobs.app, name="jobs")
app.command("migrate")(migrate)
app.command("doctor")(doctor)
app.command("version")(version)


def outcome(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 wrong usage or configuration."""
    try:
        app(list(arguments), prog_name="journeyman")
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
    sys.exit(outcome(sys.argv[1:]))
