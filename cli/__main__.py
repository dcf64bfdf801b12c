"""``python -m cli`` is ``journeyman``."""

from cli.main import main

main()
