"""The table of docs/performance.md: caption, rows, verdicts."""

import datetime
import os
import pathlib
import platform
import re

from control import line
from measurement import ROOT
from peers import versions


def clock():
    mhz = re.search(r"cpu MHz\s+: (\S+)", pathlib.Path("/proc/cpuinfo").read_text())
    source = pathlib.Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    return f"{float(mhz[1]):.0f} MHz" if mhz else "clock unknown", source.read_text().strip() if source.exists() else "?"


def caption(arguments):
    """The machine, the settings that move the figures, and every peer's version."""
    cpu = re.search(r"model name\s+: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    mhz, source = clock()
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
    return (f"Measured {datetime.date.today()} by `perf/run{' --quick' if arguments.quick else ''}`: {arguments.rounds} "
            f"rounds of {arguments.seconds} s, runtime `{arguments.runtime}`; {cpu[1] if cpu else platform.machine()}, "
            f"{os.cpu_count()} CPUs, {mhz}, clock source {source}, Linux {platform.release().split('-')[0]}, TCP congestion control "
            f"{congestion}; {versions()}; configs in `perf/peers/`. W2 and W6 don't saturate the core: they pay for wake-ups.")


def verdict(value):
    """The target, whether it is met, and the stretch in brackets; W2's is held against the p50."""
    if not value["target"]:
        return "–"
    seen = value[value["judged"]]
    text = f"≤ {value['target']:.2f}" + (f" on {value['judged']}" if value["judged"] != "ratio" else "")
    text += " met" if seen <= value["target"] else " **missed**"
    if value["stretch"]:
        text += f" [≤ {value['stretch']:.2f} {'met' if seen <= value['stretch'] else 'not yet'}]"
    return text


def table(rows, idle, scales, pair, managed, arguments):
    lines = [
        caption(arguments), "",
        "| scenario | ours: CPU, p50, p99, p99.9, RSS | against | CPU ratio (median of rounds) | target [stretch] "
        "| p50 ratio | p99 ratio | p99.9 ratio | RSS |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mine = (f"{row['cpu_us']:.2f} µs, {row['p50_us']:.0f} µs, {row['p99_us']:.0f} µs, {row['p999_us']:.0f} µs, "
                f"{row['rss_kib'] / 1024:.1f} MiB ({row['counted']} runs count)")
        for peer, value in row["peers"].items():
            lines.append(f"| {row['scenario']} {row['what']} | {mine} | {peer} {value['cpu_us']:.2f} µs | "
                         f"{value['ratio']:.3f} | {verdict(value)} | {value['p50']:.2f} | {value['p99']:.2f} | "
                         f"{value['p999']:.2f} | {value['rss_kib'] / 1024:.1f} MiB |")
    lines.append("")
    for one in idle:
        target = 1.5 if one["runtime"] == "ring" else 4
        met = "met" if one["kib"] <= target else "**missed**"
        lines.append(f"W7, {one['runtime']}: {one['kib']:.2f} KiB of process memory for each of {one['connections']:.0f} idle "
                     f"connections (target ≤ {target} KiB: {met}).")
    if scales:
        ratios = ", ".join(f"{name} {ratio:.3f}" for name, ratio in scales["ratios"].items())
        lines.append(f"Scale, CPU per request against the smallest: {ratios} (target 0.95 to 1.05). "
                     f"An idle sidecar with one shard and one API: {scales['sidecar_mib']:.1f} MiB (target ≤ 12 MiB).")
    if pair:
        met = "met" if pair["ratio"] <= 1.1 else "**missed**"
        lines.append(f"Two shards need {pair['ratio']:.3f} of the CPU per request of one (target ≤ 1.1: {met}), at {pair['rate']:.2f} "
                     "of its answers a second; node, load and backend share the two cores there.")
    if managed:
        lines.append(line(managed))
    return "\n".join(lines)


def write(text):
    page = ROOT / "docs/performance.md"
    begin, end = "<!-- perf/run: begin -->", "<!-- perf/run: end -->"
    old = page.read_text()
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    before, rest = old.split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
    print(f"written to {page.relative_to(ROOT)}")
