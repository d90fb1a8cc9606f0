"""`python -m accountant` is the `accountant` command."""

from __future__ import annotations

from accountant.cli import main

if __name__ == "__main__":
    main()
