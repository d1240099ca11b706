"""Settings: one dataclass, from the command line, else the environment, else the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, cast, get_args

from kg.errors import SettingError

Quotes = Literal["none", "passage", "document"]


@dataclass(frozen=True)
class Settings:
    """What a user can set.

    Parameters:
        store: folder of the database (``WHOSAYS_STORE``).
        records: folder of the curated records (``WHOSAYS_RECORDS``).
        texts: folder of the user's copies of the documents (``WHOSAYS_TEXTS``).
        quotes: how much of a text is shown: nothing, the passage, or the document (``WHOSAYS_QUOTES``).
        host: address that the server listens on (``WHOSAYS_HOST``).
        port: its port (``WHOSAYS_PORT``).
        services: endpoints that ``SERVICE`` may reach, each a whole IRI (``WHOSAYS_SERVICES``, separated by spaces).

    >>> Settings.load({"WHOSAYS_PORT": "9000"}).port
    9000
    """

    store: Path = Path("whosays-store")
    records: Path = Path(str(resources.files("kg") / "records"))
    texts: Path = Path("texts")
    quotes: Quotes = "document"
    host: str = "127.0.0.1"
    port: int = 8000
    services: tuple[str, ...] = ()

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ, **given: object) -> Settings:
        """Return the settings.

        Parameters:
            environment: where the ``WHOSAYS_`` variables are looked up.
            given: what the command line gives; None means not given.

        Raises:
            SettingError: a value that makes no sense.
        """
        values: dict[str, object] = {
            name: environment[variable]
            for name in cls.__dataclass_fields__
            if environment.get(variable := f"WHOSAYS_{name.upper()}")
        }
        values |= {name: value for name, value in given.items() if value is not None}
        for name in ("store", "records", "texts"):
            if name in values:
                values[name] = Path(str(values[name]))
        if "services" in values and isinstance(services := values["services"], str):
            values["services"] = tuple(services.split())
        texts = values.get("texts")
        if isinstance(texts, Path) and not texts.is_dir():
            raise SettingError(
                f"there is no folder {texts} for the texts",
                mend="name the folder that holds your copies, or leave --texts and WHOSAYS_TEXTS out",
            )
        try:
            values["port"] = int(str(values.get("port", cls.port)))
        except ValueError as error:
            raise SettingError(f"the port is `{values['port']}`", mend="give a number, such as 8000") from error
        if not 0 < cast(int, values["port"]) < 65_536:
            raise SettingError(f"the port is {values['port']}", mend="give a number from 1 to 65535")
        host = str(values.get("host", cls.host))
        if "quotes" not in values:
            values["quotes"] = "document" if host in ("127.0.0.1", "::1", "localhost") else "passage"
        if values["quotes"] not in get_args(Quotes):
            raise SettingError(f"quotes is `{values['quotes']}`", mend=f"use one of: {', '.join(get_args(Quotes))}")
        return cls(**values)  # type: ignore[arg-type]

    def as_environment(self) -> dict[str, str]:
        """Return the variables by which `load` gives these settings in another process.

        >>> Settings.load(Settings(port=9000).as_environment()) == Settings(port=9000)
        True
        """
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["services"] = " ".join(self.services)
        if not self.texts.is_dir():
            del values["texts"]  # the default, which need not be there
        return {f"WHOSAYS_{name.upper()}": str(value) for name, value in values.items()}
