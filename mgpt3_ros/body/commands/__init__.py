# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands understood, before a model is asked: plain Python and NumPy.

``meaning``, what a command can mean; ``words`` and ``lexing``, its words as symbols; ``reading``,
the grammar over them; ``memory``, what words such as "again" and "faster" speak of; ``shaping``,
how a drawn motion comes to meet the numbers; ``carrying_out``, all of it for one action.
"""
