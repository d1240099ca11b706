"""The front: what faces the network, as an ASGI application.

    request ─▶ kept answer? ─▶ guards ─▶ budget ─▶ engine ─▶ answer, kept where it may be
            └▶ anything else ─▶ Flask: pages, the door, linked data

ASGI, because of the interfaces of the production server only that one ends a body that is cut so
that it is seen to be cut, and tells of a client that has left. A kept answer is sent before anything
is parsed. An answer is a function of the request and the snapshot, so the tag that stands for both
(ETag) is known before the answer is.
"""
