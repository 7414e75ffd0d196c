"""A plugin, as text, whose methods end a trial in every way but a good one."""

PLUGIN = """
import ctypes, os, sys, time
from effauto import Float, Method, hookimpl

def raises(): raise ValueError("too bad\\nand a second line")
def leaves(): sys.exit(3)
def vanishes(): os._exit(0)
def dies(): os._exit(7)
def crashes(): ctypes.string_at(0)
def hangs(): time.sleep(3600)
def eats():
    eaten = []
    while True:
        eaten.append(b"x" * 2**24)
        time.sleep(0.01)
def starves(): raise MemoryError
def reads(): input()
def prints():
    print("{\\"done\\": {}}")
    os.write(1, b"not an answer\\n")
def raves(): raise ValueError("x" * 10**6)

def method(verb):
    def prepare(self, data, setting, context):
        verb()
        return data
    body = {"name": verb.__name__, "summary": "Misbehaves.", "stage": "data", "prepare": prepare}
    return type(verb.__name__.title(), (Method,), body)()

@hookimpl
def register_methods():
    yield from map(method, (raises, leaves, vanishes, dies, crashes, hangs, eats, starves))
    yield from map(method, (reads, prints, raves))
"""
