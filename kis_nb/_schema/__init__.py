"""Every KIS call as data: path, TR ids, parameters, page keys, blocks and the glossary of fields.

Whatever depends on a field's name, type, unit or label is built from here: frames, labels, the
data dictionary, the embedded broker. A further KIS call is one more `Endpoint` with a CSV glossary
of its own; the paging loop and the decoder take any of them.

May import `kis_nb._codes` and `kis_nb._choices`, and nothing else of the package.
"""
