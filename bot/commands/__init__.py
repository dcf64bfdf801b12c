"""The slash commands and menu commands, one a module."""
