"""The pages: the ways in, signing in, and the queue of proposals."""
