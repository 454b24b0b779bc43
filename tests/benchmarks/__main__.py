"""`make bench`: 10,000 HTTP and TCP checks at 500/s, 2,500/s and as fast as it goes."""

import sys

from tests.benchmarks.checks import main

sys.exit(main())
