"""python -m acestep_core: the command line."""

import sys

from .cli.commands import main

sys.exit(main())
