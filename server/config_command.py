"""The command `whosays config`: the settings in effect, and where each comes from.

What it prints is a file of settings itself: `whosays config > whosays.toml` keeps them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click

from kg.errors import SettingError
from kg.setting_values import as_toml
from kg.settings import Settings, setting_kind, unknown_setting, variable_name
from server.terminal import FILE, clean

R = TypeVar("R")
Trace: TypeAlias = Callable[[], tuple[Settings, dict[str, str]]]
"""Reads the settings, and tells where each comes from."""

_WIDTH = 48


def with_all_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of every setting; it is called with `trace`, which reads them.

    The usual ones have options of their own, `--set` gives any.
    """

    @click.option("--config", type=FILE, help="File of settings.  [whosays.toml, if it is there]")
    @click.option("--store", type=FILE, help="Folder of the database.  [whosays-store]")
    @click.option("--texts", type=FILE, help="Folder of your copies of the documents.  [texts]")
    @click.option("--host", help="Address to listen on.  [127.0.0.1]")
    @click.option("--port", help="Port to listen on.  [8000]")
    @click.option("--plain/--no-plain", default=None, help="Serve any Oxigraph database, as it is.")
    @click.option("--writable/--no-writable", default=None, help="Let it be written, without a token.")
    @click.option("--set", "others", metavar="NAME=VALUE", multiple=True, help="Any other setting; may be repeated.")
    @wraps(command)
    def with_options(*args: Any, config: Path | None, others: tuple[str, ...], **options: Any) -> R:
        given = {name: options.pop(name) for name in ("store", "texts", "host", "port", "plain", "writable")}
        for other in others:
            name, equals, value = other.partition("=")
            name = name.strip().replace("-", "_")
            if not equals:
                raise click.UsageError(f"--set {other} has no value; give it as --set NAME=VALUE")
            if name not in Settings.__dataclass_fields__:
                problem, mend = unknown_setting(name)
                raise SettingError(problem, mend=mend)
            if given.get(name) is not None:
                raise click.UsageError(f"`{name}` is given twice")
            given[name] = value.strip() or "none"
        trace = partial(Settings.trace, dict(os.environ), config, **given)
        return command(*args, trace=trace, **options)

    return with_options


def describe_settings(settings: Settings, origins: dict[str, str]) -> str:
    """Return settings as TOML, each with a comment that says where it comes from.

    Parameters:
        settings: what is in effect.
        origins: where each comes from, by its name.

    >>> settings, origins = Settings.trace({"WHOSAYS_PORT": "9000"})
    >>> [line for line in describe_settings(settings, origins).splitlines() if line.startswith("port")]
    ['port = 9000                                       # WHOSAYS_PORT']
    """
    lines = []
    for name, origin in origins.items():
        value = getattr(settings, name)
        line = f"{name} = {as_toml(setting_kind(name).plain(value))}"
        if name == "texts" and not settings.texts.is_dir():
            line, origin = f"# {line}", f"{origin}, which is not there"
        lines.append(f"{line:<{_WIDTH}}  # {clean(origin)}\n")
    return "".join(lines)


@click.command("config")
@click.option("--format", "form", type=click.Choice(["toml", "json"]), default="toml", show_default=True)
@with_all_settings
def config_command(trace: Trace, form: str) -> None:
    """Print the settings in effect, and where each comes from: option, environment, file or default.

    What it prints is valid TOML: `whosays config > whosays.toml` keeps the settings.
    """
    settings, origins = trace()
    for variable in sorted(os.environ):
        if variable.startswith("WHOSAYS_") and variable not in {*map(variable_name, origins), "WHOSAYS_CONFIG"}:
            problem, mend = unknown_setting(variable.removeprefix("WHOSAYS_").lower())
            click.echo(f"{variable} is passed over: {problem}\n  mend: {mend}", err=True)
    if form == "toml":
        click.echo(describe_settings(settings, origins), nl=False)
        return
    told = {
        name: {"value": setting_kind(name).plain(getattr(settings, name)), "from": origin}
        for name, origin in origins.items()
    }
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))
