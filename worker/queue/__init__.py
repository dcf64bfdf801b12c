"""The durable queue: rows, their order and their news."""
