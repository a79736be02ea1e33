VAT = 0.19


def net(items):
    total = 0
    for item in items:
        total = total + item["price"]
    return total


def gross(items):
    return net(items) + net(items) * VAT


def receipt(items):
    lines = []
    for item in items:
        lines.append(item["name"])
    return "\n".join(lines)
