"""The commands `whosays tokens`: who may propose and curate over HTTP."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import get_args

import click

from kg.store import StoreFolder
from kg.tokens import Entries, Role, Tokens
from server.terminal import TABLE_OR_JSON, print_rows, with_store


@click.group()
def tokens() -> None:
    """Make, list and revoke the tokens by which people may propose and curate over HTTP.

    Reading needs none. A token is sent as `Authorization: Bearer TOKEN`.
    """


@tokens.command("make")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(get_args(Role)), help="A curator may do all that both may.")
@click.option("--days", type=int, help="How long it is good for.  [until it is revoked]")
@with_store
def make(folder: StoreFolder, name: str, role: Role, days: int | None) -> None:
    """Make a token for the agent NAME and print it: it is kept nowhere, and cannot be shown again."""
    click.echo(_tokens(folder).make(name, role, days=days))
    click.echo("this token is shown only now: keep it where secrets are kept", err=True)


@tokens.command("list")
@click.option("--format", "form", type=TABLE_OR_JSON, default="table", show_default=True)
@with_store
def list_tokens(folder: StoreFolder, form: str) -> None:
    """List all tokens, without their secrets."""
    _show(_tokens(folder).list(), form)


@tokens.command("revoke")
@click.argument("name", metavar="NAME|ID")
@with_store
def revoke(folder: StoreFolder, name: str) -> None:
    """Revoke all tokens of the agent NAME, or the one with this ID."""
    _show(_tokens(folder).revoke(name), "table")


def _tokens(folder: StoreFolder) -> Tokens:
    return Tokens(folder.path / "tokens.sqlite")


def _show(entries: Entries, form: str) -> None:
    if form == "json":
        click.echo(json.dumps([asdict(e) for e in entries], ensure_ascii=False, indent=2))
        return
    columns = ("id", "name", "role", "made", "expires", "last_used", "revoked")
    print_rows([c.replace("_", " ") for c in columns], [[getattr(e, c) for c in columns] for e in entries])
