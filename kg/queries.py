"""Saved queries, the public face: what they are, where they come from, and how one is made ready to run."""

from kg.parameters import Parameter, list_choices, read_value
from kg.query_folders import Collection, get_query, load_queries, query_folders, read_collection
from kg.saved_queries import Prepared, SavedQuery, page_links, parse_query, prepare

__all__ = [
    "Collection",
    "Parameter",
    "Prepared",
    "SavedQuery",
    "get_query",
    "list_choices",
    "load_queries",
    "page_links",
    "parse_query",
    "prepare",
    "query_folders",
    "read_collection",
    "read_value",
]
