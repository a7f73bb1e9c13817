"""Errors of files as sentences that say what to do."""

from pathlib import Path

from cli.errors import CommandFailed, UsedWrongly


def unread(file: Path, error: OSError) -> UsedWrongly:
    """Why a file that was named cannot be read."""
    match error:
        case FileNotFoundError():
            return UsedWrongly(f"There is no file {file}.")
        case IsADirectoryError():
            return UsedWrongly(f"{file} is a folder; give a file.")
        case PermissionError():
            return UsedWrongly(f"{file} cannot be read: you have no permission to.")
    return UsedWrongly(f"{file} cannot be read: {error.strerror or error}.")


def unwritten(file: Path, error: OSError) -> CommandFailed:
    """Why a file cannot be written."""
    match error:
        case FileNotFoundError():
            return CommandFailed(f"{file} cannot be written: there is no folder {file.parent}.")
        case IsADirectoryError():
            return CommandFailed(f"{file} cannot be written: it is a folder.")
        case PermissionError():
            return CommandFailed(f"{file} cannot be written: you have no permission to.")
    return CommandFailed(f"{file} cannot be written: {error.strerror or error}.")
