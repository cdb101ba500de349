# SPDX-License-Identifier: Apache-2.0
"""A station of lib60870 in a network of its own, where nothing but a loopback is.

    unshare -rn victim.py LIBRARY"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
from victims import Speaker, serve, speak  # noqa: E402

serve(Speaker("station", 10.0, [sys.executable, os.path.join(HERE, "station.py"), sys.argv[1], "{port}"]), speak(0.01, 1))
