"""`python -m paperimpl`, where the command itself is not on the path."""

from paperimpl.cli import main

if __name__ == "__main__":  # a worker process imports this, too
    main()
