# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of ``mgpt3``, one a module: ``add_parser`` declares it, ``run`` carries it out.

At the top a module imports nothing that is slow; PyTorch and OpenCV come in where they are used.
"""
