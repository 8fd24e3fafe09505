"""The test suite's S3 server in this process, so that a test sees what stands there, unfinished uploads too."""
import importlib.util
import threading
from pathlib import Path

SERVER = Path(__file__).parents[1] / "servers" / "mini_s3.py"


class Bucket:
    """One bucket, and the [[remote]] that names it."""
    environment = {"AWS_ACCESS_KEY_ID": "shoebox", "AWS_SECRET_ACCESS_KEY": "shoebox-secret"}

    def __init__(self):
        spec = importlib.util.spec_from_file_location("mini_s3", SERVER)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.server = self.module.Server(("127.0.0.1", 0), self.module.Handler)
        self.server.access, self.server.secret = "shoebox", "shoebox-secret"
        self.server.store = self.module.Store(["photos"])
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url, self.endpoint = "s3://photos/home", f"http://127.0.0.1:{self.server.server_address[1]}"
        self.settings = f'[[remote]]\nname = "bucket"\nurl = "{self.url}"\nendpoint = "{self.endpoint}"\n'

    def objects(self):
        """Key -> bytes."""
        with self.server.store.lock:
            return {key.removeprefix("home/"): one.body for key, one in self.server.store.buckets["photos"].items()}

    def unfinished(self):
        """Keys of uploads in parts that were begun and neither completed nor ended."""
        with self.server.store.lock:
            return sorted(one.key.removeprefix("home/") for one in self.server.store.uploads.values())

    def close(self):
        """Stops it."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
