# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot as MuJoCo's model, with a floating base (extra ``sim``)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.robots.packages import resolve
from mgpt3_ros.robots.robot import Robot

with extra('sim'):
    import mujoco

Array = NDArray[np.float64]

_WORLD = 'world'  # so MuJoCo takes it for its own
_READABLE = ('.stl', '.obj', '.msh')  # of meshes, by MuJoCo
# Names stay (fusestatic), meshes lie anywhere (strippath); masses are the URDF's own alone. The
# bounds stand in for links without mass, which MuJoCo refuses.
_COMPILER = {
    'strippath': 'false',
    'fusestatic': 'false',
    'discardvisual': 'true',
    'inertiafromgeom': 'false',
    'balanceinertia': 'true',
    'boundmass': '1e-12',
    'boundinertia': '1e-14',
}


class SimulationModel:
    """MuJoCo's model of a robot, and where its joints stand in it.

    Attributes:
        robot: whose it is.
        model, data: MuJoCo's.
        qpos, dof: (n,) indices of the commanded joints in ``data.qpos`` and ``data.qvel``. The
            base is ``qpos[:7]`` (place, quaternion w, x, y, z) and ``qvel[:6]``.
    """

    def __init__(self, robot: Robot) -> None:
        """Build the model.

        Raises:
            RobotError: MuJoCo cannot read it.
        """
        self.robot = robot
        try:
            self.model = mujoco.MjModel.from_xml_string(model_xml(robot))
        except ValueError as error:
            raise RobotError(f'MuJoCo cannot read {robot.urdf.path.name}: {error}') from error
        self.data = mujoco.MjData(self.model)
        joints = [self.model.joint(name) for name in robot.joint_names]
        self.qpos = np.array([joint.qposadr[0] for joint in joints])
        self.dof = np.array([joint.dofadr[0] for joint in joints])
        self._others = [
            (joint, int(self.model.joint(joint.name).qposadr[0]))
            for joint in robot.urdf.joints
            if joint.type != 'fixed' and joint.name not in robot.joint_names
        ]

    def rows(self, positions: Array, base_pos: Array, base_rot: Array) -> Array:
        """Return qpos (T, nq) of positions (T, n) [rad], base (T, 3) [m] and (T, 4) xyzw."""
        rows = np.zeros((len(positions), self.model.nq))
        rows[:, :3], rows[:, 3:7] = base_pos, base_rot[:, [3, 0, 1, 2]]
        rows[:, self.qpos] = positions
        for joint, column in self._others:
            rows[:, column] = self.robot.kinematics.value_of(joint, positions)
        return rows

    def standing(self) -> Array:
        """Return qpos (nq,) of the robot that stands at the origin and faces X."""
        from scipy.spatial.transform import Rotation

        turned = Rotation.from_matrix(self.robot.facing).as_quat()
        place = np.array([0.0, 0.0, self.robot.base_height])
        return self.rows(self.robot.stand[None], place[None], np.asarray(turned)[None])[0]


def model_xml(robot: Robot) -> str:
    """Return a URDF for MuJoCo: what lies below the base, on a floating joint, without visuals."""
    root = ElementTree.parse(robot.urdf.path).getroot()
    links = set(robot.kinematics.links)
    joints = {joint.name for joint in robot.urdf.joints}
    for element in list(root):
        kept = element.tag == 'link' and element.get('name') in links
        if not kept and not (element.tag == 'joint' and element.get('name') in joints):
            root.remove(element)
    for link in root.findall('link'):
        for visual in link.findall('visual'):
            link.remove(visual)
        for collision in link.findall('collision'):
            mesh = collision.find('geometry/mesh')
            if mesh is not None and not _located(mesh, robot):
                link.remove(collision)
    ElementTree.SubElement(root, 'link', name=_WORLD)
    floating = ElementTree.SubElement(root, 'joint', name='floating_base', type='floating')
    ElementTree.SubElement(floating, 'parent', link=_WORLD)
    ElementTree.SubElement(floating, 'child', link=robot.base_link)
    ElementTree.SubElement(ElementTree.SubElement(root, 'mujoco'), 'compiler', _COMPILER)
    return ElementTree.tostring(root, encoding='unicode')


def _located(mesh: ElementTree.Element, robot: Robot) -> bool:
    """Write the place of a mesh into its element; False where MuJoCo could not read it."""
    uri = mesh.get('filename', '')
    if not uri.lower().endswith(_READABLE):
        return False
    try:
        mesh.set('filename', str(resolve(uri, robot.urdf.path.parent)))
    except RobotError:
        return False
    return True
