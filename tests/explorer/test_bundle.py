import json
import re
from html.parser import HTMLParser

import pytest

from fplbench.reporting.web import FOLDER, LIBRARIES, VENDOR, bundle_page
from fplbench.reporting.web.modules import bundle_modules, module_order
from tests.explorer.made_up import MARKUP, explorer_data

MODULES = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.js"))}
DECLARATION = re.compile(r"^(export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
IMPORT = re.compile(r'^import \{ (.*) \} from "\./(.*)";', re.MULTILINE)


class Scripts(HTMLParser):
    """Collects the contents of script elements and counts image elements."""

    def __init__(self, page):
        super().__init__()
        self.scripts, self.images, self.inside = [], 0, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.inside = tag == "script"
        self.images += tag == "img"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"

    def handle_data(self, content):
        if self.inside:
            self.scripts[-1] += content


def test_modules_share_no_name():
    names = [name for source in MODULES.values() for _, name in DECLARATION.findall(source)]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_every_module_is_in_the_bundle_after_those_that_it_imports():
    order = module_order(FOLDER)
    assert sorted(order) == sorted(MODULES)
    for name, source in MODULES.items():
        assert all(order.index(imported) < order.index(name) for _, imported in IMPORT.findall(source))


@pytest.mark.parametrize("name", MODULES)
def test_modules_import_what_others_export_and_all_of_it_is_used(name):
    body = IMPORT.sub("", MODULES[name])
    for names, origin in IMPORT.findall(MODULES[name]):
        exported = {declared for export, declared in DECLARATION.findall(MODULES[origin]) if export}
        assert set(names.split(", ")) <= exported
        assert [word for word in names.split(", ") if not re.search(rf"\b{word}\b", body)] == []


@pytest.mark.parametrize("name", [*MODULES, "index.html", "style.css", "panels.css"])
def test_files_of_the_page_are_short(name):
    assert len((FOLDER / name).read_text().splitlines()) < 250


def test_no_data_become_html():
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert not [name for name, source in MODULES.items() if word in source]


def test_a_circle_of_imports_is_refused(tmp_path):
    (tmp_path / "main.js").write_text('import { a } from "./other.js";\nexport const b = a;\n')
    (tmp_path / "other.js").write_text('import { b } from "./main.js";\nexport const a = b;\n')
    with pytest.raises(ValueError, match=r"circle: main\.js -> other\.js -> main\.js"):
        bundle_modules(tmp_path)


@pytest.mark.parametrize("line", ["export default 3;", 'import * as all from "./x.js";', "export { a };"])
def test_forms_that_the_bundler_does_not_know_are_refused(tmp_path, line):
    (tmp_path / "main.js").write_text(f"const a = 1;\n{line}\n")
    with pytest.raises(ValueError, match=r"main\.js: the bundler does not know this form"):
        bundle_modules(tmp_path)


def test_imports_and_exports_are_removed_and_nothing_else(tmp_path):
    (tmp_path / "main.js").write_text('import { a } from "./other.js";\n\nexport let b = a; // export\n')
    (tmp_path / "other.js").write_text("export async function a() {}\n")
    expected = '(() => {\n"use strict";\n// other.js\nasync function a() {}\n// main.js\nlet b = a; // export\n})();'
    assert bundle_modules(tmp_path) == expected


def test_no_text_in_the_data_ends_the_script_that_holds_them():
    data = explorer_data() | {"title": f"$title {MARKUP}"}
    page = Scripts(bundle_page(data))
    assert len(page.scripts) == 1 + len(LIBRARIES) + 1
    assert page.images == 0
    assert json.loads(page.scripts[0]) == data


def test_infinite_scores_are_refused():
    data = explorer_data()
    data["scores"]["means"]["gaussian"]["fpl"]["psnr"] = float("inf")
    with pytest.raises(ValueError, match="JSON"):
        bundle_page(data)


def test_libraries_are_small_licensed_and_listed():
    assert sum(path.stat().st_size for path in VENDOR.iterdir()) < 100_000
    table = (VENDOR / "LICENCES.md").read_text()
    page = bundle_page(explorer_data())
    for library, script in LIBRARIES.items():
        assert library in table.lower()
        assert (VENDOR / f"{library}.LICENSE.txt").read_text().strip() in page
        assert (VENDOR / script).read_text().strip() in page
