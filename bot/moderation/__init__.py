"""Moderation: what a prompt or a picture may be about, and what follows."""
