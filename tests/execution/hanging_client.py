"""A process that waits for a trial that hangs: ``hanging_client.py JOB`` prints the worker's id."""

import json
import sys
from pathlib import Path

from effauto.execution.job import Job
from effauto.execution.pool import Worker

if __name__ == "__main__":
    job = Job.from_json(json.loads(Path(sys.argv[1]).read_text()))
    with Worker(["linear"]) as worker:
        worker.start()
        print(worker._process.pid, flush=True)  # type: ignore[union-attr]
        worker.run(job)
