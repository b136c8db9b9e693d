"""Raw answers against botocore's own model of the service: no member that it doesn't know, none of the wrong type."""


def problems(value, shape, path="answer"):
    """Everything in `value` that the shape doesn't allow."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path} is {value!r}, not an object"]
        found = []
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name not in known:
                found.append(f"{path}.{name} is unknown to the service's model")
            elif inner is not None:
                found += problems(inner, known[name], f"{path}.{name}")
        return found
    if kind == "list":
        if not isinstance(value, list):
            return [f"{path} is {value!r}, not a list"]
        return [p for i, item in enumerate(value) for p in problems(item, shape.member, f"{path}[{i}]")]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{path} is {value!r}, not a map"]
        # An empty template is null on the wire.
        return [p for k, v in value.items() if v is not None for p in problems(v, shape.value, f"{path}.{k}")]
    wanted = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "double": (int, float),
        "float": (int, float),
        "timestamp": (int, float),
        "blob": str,
    }[kind]
    is_flag = isinstance(value, bool)
    if not isinstance(value, wanted) or (is_flag and kind != "boolean"):
        return [f"{path} is {value!r}, not a {kind}"]
    return []
