"""The entry point of `prsm`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.commands import backup, credit, demo, keys, migrate, restore, restored, run, sessions, token, up
from cli.errors import Refused

app = typer.Typer(
    name="prsm",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from cli.version import version

        sys.stdout.write(f"prsm {version()}\n")
        raise typer.Exit


@app.callback()
def _prsm(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the release and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Run the research platform on this machine and drive it."""


app.command()(up.up)
app.command()(run.run)
app.command()(demo.demo)
app.command()(token.token)
app.command()(credit.credit)
app.add_typer(sessions.app)
app.command()(backup.backup)
app.command()(restore.restore)
app.command()(migrate.migrate)
app.command()(restored.restored)
app.command()(keys.keys)


def main() -> None:
    """Exit with 0, or with one line on standard error and 2 for what the user can put right."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line; the exit status. An empty one shows the help."""
    arguments = arguments or ["--help"]
    name = " ".join(["prsm", *(word for word in arguments[:1] if not word.startswith("-"))])
    try:
        outcome = typer.main.get_command(app).main(args=arguments, prog_name="prsm", standalone_mode=False)
    except Refused as refusal:
        _say(f"{name}: {refusal}")
        return refusal.code
    except typer.TyperException as error:
        _say(f"{name}: {error.format_message()}")
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # Whoever read our output has left; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return outcome if isinstance(outcome, int) else 0


def _say(line: str) -> None:
    sys.stderr.write(" ".join(line.split()) + "\n")


if __name__ == "__main__":
    main()
