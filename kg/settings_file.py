"""The file of settings: one table of TOML, `name = value`, read with the line that each value stands on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from kg.errors import Place, SettingError


def read_settings_file(path: Path) -> dict[str, tuple[object, Place]]:
    """Read a file of settings.

    Parameters:
        path: of the file.

    Returns:
        The values, as TOML has them, each with its place.

    Raises:
        SettingError: the file cannot be read, or is no TOML.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "whosays.toml"
    >>> _ = path.write_text('# our own\\nport = 9000\\n')
    >>> value, place = read_settings_file(path)["port"]
    >>> value, place.line
    (9000, 2)
    """
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise SettingError(
            f"the settings {path} cannot be read: {error.strerror or error}",
            mend="name another file with --config or WHOSAYS_CONFIG, or leave both out",
        ) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = Place(file, int(line[1]) if line else len(text.splitlines()) or None)
        raise SettingError(
            f"this is no TOML: {error}", mend="write `name = value`, texts in quotation marks", place=place
        ) from error
    except UnicodeDecodeError as error:
        raise SettingError(f"the settings {path} are no UTF-8 text", mend="save the file as UTF-8") from error
    lines = _lines(text)
    return {name: (value, Place(file, lines.get(name))) for name, value in values.items()}


def _lines(text: str) -> dict[str, int]:
    """Return the line on which each name stands: the parser tells none.

    A value ends with the line with which the lines since the last value's end are TOML; a part of a
    value of several lines never is.
    """
    found: dict[str, int] = {}
    lines = text.replace("\r\n", "\n").split("\n")
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            names = tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        for name in names:
            found.setdefault(name, begin + 1)
        begin = end
    return found
