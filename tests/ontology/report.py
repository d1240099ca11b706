"""The report on the ontology that `make ontology` prints: logic, quality, questions, and what reasoning costs.

Materialising is measured beside its alternatives, each in a process of its own: our rules
(`kg.inference`), `reasonable` (OWL 2 RL in Rust) and `owlrl` (OWL 2 RL in Python). The peers take
turns. The graphs are the coded one and copies of it with new names, up to a million triples.
What is *right* is asked too: which triples of ours, of the kinds that both should give, does a peer lack?
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox

from kg.inference import infer, inferred_graphs
from kg.names import GRAPH, ID, INFERRED_GRAPH, RDF, WS
from kg.reasoning import check_consistency
from kg.settings import Settings
from kg.vocabulary import ontology_quads, vocabulary
from loaders.corpus import make_units, read_folder

PATIENCE = 900
"""Seconds after which a peer is stopped and said not to have finished."""

_SHARED = ("belongsTo", "partOf", "within", "holds", "opposite", "takesStanceTo", "reportedBy", "holdsOffice", "cites")
SHARED_KINDS = (RDF + "type", *(WS + name for name in _SHARED))
"""Predicates whose entailments OWL 2 RL gives too; bounds of dates, standing and the like are ours alone."""


def coded_triples() -> list[ox.Triple]:
    """Return what the curated records say."""
    return [quad.triple for unit in make_units(read_folder(Settings().records)) for quad in unit.quads]


def write_graph(path: Path, size: int) -> int:
    """Write the ontology and as many renamed copies of the coded graph as make up a size; return the triples."""
    coded = coded_triples()
    ontology = ontology_quads()
    count = len(ontology)
    name = re.compile(re.escape(f"<{ID}"))
    lines = ox.serialize(coded, format=ox.RdfFormat.N_TRIPLES).decode()
    with path.open("w", encoding="utf-8") as out:
        out.write(ox.serialize(ontology, format=ox.RdfFormat.N_TRIPLES).decode())
        copy = 0
        while copy == 0 or count < size:
            out.write(lines if copy == 0 else name.sub(f"<{ID}copy-{copy}/", lines))
            count += len(coded)
            copy += 1
    return count


def run_rules(path: Path) -> tuple[float, set[str]]:
    """Materialise by our rules, in a store on disk as the build does."""
    with tempfile.TemporaryDirectory() as folder:
        store = ox.Store(folder)
        store.bulk_load(path=str(path), format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(GRAPH + "data"))
        start = time.perf_counter()
        infer(store)
        seconds = time.perf_counter() - start
        assert inferred_graphs(store)
        graph = ox.NamedNode(INFERRED_GRAPH)
        return seconds, {str(q.triple) for q in store.quads_for_pattern(None, None, None, graph)}


def run_reasonable(path: Path) -> tuple[float, set[str]]:
    """Materialise by reasonable."""
    import reasonable

    reasoner = reasonable.PyReasoner()
    turtle = path.with_suffix(".ttl")  # it reads Turtle only, of which N-Triples is a part
    turtle.write_bytes(path.read_bytes())
    reasoner.load_file(str(turtle))
    start = time.perf_counter()
    triples = reasoner.reason()
    seconds = time.perf_counter() - start
    return seconds, {f"<{s}> <{p}> <{o}>" for s, p, o in triples}


def run_owlrl(path: Path) -> tuple[float, set[str]]:
    """Materialise by owlrl."""
    import owlrl
    import rdflib

    graph = rdflib.Graph().parse(path, format="nt")
    start = time.perf_counter()
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    seconds = time.perf_counter() - start
    return seconds, {f"<{s}> <{p}> <{o}>" for s, p, o in graph}


PEERS: dict[str, Callable[[Path], tuple[float, set[str]]]] = {
    "rules": run_rules,
    "reasonable": run_reasonable,
    "owlrl": run_owlrl,
}


def measure(name: str, path: Path) -> tuple[float | None, str]:
    """Run a peer in a process of its own; return its seconds, or None and why there are none."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.ontology.report", "--peer", name, "--graph", path],
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, f"not finished after {PATIENCE} s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["failed"])[-1][:100]
    return float(json.loads(done.stdout)["seconds"]), ""


def compare(size: int, rounds: int, peers: list[str]) -> None:
    """Print what the peers take for a graph of a size, in turns, and the ratio to the rules."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.nt"
        count = write_graph(path, size)
        times: dict[str, list[float]] = {name: [] for name in peers}
        failed: dict[str, str] = {}
        for _ in range(rounds):
            for name in peers:
                if name not in failed:
                    seconds, reason = measure(name, path)
                    if seconds is None:
                        failed[name] = reason
                    else:
                        times[name].append(seconds)
        print(f"materialising, {count:,} triples, {rounds} rounds in turns:")
        ours = statistics.median(times["rules"])
        for name in peers:
            if times[name]:
                middle, low, high = statistics.median(times[name]), min(times[name]), max(times[name])
                print(f"  {name:<11} {middle:8.2f} s   ({low:.2f} to {high:.2f})   {middle / ours:6.2f} x the rules")
            if name in failed:
                print(f"  {name:<11} {failed[name]}")


def agreement() -> None:
    """Print what each peer lacks of the entailments that queries rely on, on the coded graph."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.nt"
        write_graph(path, 0)
        wanted = {t for t in run_rules(path)[1] if any(f"> <{kind}> <" in t for kind in SHARED_KINDS)}
        for name in ("reasonable", "owlrl"):
            try:
                lacking = wanted - PEERS[name](path)[1]
            except Exception as error:
                print(f"  {name:<11} fails: {str(error)[:90]}")
                continue
            example = f", such as {min(lacking)}" if lacking else ""
            print(f"  {name:<11} gives {len(wanted) - len(lacking):,} of the {len(wanted):,} entailments{example}")


def main() -> None:
    """Print the report, or be one of the peers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peer", choices=PEERS)
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=1_000_000, help="triples of the large graph; 0 leaves it out")
    options = parser.parse_args()
    if options.peer:
        seconds, triples = PEERS[options.peer](options.graph)
        print(json.dumps({"seconds": seconds, "triples": len(triples)}))
        return
    known = vocabulary()
    concepts = sum(len(names) for names in known.concepts.values())
    print(f"terms: {len(known.classes)} classes, {len(known.properties)} properties,", end=" ")
    print(f"{concepts} concepts in {len(known.concepts)} schemes")
    coded = coded_triples()
    verdict = check_consistency([*ontology_quads(), *coded])
    words = "consistent" if verdict.consistent else "NOT CONSISTENT"
    print(f"HermiT on {len(coded) + len(ontology_quads()):,} triples: {words},", end=" ")
    print(f"{len(verdict.unsatisfiable)} unsatisfiable classes, {verdict.seconds:.1f} s")
    print("right? entailments of classes, inverses, symmetry and transitivity:")
    agreement()
    compare(0, options.rounds, ["rules", "reasonable", "owlrl"])
    if options.size:
        compare(options.size, options.rounds, ["rules", "reasonable"])
        print("  owlrl       left out here: see what it takes for the coded graph")
    if not verdict.consistent or verdict.unsatisfiable:
        sys.exit(1)


if __name__ == "__main__":
    main()
