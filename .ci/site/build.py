#!/usr/bin/env python3
"""Builds the documentation site from docs/ into dist/site.

It copies docs/ and README.md, adds pages that are generated from the HTTP API's
description, the commands' --help and the Go types of the configuration, and runs
mkdocs, which fails on broken links.

Usage: build.py PROGRAM JSON
PROGRAM is the built server; JSON is the output of .ci/jsonref.
"""
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "dist" / "site-source"
REPOSITORY = "https://github.com/edgeauth/edgeauth/blob/main/"


def external(text: str, folder: str) -> str:
    """Points links that leave docs/ to the repository."""

    def replace(match: re.Match) -> str:
        target = match[1]
        if re.match(r"[a-z]+:|#|/", target):
            return match[0]
        path = pathlib.PurePosixPath(folder)
        for step in target.split("/"):
            path = path.parent if step == ".." else path / step
        inside = str(path).startswith("docs/") and not str(path).startswith("docs/examples")
        return match[0] if inside else f"]({REPOSITORY}{path})"

    return re.sub(r"\]\(([^)\s]+)\)", replace, text)


def copy() -> None:
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE, ignore=shutil.ignore_patterns("README.md", "examples"))
    shutil.copy(ROOT / "docs/decisions/README.md", SOURCE / "decisions/index.md")
    for page in SOURCE.rglob("*.md"):
        folder = pathlib.PurePosixPath("docs") / page.parent.relative_to(SOURCE).as_posix()
        page.write_text(external(page.read_text(), str(folder)))
    # The first page is the README; its links to docs/ become local.
    home = external((ROOT / "README.md").read_text(), "")
    home = re.sub(r"\]\(" + re.escape(REPOSITORY) + r"docs/(?!examples)", "](", home)
    home = re.sub(r"\]\(docs/", "](", home)
    home = re.sub(r'(src|srcset)="docs/', r'\1="', home)
    home = re.sub(r"(?m)^\[!\[.*\n", "", home)  # badges would be loaded from other servers
    home = home.replace("(decisions/README.md)", "(decisions/index.md)").replace("(README.md)", "(index.md)")
    (SOURCE / "index.md").write_text(home)


class Description:
    """An OpenAPI description as Markdown."""

    def __init__(self, spec: dict) -> None:
        self.spec = spec

    def resolve(self, node: dict) -> dict:
        while isinstance(node, dict) and "$ref" in node:
            found = self.spec
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            node = found
        return node or {}

    def kind(self, schema: dict) -> str:
        name = schema.get("$ref", "").rsplit("/", 1)[-1]
        schema = self.resolve(schema)
        kind = schema.get("type", "object" if "properties" in schema else "any")
        if isinstance(kind, list):
            kind = " or ".join(kind)
        if kind == "array":
            return "list of " + self.kind(schema.get("items", {}))
        if "enum" in schema:
            return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
        if schema.get("format"):
            kind += f" ({schema['format']})"
        return f"[{name}](#{name.lower()})" if name and name in self.schemas() else kind

    def schemas(self) -> dict:
        return self.spec.get("components", {}).get("schemas", {})

    def fields(self, schema: dict) -> list[str]:
        schema = self.resolve(schema)
        parts = [schema] + [self.resolve(part) for part in schema.get("allOf", [])]
        rows = []
        for part in parts:
            for name, field in part.get("properties", {}).items():
                text = field.get("description") or self.resolve(field).get("description", "")
                needed = "yes" if name in part.get("required", []) else ""
                rows.append(f"| `{name}` | {self.kind(field)} | {needed} | {' '.join(text.split())} |")
        if rows:
            rows = ["| field | type | always | meaning |", "|---|---|---|---|", *rows, ""]
        return rows

    def content(self, title: str, node: dict) -> list[str]:
        content = self.resolve(node).get("content", {})
        if "application/json" not in content:
            return []
        schema = content["application/json"].get("schema", {})
        rows = self.fields(schema)
        if "$ref" in schema and schema["$ref"].rsplit("/", 1)[-1] in self.schemas():
            return [f"{title}: {self.kind(schema)}", ""]
        return [f"{title}:", "", *rows] if rows else []

    def call(self, method: str, path: str, call: dict) -> list[str]:
        lines = [f"### {method.upper()} {path}", "", f"**{call.get('summary', '')}**", "", call.get("description", ""), ""]
        parameters = [self.resolve(p) for p in call.get("parameters", [])]
        if parameters:
            lines += ["| parameter | in | meaning |", "|---|---|---|"]
            lines += [f"| `{p['name']}` | {p['in']} | {' '.join(p.get('description', '').split())} |" for p in parameters]
            lines.append("")
        if "requestBody" in call:
            lines += self.content("Body", call["requestBody"])
        for status, response in call.get("responses", {}).items():
            response = self.resolve(response)
            lines += [f"`{status}`: {' '.join(response.get('description', '').split())}", ""]
            if status.startswith("2"):
                lines += self.content("Answer", response)
        return lines

    def markdown(self) -> str:
        lines = ["# HTTP API", "", self.spec["info"].get("description", ""), "",
                 f"Machines read [openapi.yaml]({REPOSITORY}docs/openapi.yaml).", ""]
        for group in self.spec["tags"]:
            lines += [f"## {group['name'].capitalize()}", "", group.get("description", ""), ""]
            for path, calls in self.spec["paths"].items():
                for method, call in calls.items():
                    if isinstance(call, dict) and group["name"] in call.get("tags", []):
                        lines += self.call(method, path, call)
        lines += ["## Types", ""]
        for name, schema in self.schemas().items():
            lines += [f"### {name}", "", schema.get("description", ""), "", *self.fields(schema)]
        return "\n".join(lines)


def help_of(program: str, *command: str) -> str:
    run = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True)
    return run.stdout.split("\nFull documentation is available at:")[0].rstrip()


def commands(program: str) -> str:
    """Returns the --help of every command of this module."""
    lines = ["# Commands", "", "The output of `--help`. Replace `caddy` by the name of your program.", ""]
    queue = [("edgeauth",)]
    while queue:
        command = queue.pop(0)
        text = help_of(program, *command)
        lines += [f"## caddy {' '.join(command)}", "", "```text", text.replace(program, "caddy"), "```", ""]
        listed = re.search(r"Available Commands:\n(.*?)(?:\n\n|\Z)", text, re.S)
        for line in listed[1].splitlines() if listed else []:
            name = line.split()[0] if line.split() else ""
            if name and name not in ("help", "completion"):
                queue.append((*command, name))
    return "\n".join(lines)


def unlisted() -> list[str]:
    """Returns the pages that the navigation does not list."""
    listed = (ROOT / ".ci/site/mkdocs.yml").read_text()
    return [page.name for page in SOURCE.glob("*.md") if not re.search(rf"\b{re.escape(page.name)}\b", listed)]


def main() -> None:
    program, json_reference = sys.argv[1:]
    copy()
    spec = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    (SOURCE / "reference-http.md").write_text(Description(spec).markdown())
    (SOURCE / "reference-commands.md").write_text(commands(program))
    shutil.copy(json_reference, SOURCE / "reference-json.md")
    if missing := unlisted():
        sys.exit(f"site: {', '.join(missing)} missing in nav of .ci/site/mkdocs.yml; add it")
    build = ["mkdocs", "build", "--strict", "--clean", "--config-file", ROOT / ".ci/site/mkdocs.yml"]
    if subprocess.run(build).returncode != 0:
        sys.exit("site: mkdocs failed")
    print(f"site: {sum(1 for _ in (ROOT / 'dist/site').rglob('*.html'))} pages in dist/site")


if __name__ == "__main__":
    main()
