"""python -m acestep_core: the command line."""

import sys

if __name__ == "__main__":
    try:
        # Within: importing torch takes a second in which a user may think better of it.
        from .cli.commands import main
        from .cli.running import end_as_interrupt

        end_as_interrupt()
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped before anything was begun.\n")
        sys.exit(130)
