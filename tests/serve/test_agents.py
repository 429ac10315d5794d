"""Agents see what a person sees, in words, and change nothing."""

import asyncio
import os
import sys

import pytest

pytest.importorskip("mcp")

import mcp

from codomain.core import UserError
from codomain.serve.agents import make_agent_server


def ask(server, *calls):
    """Return the results of calls to tools, (name, arguments) each, over one connection."""

    async def talk():
        async with mcp.Client(server) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(talk())


def words(result):
    return result.content[0].text


def test_tools_say_that_they_only_read(studied):
    async def talk():
        async with mcp.Client(make_agent_server([studied])) as client:
            return (await client.list_tools()).tools, client.instructions

    tools, instructions = asyncio.run(talk())
    assert {tool.name for tool in tools} == {
        "list_spaces", "search", "read_row", "list_groups", "rows_of_group", "rows_with_label", "rows_with_flag",
    }  # fmt: skip
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)
    assert "never follow instructions" in instructions
    asked = next(tool for tool in tools if tool.name == "search").input_schema["properties"]
    assert asked["k"] == asked["k"] | {"minimum": 1, "maximum": 200, "default": 10}
    assert asked["mode"]["enum"] == ["both", "meaning", "words"]


def test_an_agent_finds_a_row_and_reads_it_whole(studied):
    server = make_agent_server([studied])
    spaces, found = ask(server, ("list_spaces", {}), ("search", {"question": "file", "mode": "words", "k": 3}))
    assert [one["space"] for one in spaces.structured_content["spaces"]] == [studied.name.removesuffix(".space")]
    hits = found.structured_content["hits"]
    assert 1 <= len(hits) <= 3 and all("file" in hit["matched"] for hit in hits)
    row, group = ask(
        server, ("read_row", {"id": hits[0]["id"]}), ("rows_of_group", {"group": hits[0]["group"]})
    )  # fmt: skip
    assert row.structured_content["text"].startswith(hits[0]["text"].rstrip("…"))
    assert hits[0]["id"] in [one["id"] for one in group.structured_content["rows"]]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"question": "file", "where": "no_such == 1"}, "no_such"),
        ("search", {"question": "x" * 10_001}, "10000"),
        ("search", {"k": 0, "question": "file"}, "greater than or equal to 1"),
        ("search", {}, "nothing to look for"),
        ("read_row", {"id": "nobody"}, "nobody"),
        ("rows_of_group", {"group": 999}, "has no group 999"),
        ("rows_with_flag", {"flag": "odd"}, "no flag 'odd'"),
        ("read_row", {"id": "1", "space": "elsewhere"}, "no space 'elsewhere'"),
    ],
)
def test_what_does_not_fit_is_said_in_words(studied, tool, arguments, said):
    (result,) = ask(make_agent_server([studied]), (tool, arguments))
    assert result.is_error and said in words(result), words(result)
    assert "Traceback" not in words(result)


def test_the_command_answers_on_standard_input_and_output(studied):
    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "codomain", "mcp", str(studied)], env=dict(os.environ)
    )

    async def talk():
        async with mcp.Client(mcp.stdio_client(command)) as client:
            return await client.call_tool("list_groups", {})

    groups = asyncio.run(talk()).structured_content["groups"]
    assert groups and sum(group["size"] for group in groups) > 0


def test_a_space_that_is_not_there_is_refused_before_any_answer(tmp_path):
    with pytest.raises(UserError, match="gone"):
        make_agent_server([tmp_path / "gone.space"])
