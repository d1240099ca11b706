"""The engine room: queries are answered in processes that may be killed.

From Python a query can be neither stopped nor bounded, so each runs in a *worker*, a process that
holds the newest snapshot open and answers one request at a time, streaming the answer to the front
over a socket. What overruns its deadline, its memory or the size of its answer is killed, and the
client is told, or sees its answer end before its end.

    front (asyncio) ── Pool ── socket ── worker: snapshot, 512 MiB of stack, cap on memory
                          └─── Nursery: a small process that forks workers within milliseconds

A query is quick until it has run for 50 ms. From then on its worker has a low priority and does not
count among the quick ones: another takes its place, so that quick queries never wait for slow ones.
Only so many slow ones run at once; the others are stopped where they are until it is their turn.
"""
