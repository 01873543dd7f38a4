"""What goes wrong on the way to a server, in one sentence."""

import errno
import ssl
import urllib.error
import urllib.request

from fplbench.errors import InputError

LOCAL = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO)
NO_CONNECTION = "the server cannot be reached, or the connection was lost; see whether this machine has access to the internet"
TIMEOUT_SECONDS = 20


def why(error: Exception) -> str:
    """The cause of a failed transfer as a phrase of our own: libraries wrap it into addresses and objects."""
    if isinstance(error, OSError) and error.errno in LOCAL:
        return error.strerror
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return f"the server answers with the status {status}" if status else NO_CONNECTION


def check_reachable(url: str, what: str) -> None:
    """InputError unless a server answers, whatever its answer."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLError):  # it is there; the downloader has its own certificates
            return
        raise InputError(f"{what} cannot be downloaded: {NO_CONNECTION}. Then run the same command again.") from None
