"""Machines: this one, found and measured, and profiles of machines one does not have."""

from effauto.hardware.calibration import calibrate
from effauto.hardware.datasheets import profile, profiles
from effauto.hardware.detect import this_machine
from effauto.hardware.find import machine

__all__ = ["calibrate", "machine", "profile", "profiles", "this_machine"]
