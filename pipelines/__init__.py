"""Tessera: from an inbox of evidence to a progress committee's page."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tessera")
except PackageNotFoundError:
    __version__ = "0.0.0"

__all__ = ["__version__"]
