"""What can go wrong with a download, as sentences for the user."""

import errno
import ssl
import urllib.error
import urllib.request

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


def check_reachable(url: str, what: str) -> None:
    """Raise InputError unless a server answers. Any answer will do, an error included."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLError):  # reachable; the downloader has certificates of its own
            return
        raise InputError(f"{what} cannot be downloaded: {NO_CONNECTION}. Then run the same command again.") from None


def not_installed(package: str) -> InputError:
    """The error for a missing optional package that a download needs."""
    return InputError(f"This download needs the package {package}: run `pip install -e '.[fetch]'`.")
