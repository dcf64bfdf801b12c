"""The composition root: the `journeyman` command."""
