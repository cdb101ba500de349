# SPDX-License-Identifier: Apache-2.0
"""A controlled station in a network namespace that has only a loopback.

    unshare -rn victim.py COMMAND...      {port} in COMMAND becomes the port to listen on"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
from victims import Speaker, serve, speak  # noqa: E402

serve(Speaker("station", 10.0, sys.argv[1:]), speak(0.01, 1))
