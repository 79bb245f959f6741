"""What a command takes: processor time, wall time and memory, those of its own processes included."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# A process that is begun by a large one counts that one's memory as its own: a small one begins the command.
BEGIN = """
import json, os, subprocess, sys, time
begun = time.monotonic()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
told = [os.waitstatus_to_exitcode(status), time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
open(sys.argv[1], "w").write(json.dumps(told))
"""


class Run:
    """What a command printed, its exit code, its wall and processor time in seconds, and the megabytes that its largest process took at most."""

    def __init__(self, command, **environment):
        with tempfile.NamedTemporaryFile() as told:
            begin = [sys.executable, "-S", "-c", BEGIN, told.name, *command]
            ran = subprocess.run(begin, capture_output=True, text=True, env=os.environ | environment, check=True)
            self.out, self.told = ran.stdout, ran.stderr
            self.code, self.seconds, self.cpu, self.megabytes = json.loads(Path(told.name).read_text())

    def __str__(self):
        return f"{self.seconds:.1f} s, {self.cpu:.1f} s of CPU, {self.megabytes:.0f} MB, exit code {self.code}"
