"""Products of given shapes are timed on this machine, once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from effauto.hardware import this_machine
from effauto.hardware.products import SAMPLES, Product, product_seconds

PRODUCTS = [
    Product("addmm", 1, 64, 32, 48, "float32"),
    Product("mm", 1, 64, 32, 48, "bfloat16"),
    Product("bmm", 8, 16, 8, 16, "float32"),
    Product("attention", 8, 16, 8, 16, "float32"),
    Product("attention_backward", 8, 16, 8, 16, "float32"),
]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFAUTO_CACHE_DIR", str(tmp_path))
    return replace(this_machine(), threads=1)


def test_each_is_timed_and_kept(machine, tmp_path):
    asked = [*PRODUCTS, *SAMPLES.values()]
    found = product_seconds(asked, machine)
    assert list(found) == asked
    assert all(0 < fast <= usual <= slow < 1 for fast, usual, slow in found.values())
    assert product_seconds(PRODUCTS, machine) == {p: found[p] for p in PRODUCTS}
    assert len(list(tmp_path.rglob("*.products-1.json"))) == 1


def test_what_torch_cannot_do_is_left_out(machine):
    strange = Product("mm", 1, 8, 8, 8, "no_such_type")
    assert product_seconds([PRODUCTS[0], strange], machine).keys() == {PRODUCTS[0]}


def test_a_damaged_file_is_ignored(machine, tmp_path):
    product_seconds(PRODUCTS[:1], machine)
    (path,) = tmp_path.rglob("*.products-1.json")
    path.write_text("{")
    assert product_seconds(PRODUCTS[:1], machine).keys() == {PRODUCTS[0]}
    assert json.loads(path.read_text())


def test_operations():
    assert PRODUCTS[0].flops == 2 * 64 * 32 * 48
    assert PRODUCTS[3].flops == 4 * 8 * 16 * 16 * 8
    assert PRODUCTS[4].flops == 2.5 * PRODUCTS[3].flops
