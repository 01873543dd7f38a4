"""A headless Chromium, and pages opened in it."""

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from fplbench.reporting.web import bundle_page
from tests.explorer.made_up import explorer_data

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1")
LOGS = {"browser": "ALL", "performance": "ALL"}


@pytest.fixture(scope="session")
def driver():
    """Selenium's driver of one Chromium for all tests."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the Python package selenium")
    chromium, server = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or server is None:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", LOGS)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(server))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def open_page(driver, tmp_path_factory):
    """Function: open the page of some data, by default the made-up ones, with a fragment and a size of the window."""
    file = tmp_path_factory.mktemp("explorer") / "page.html"

    def open_page(fragment="", data=None, size=(1280, 720)):
        file.write_text(bundle_page(data or explorer_data()), encoding="utf-8")
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get("about:blank")
        for log in LOGS:
            driver.get_log(log)  # of the page before
        driver.get(f"{file.as_uri()}#{fragment}")
        return Page(driver)

    return open_page


class Page:
    """An open page, as a person sees and uses it."""

    def __init__(self, driver):
        self.driver = driver
        self.settle()

    def settle(self):
        """Wait until all changes are on the screen."""
        self.driver.execute_async_script("fplbench.settled().then(arguments[0])")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    @property
    def state(self):
        return self.run("return fplbench.state")

    def element(self, name):
        return self.driver.find_element("id", name)

    def text(self, name):
        return self.run("return document.getElementById(arguments[0]).textContent", name)

    def click(self, name):
        self.element(name).click()
        self.settle()

    def press(self, *keys):
        """Press keys one after the other, each with an optional "Shift+" before it."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        chain = ActionChains(self.driver)
        for key in keys:
            name = key.removeprefix("Shift+")
            character = getattr(Keys, name.upper()) if len(name) > 1 else name
            if key == name:
                chain.send_keys(character)
            else:
                chain.key_down(Keys.SHIFT).send_keys(character).key_up(Keys.SHIFT)
        chain.perform()
        self.settle()

    def mouse(self, kind, x, y, button="none", **more):
        """A mouse event at a place of the window; Chromium makes it, so it passes through all of the page."""
        buttons = {"none": 0, "left": 1, "right": 2}[button]
        event = {"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": int(kind != "mouseMoved")}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event | more)

    def drag(self, start, end, button="left"):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button)
        for share in (0.5, 1):
            x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            self.mouse("mouseMoved", x, y, button)
        self.mouse("mouseReleased", *end, button)
        self.settle()

    def touch(self, y, *places):
        """Put fingers down and move them along a line; each place is the x of every finger."""
        for kind, place in zip(["touchStart", *["touchMove"] * len(places[1:]), "touchEnd"], [*places, []], strict=True):
            event = {"type": kind, "touchPoints": [{"x": x, "y": y, "id": finger} for finger, x in enumerate(place)]}
            self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        self.settle()

    def wait(self, seconds):
        self.run("return new Promise((done) => setTimeout(done, arguments[0]))", 1000 * seconds)
        self.settle()

    def stage(self):
        """Left, top, width and height of the viewer in the window."""
        box = self.run("return document.getElementById('stage').getBoundingClientRect()")
        return box["left"], box["top"], box["width"], box["height"]

    def place(self, x, y):
        """The middle of a pixel of the image, in the window."""
        place = self.run("return fplbench.place(arguments[0], arguments[1])", x, y)
        return place["x"], place["y"]

    def canvas(self, side, x, y):
        """Red, green and blue on the canvas of a side, in the middle of a pixel of the image."""
        script = """
            const canvas = document.getElementById(`${arguments[0]}-canvas`);
            const box = canvas.getBoundingClientRect(), at = fplbench.place(arguments[1], arguments[2]);
            return [...canvas.getContext("2d").getImageData(at.x - box.left, at.y - box.top, 1, 1).data].slice(0, 3)"""
        return tuple(self.run(script, side, x, y))

    def grey(self, side, x, y):
        """The grey on the canvas of a side; fails for a colour."""
        (grey,) = set(self.canvas(side, x, y))
        return grey

    def screen(self):
        """What is on the screen, uint8 (height, width, 3)."""
        return np.asarray(Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB"))

    def console(self):
        """Messages on the console, but for the advice about reading from canvases, which these tests do."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "willReadFrequently" not in entry["message"]]

    def requests(self):
        """Addresses of all requests of the page."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
