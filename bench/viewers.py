"""A viewer without a browser: speaks Streamlit's protocol and answers each timer of a page."""

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from callboard.control.auth.sessions import COOKIE

#: What a message that is larger than any page would be (bytes).
LARGEST = 64 * 1024 * 1024


@dataclass
class Viewer:
    """Somebody who looks at one page. `ticks` are the ms from asking for a live part until it has come."""

    url: str
    cookie: str
    page: str = ""
    query: dict[str, str] = field(default_factory=dict)
    ticks: list[float] = field(default_factory=list)
    errors: int = 0

    def open(self) -> float:
        """Connect and render the page for the first time; returns the ms that it took."""
        self.socket: ClientConnection = connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            additional_headers={"Cookie": f"{COOKIE}={self.cookie}", "Origin": self.url},
            subprotocols=["streamlit", "unused"],  # type: ignore[list-item]
            max_size=LARGEST,
            compression=None,
        )
        return self.render()

    def render(self) -> float:
        """Render the whole page once more; returns the ms until all of it has come."""
        #: Of each live part, its interval (s) and the moment at which it is to be asked for.
        self.timers: dict[str, list[float]] = {}
        ask = BackMsg()
        ask.rerun_script.page_name = self.page
        ask.rerun_script.query_string = urlencode(self.query)
        return self._ask(ask)

    def watch(self, seconds: float, gone: threading.Event | None = None) -> None:
        """Ask for each live part when its time has come, as the browser does, for so long or until `gone`."""
        until, gone = time.monotonic() + seconds, gone or threading.Event()
        while not gone.is_set() and (now := time.monotonic()) < until:
            part = min(self.timers, key=lambda each: self.timers[each][1], default=None)
            due = until if part is None else min(until, self.timers[part][1])
            if gone.wait(max(0.0, due - now)) or part is None or due == until:
                continue
            ask = BackMsg()
            ask.rerun_script.page_name = self.page
            ask.rerun_script.query_string = urlencode(self.query)
            ask.rerun_script.fragment_id = part
            ask.rerun_script.is_auto_rerun = True
            timer = self.timers[part]
            self.ticks.append(self._ask(ask))
            timer[1] = time.monotonic() + timer[0]

    def close(self) -> None:
        """Leave."""
        self.socket.close()

    def _ask(self, ask: BackMsg) -> float:
        begun = time.perf_counter()
        self.socket.send(ask.SerializeToString())
        while True:
            data = self.socket.recv(timeout=60)
            assert isinstance(data, bytes)
            said = ForwardMsg()
            said.ParseFromString(data)
            kind = said.WhichOneof("type")
            if kind == "auto_rerun":
                every = said.auto_rerun.interval
                self.timers.setdefault(said.auto_rerun.fragment_id, [every, time.monotonic() + every])
            elif kind == "delta" and said.delta.new_element.WhichOneof("type") == "exception":
                self.errors += 1
            elif kind == "script_finished" and said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return (time.perf_counter() - begun) * 1000
