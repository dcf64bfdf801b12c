"""Discord: an adapter between people's messages and the worker's desk."""
