"""The process that converts charts with vl-convert: ``python -m kis_nb._widgets.convert``.

vl-convert holds Python's interpreter lock while it works, and so would hold up the kernel.

Each line of the input is a JSON object with a ``number`` and a Vega-Lite ``spec``, or with an
``svg`` and the ``scale`` of the PNG that is wanted of it. Each line of the output is a JSON object
with the number of what it answers and ``svg``, ``png`` (base64) or ``error``. The process ends with
its input.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any


def answer(request: dict[str, Any]) -> dict[str, str]:
    """Convert what one line of the input asks for."""
    import vl_convert

    try:
        if "spec" in request:
            return {"svg": vl_convert.vegalite_to_svg(request["spec"], allowed_base_urls=[])}
        png = vl_convert.svg_to_png(request["svg"], scale=request["scale"])
        return {"png": base64.b64encode(png).decode()}
    except ValueError as error:  # what vl-convert raises, whatever is wrong with a chart
        # The reason is on the second line.
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        return {"error": " ".join(said[:2])[:300]}


def main() -> None:
    """Answer line by line, and let whoever draws a page go first."""
    if hasattr(os, "nice"):
        os.nice(10)
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps({"number": request["number"], **answer(request)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
