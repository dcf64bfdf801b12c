"""`/admin`: one module a group of subcommands, and what they share."""
