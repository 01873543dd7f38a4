"""HTML in labels, notes, patients and images is text on every page."""

import json
import re
from html.parser import HTMLParser

import pytest

from tests.helpers.pages import HOSTILE, write_pages


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return {name: path.read_text() for name, path in write_pages(tmp_path_factory.mktemp("pages")).items()}


class Reader(HTMLParser):
    """Keeps the ids and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", ["table", "report", "paper", "explorer"])
def test_html_in_names_makes_no_element(pages, name):
    page = pages[name]
    assert "<script>alert" not in page and "<b id=" not in page
    assert "x" not in Reader(page).ids


@pytest.mark.parametrize("name", ["table", "report", "paper"])
def test_html_in_names_is_read_as_it_was_written(pages, name):
    assert HOSTILE in Reader(pages[name]).text


def test_the_explorer_reads_names_as_they_were_written(pages):
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', pages["explorer"], re.DOTALL)[1]
    assert json.loads(data)["images"][0]["patient"].endswith(HOSTILE)
