"""What can go wrong with a download, as sentences for the user."""

import errno
import ssl
import urllib.error
import urllib.request
from typing import Any

from fplbench.errors import InputError

LOCAL = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO)
NO_CONNECTION = "the server cannot be reached or the connection was lost; check that this machine has internet access"
TIMEOUT_SECONDS = 20
RUN_AGAIN = "Run the same command again: files already downloaded are kept."


def why(error: Exception) -> str:
    """Describe the cause of a failed download in our own words; libraries print addresses and objects.

    Args:
        error: what the download raised.

    Returns:
        A phrase without a full stop.
    """
    if isinstance(error, OSError) and error.errno in LOCAL:
        return error.strerror or str(error)
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return f"the server returned status {status}" if status else NO_CONNECTION


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect that leads away from https, behind which anyone on the way could answer."""

    def redirect_request(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.type == "https" and not newurl.lower().startswith("https://"):
            raise urllib.error.URLError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(source: str | urllib.request.Request, timeout: float = TIMEOUT_SECONDS) -> Any:
    """Open an address as `urllib.request.urlopen` does, but for redirects from https to anything else, which are refused.

    Args:
        source: the address, or a request.
        timeout: seconds without an answer after which the connection counts as lost.

    Raises:
        OSError: there is no answer, an error as the answer, or a redirect from https to another protocol.
    """
    return urllib.request.build_opener(_SecureRedirects).open(source, timeout=timeout)


def check_reachable(url: str, what: str) -> None:
    """Raise InputError unless a server answers. Any answer will do, an error included."""
    try:
        open_url(urllib.request.Request(url, method="HEAD")).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLError):  # reachable; the downloader has certificates of its own
            return
        raise InputError(f"{what} cannot be downloaded: {NO_CONNECTION}. Then run the same command again.") from None


def not_installed(package: str) -> InputError:
    """The error for a missing optional package that a download needs."""
    return InputError(f"This download needs the package {package}: run `pip install -e '.[fetch]'`.")
