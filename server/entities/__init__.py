"""The pages of things: what the graph holds of somebody or something, put in words."""
