"""Where things stand."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MILLRACE_BINARY", ROOT / ".build/release/millrace"))
CASES = ROOT / "Tests/Features/cases"
EXAMPLES = ROOT / "examples"
# Data of which no copy may be shipped; what needs it is collected only where it is there.
SHARED = ROOT.parent / "shared"
HANDBOOK = SHARED / "data/fdh"
