# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads walk.glb and walk.bvh in Blender as its menus do; the steps of docs/avatars.md.

    blender --background --factory-startup --python scripts/blender_check.py -- FOLDER

Prints how far joints are from those of FOLDER/walk.npy (as `mgpt3 render` writes it), writes
walk.fbx and a picture, walk.png.
"""

import builtins
import math
import sys
from pathlib import Path

import bpy
import numpy as np

FOLDER = Path(sys.argv[sys.argv.index('--') + 1])
NAMES = ('pelvis', 'left_wrist', 'right_wrist', 'left_foot', 'right_foot', 'head')
INDICES = (0, 20, 21, 10, 11, 15)
FRAMES = (0, 20, 40, 60)
FPS = 20


def make_debian_12_work() -> None:
    """Blender 3.4 beside Python 3.11 and NumPy 1.24; later ones need none of it."""
    if not hasattr(np, 'bool'):
        setattr(np, 'bool', bool)  # noqa: B010 (type checkers know only later versions)
    given = builtins.open
    builtins.open = lambda file, mode='r', *a, **k: given(file, mode.replace('U', ''), *a, **k)


def begin() -> None:
    """An empty file at the motion's rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = FPS


def error_mm(first: int, scale: float = 1.0) -> float:
    """Largest distance of joints from those of the motion; Blender has Z up and faces -Y."""
    body = next(o for o in bpy.data.objects if o.type == 'ARMATURE')
    truth = np.load(FOLDER / 'walk.npy')[list(FRAMES)][:, list(INDICES)]
    truth = truth[..., [0, 2, 1]] * [1, -1, 1]
    seen = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame + first)
        bones = body.pose.bones
        seen.append([list(body.matrix_world @ bones[name].head) for name in NAMES])
    return 1000 * float(np.linalg.norm(scale * np.array(seen) - truth, axis=-1).max())


def picture() -> None:
    """Render the frame in the middle by Cycles, which needs no screen."""
    scene = bpy.context.scene
    scene.frame_set(FRAMES[1])
    body = next(o for o in bpy.data.objects if o.type == 'ARMATURE')
    place = body.matrix_world @ body.pose.bones['pelvis'].head
    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 0, -0.035))
    bpy.ops.object.light_add(type='SUN', rotation=(0.6, 0.3, 0.4))
    bpy.context.object.data.energy = 1.6
    far = (place.x + 2.4, place.y - 3.2, 1.7)
    bpy.ops.object.camera_add(location=far)
    camera = bpy.context.object
    aim = np.array([place.x, place.y, 0.85]) - far
    turn = math.atan2(aim[1], aim[0]) - math.pi / 2
    camera.rotation_euler = (math.acos(-aim[2] / np.linalg.norm(aim)), 0, turn)
    scene.camera = camera
    scene.world = bpy.data.worlds.new('light')
    scene.world.use_nodes = True
    scene.world.node_tree.nodes['Background'].inputs[0].default_value = (0.5, 0.54, 0.6, 1)
    scene.render.engine = 'CYCLES'
    scene.cycles.samples = 24
    scene.cycles.use_denoising = False
    scene.render.resolution_x, scene.render.resolution_y = 480, 400
    scene.render.filepath = str(FOLDER / 'walk.png')
    bpy.ops.render.render(write_still=True)


make_debian_12_work()
begin()
bpy.ops.import_scene.gltf(filepath=str(FOLDER / 'walk.glb'))
print(f'GLB: joints within {error_mm(0):.2f} mm')
bpy.ops.export_scene.fbx(filepath=str(FOLDER / 'walk.fbx'), add_leaf_bones=False)
picture()
begin()
bpy.ops.import_scene.fbx(filepath=str(FOLDER / 'walk.fbx'))
print(f'FBX: joints within {error_mm(1):.2f} mm')
begin()
bpy.ops.import_anim.bvh(filepath=str(FOLDER / 'walk.bvh'), global_scale=0.01)
print(f'BVH: joints within {error_mm(1):.2f} mm')
