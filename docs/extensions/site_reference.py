# SPDX-License-Identifier: BSD-3-Clause
"""The reference: pages in docs/generated/reference, one per topic, with every public name once, from docstrings."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import re
import shutil
import types
from dataclasses import dataclass, field
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

OUT = pathlib.Path(__file__).parents[1] / "generated" / "reference"

#: Page -> (title, modules). What `equiheat` has, too, is documented as `equiheat.name`, else by the module.
PAGES: dict[str, tuple[str, str]] = {
    "creation": ("Making arrays", "construction creation grids diagonals conversion defaults"),
    "types": ("Element types", "dtypes promotion constants"),
    "elementwise": ("Element by element", "arithmetic rounding exponential trigonometry complex_math"),
    "logic": ("Comparison and logic", "comparison logical conditional"),
    "reductions": ("Reductions and statistics", "reductions statistics selection binning asynchronous"),
    "manipulation": ("Shapes and places", "manipulation splitting repetition padding editing"),
    "indexing": ("Indexing, sorting, sets", "indexing gathering sorting sets differences"),
    "stencils": ("Stencils, windows, convolution", "stencils moving signal ndimage"),
    "numpy": ("More names of NumPy's", "numpy_names"),
    "linalg": ("Linear algebra", "linalg"),
    "fft": ("Fourier transforms", "fft"),
    "random": ("Random numbers", "random"),
    "sparse": ("Sparse matrices", "sparse"),
    "files": ("Files", "io"),
    "distribution": ("Distribution and communication", "distribution communication devices errors profiling"),
    "exchange": ("Other libraries, printing", "interchange interop.dataframes mapping printing"),
    "clusters": ("Clusters", "cluster mixture graph spatial"),
    "models": ("Regression, classification", "regression classification naive_bayes"),
    "preparation": ("Decomposition, preparation", "decomposition preprocessing model_selection base"),
    "metrics": ("Metrics", "metrics"),
    "nn": ("Layers and losses", "nn nn.functional"),
    "optim": ("Optimisers", "optim optim.utils"),
    "data": ("Data sets", "utils.data utils.data.matrixgallery utils.data.spherical data data.render"),
    "ssl": ("Self-supervised learning", "ssl ssl.probes"),
    "testing": ("For tests of programs", "testing testing.strategies"),
}
#: Modules without __all__ that are no packages.
NAMES = {"equiheat.nn.functional": ["cross_attention", "cross_attention_reconstruction_loss", "interpolate"]}


@dataclass
class Entry:
    """One public name: where it is found, and other names of the same thing."""

    path: str
    thing: Any
    aliases: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Another name; the one that the thing itself knows comes first."""
        if path.rpartition(".")[2] == self.thing.__name__:
            self.path, path = path, self.path
        self.aliases.append(path)


def public() -> dict[str, Any]:
    """What `equiheat` itself has, without modules."""
    import equiheat as ht

    names = {name: getattr(ht, name) for name in dir(ht) if not name.startswith("_") and name != "annotations"}
    return {name: thing for name, thing in names.items() if not isinstance(thing, types.ModuleType)}


def names_of(module: types.ModuleType, top: dict[str, Any]) -> list[str]:
    """Public names of a module: __all__; of a package what is defined in it; else what `equiheat` has of it."""
    if hasattr(module, "__all__"):
        names = [name for name in module.__all__ if not name.startswith("_")]
    elif module.__name__ in NAMES:
        names = NAMES[module.__name__]
    elif hasattr(module, "__path__"):
        names = [name for name, thing in vars(module).items() if not name.startswith("_") and _of(module, thing)]
    else:
        names = [name for name, thing in vars(module).items() if top.get(name, module) is thing]
    return sorted(names, key=lambda name: (name.lower(), name))


def _of(module: types.ModuleType, thing: Any) -> bool:
    home = str(getattr(thing, "__module__", None) or "")
    return not isinstance(thing, types.ModuleType) and f"{home}.".startswith(f"{module.__name__}.")


def collect() -> dict[str, dict[str, list[Entry]]]:
    """Page -> module -> entries. Every name stands once; other names of one thing follow it."""
    top = public()
    told = {"equiheat.DNDarray"}
    entries: dict[int, Entry] = {}
    pages: dict[str, dict[str, list[Entry]]] = {}
    for page, (_, modules) in PAGES.items():
        for name in modules.split():
            module = importlib.import_module(f"equiheat.{name}")
            found = pages.setdefault(page, {}).setdefault(name, [])
            for own in names_of(module, top):
                thing = getattr(module, own)
                path = f"equiheat.{own}" if top.get(own, module) is thing else f"equiheat.{name}.{own}"
                if path in told or isinstance(thing, types.ModuleType):
                    continue
                told.add(path)
                named = inspect.isroutine(thing) or inspect.isclass(thing)
                if named and id(thing) in entries:
                    entries[id(thing)].add(path)
                    continue
                found.append(Entry(path, thing))
                if named:
                    entries[id(thing)] = found[-1]
    if missing := sorted(name for name in top if f"equiheat.{name}" not in told):
        raise ExtensionError(f"site_reference: on no page: {', '.join(missing)}; add their module to PAGES")
    return pages


def heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def render(entry: Entry) -> str:
    """The directive of one name."""
    thing = entry.thing
    text = ""
    if inspect.isclass(thing):
        text = f".. autoclass:: {entry.path}\n"
        if members := members_of(thing):
            text += f"   :members: {', '.join(members)}\n"
    elif inspect.isroutine(thing):
        text = f".. autofunction:: {entry.path}\n"
    else:
        value = repr(thing).splitlines()[0][:80]
        return f".. py:data:: {entry.path}\n\n   ``{value}``\n\n"
    text += "\n"
    for alias in entry.aliases:
        kind = "class" if inspect.isclass(thing) else "function"
        text += f".. py:{kind}:: {alias}\n\n   Another name of :py:obj:`{entry.path}`.\n\n"
    return text


def members_of(cls: type) -> list[str]:
    """Documented public methods and properties that the package itself defines, without those the docstring lists."""
    found = []
    listed = (inspect.getdoc(cls) or "").partition("\nAttributes\n---")[2].partition("\n\n")[0]
    for name in dir(cls):
        home = next((base for base in cls.__mro__ if name in vars(base)), object)
        if (
            name.startswith("_")
            or re.search(rf"^(\w+, )*{name}\b", listed, re.MULTILINE)
            or not home.__module__.startswith("equiheat")
        ):
            continue
        thing = vars(home)[name]
        thing = getattr(thing, "__func__", thing)
        if (inspect.isroutine(thing) or isinstance(thing, property)) and getattr(thing, "__doc__", None):
            found.append(name)
    return found


def array_page() -> str:
    """DNDarray: its own methods in full, those that are functions of the package by reference."""
    import equiheat as ht

    own, borrowed = [], []
    for name in members_of(ht.DNDarray):
        thing = inspect.getattr_static(ht.DNDarray, name)
        same = getattr(ht, name, None)
        (borrowed if same is not None and same is thing else own).append(name)
    text = heading("The array", "=")
    text += f".. autoclass:: equiheat.DNDarray\n   :members: {', '.join(own)}\n\n"
    text += heading("Functions that are methods, too", "-")
    return text + ", ".join(f":py:func:`x.{name}() <equiheat.{name}>`" for name in borrowed) + ".\n"


def write(app: Sphinx) -> None:
    """Write all pages anew where they changed."""
    pages = collect()
    texts = {"array": array_page(), "standard": standard_page()}
    for page, modules in pages.items():
        text = heading(PAGES[page][0], "=")
        for name, entries in modules.items():
            module = importlib.import_module(f"equiheat.{name}")
            summary = (inspect.getdoc(module) or name).split("\n\n")[0].replace("\n", " ")
            links = ", ".join(f":py:obj:`~{entry.path}`" for entry in entries)
            text += heading(f"equiheat.{name}", "-") + f"{summary}\n\n{links}\n\n" + "".join(map(render, entries))
        texts[page] = text
    listed = ["array", *pages, "standard"]
    texts["index"] = heading("Reference", "=") + (
        "Every public name, from its docstring: shapes, dtypes, the split of the result, what is sent, errors. "
        "``ht`` is ``equiheat``.\n\n.. toctree::\n   :maxdepth: 2\n\n" + "".join(f"   {page}\n" for page in listed)
    )
    OUT.mkdir(parents=True, exist_ok=True)
    for path in OUT.iterdir():
        if path.stem not in texts:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for page, text in texts.items():
        path = OUT / f"{page}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def standard_page() -> str:
    """The namespace of the array API standard: names only, the standard describes them."""
    text = heading("The array API standard", "=")
    text += "The standard says what these do; :doc:`/interoperability` says where ``ht.*`` differs.\n\n"
    for module in ("array_api", "array_api.linalg", "array_api.fft"):
        names = [n for n in importlib.import_module(f"equiheat.{module}").__all__ if not n.startswith("_")]
        text += heading(f"equiheat.{module}", "-") + ", ".join(f"``{name}``" for name in sorted(names)) + ".\n\n"
    return text


def types_as_text(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Types of attributes are prose ("Tensor of shape (n, d)"): text, not names to look up. After napoleon."""
    last = lines[-1] if lines else ""
    if what == "property" and last.startswith(":type: "):  # napoleon takes what stands before a colon for a type
        lines[0] = f"{last.removeprefix(':type: ')}: {lines[0]}"
        del lines[-1]
        return
    out: list[str] = []
    for line in lines:
        if line.strip().startswith(":type:"):
            out += ["", line.replace(":type: ", "*").rstrip() + "*"]
        else:
            out.append(line)
    lines[:] = out


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", types_as_text, priority=900)
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
