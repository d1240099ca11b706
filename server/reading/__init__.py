"""The reading page: a document with its assertions in the margin."""
