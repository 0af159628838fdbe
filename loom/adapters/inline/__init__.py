"""Engines that run in this process: jobs and flows without any server."""
