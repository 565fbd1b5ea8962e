import pytest

from tests import drawn
from tests.export import exported
from tests.serving import soak

# A leak of one small picture or graph a request would be more.
MAX_GROWTH = 40 * 2**20


@pytest.mark.long
def test_a_thousand_requests_of_eight_clients_leave_no_trace():
    sent = [
        drawn.encode(drawn.colored(i, 8 + 3 * i, 40 - 2 * i), kind)
        for i in range(8)
        for kind in ("PNG", "JPEG")
    ]
    found = soak.run(exported.saved_model(), sent)
    assert not found.errors
    assert found.served == soak.REQUESTS
    assert found.after - found.before < MAX_GROWTH
