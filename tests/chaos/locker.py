"""Another process that locks a database for a while: ``python -m tests.chaos.locker FILE SECONDS``."""

import sqlite3
import sys
import time


def main(path: str, seconds: float) -> None:
    """Hold every lock there is for *seconds*."""
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    database.execute("ROLLBACK")
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
