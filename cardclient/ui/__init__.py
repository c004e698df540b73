"""The window: Qt pages over the same flow as the command line. Nothing outside this package knows Qt."""
