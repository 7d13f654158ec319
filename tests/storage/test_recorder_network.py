"""A recorder and its server give each other up soon when a network swallows one of them."""

from callboard.core.settings import Settings
from callboard.core.stopping import StopOrder
from callboard.storage.engine import NETWORK
from callboard.storage.recorder.process import Recorder


def test_both_ends_of_the_connection_have_little_patience(settings: Settings) -> None:
    with Recorder(settings, StopOrder())._connection() as connection:
        ours = connection.info.get_parameters()
        assert {name: ours[name] for name in NETWORK} == {name: str(value) for name, value in NETWORK.items()}
        theirs = connection.execute(
            "SELECT reset_val::int FROM pg_settings WHERE name LIKE 'tcp\\_%' ORDER BY name"
        ).fetchall()
        assert [value for (value,) in theirs] == [3, 5, 2, 11_000]
