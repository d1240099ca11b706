"""The data of the pictures: from assertions to nodes and ties, before anything is drawn.

Each module knows one picture. What is drawn, what stands in the table beside it and what can be downloaded are the
same `Picture`; each node and each tie of it names the assertions that it stands for.
"""
