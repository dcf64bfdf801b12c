"""The documentation names everything there is, and nothing that is not."""

import re
from pathlib import Path

import pytest

from cli.config import known_keys
from cli.main import COMMANDS
from parser import PARAMETERS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_files_named_in_the_text_exist(page: Path) -> None:
    """Whatever stands in backticks and looks like a path of ours is one."""
    rooms = "parser|worker|bot|playground|cli|migrations|tests|docs|models|benchmarks|training"
    for name in re.findall(rf"`((?:{rooms})/[\w./-]*\w)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or "NNNN" in name, name


@pytest.mark.parametrize("name", [each.name for each in PARAMETERS if each.available])
def test_every_parameter_that_works_is_in_the_guide_for_members(name: str) -> None:
    assert f"`--{name}`" in text("docs/members.md")


def test_the_guide_for_members_promises_no_parameter_that_does_not_work() -> None:
    table = re.findall(r"^\| (`--[^|]*) \|", text("docs/members.md"), re.MULTILINE)
    promised = {name for row in table for name in re.findall(r"`--([a-z]+)`", row)}
    working = {name for each in PARAMETERS if each.available for name in (each.name, *each.aliases)}
    assert promised <= working


def test_the_limit_of_a_weight_is_in_the_guide_for_members() -> None:
    from parser.weights import WEIGHT_LIMIT

    assert f"between -{WEIGHT_LIMIT} and {WEIGHT_LIMIT}" in text("docs/members.md")


def test_every_setting_is_in_the_guide_for_operators_with_its_section() -> None:
    import tomllib

    block = re.search(r"```toml\ndata = .*?```", text("docs/operators.md"), re.DOTALL)
    assert block is not None
    shown = tomllib.loads(block.group().strip("`").removeprefix("toml"))
    keys = {
        f"{section}.{key}" if isinstance(value, dict) else section
        for section, value in shown.items()
        for key in (value if isinstance(value, dict) else [section])
    }
    assert keys == set(known_keys()) - {"discord_api", "models"}


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    from cli.config import load

    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", text("docs/operators.md"), re.DOTALL)):
        path = tmp_path / f"{number}.toml"
        path.write_text(block, encoding="utf-8")
        load({"HOME": "/home/ada"}, file=path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_command_line_is_documented(command: str) -> None:
    documents = text("README.md") + text("docs/operators.md") + text("CHANGELOG.md")
    assert f"journeyman {command}" in documents or f"`{command}`" in documents


def test_every_slash_command_is_in_the_guide_for_members() -> None:
    from bot.texts.en import WORDS

    names = {key.split(".")[1] for key in WORDS if re.fullmatch(r"command\.[a-z]+", key)}
    assert names
    for name in names:
        assert f"`/{name}" in text("docs/members.md"), name


def test_every_label_of_a_button_is_in_the_guide_for_members() -> None:
    from bot.texts.en import WORDS

    shown = ("button.upscale", "button.vary_subtle", "button.vary_strong", "button.cancel", "button.delete")
    for key in shown:
        assert f"**{WORDS[key]}**" in text("docs/members.md"), key


def test_every_make_target_lists_itself() -> None:
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = set(makefile.splitlines()[0].removeprefix(".PHONY: ").split())
    listed = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert targets == phony == listed


def test_every_decision_is_in_the_list() -> None:
    index = text("docs/decisions/README.md")
    for page in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"({page.name})" in index
        assert title in index


def test_the_readme_says_with_whom_we_are_not_affiliated() -> None:
    assert "not affiliated with" in text("README.md")
    for name in ("Fluent Emoji", "Noto Emoji", "Real-ESRGAN"):
        assert name in text("NOTICE")


def test_every_threat_names_a_test_that_exists() -> None:
    rows = [row for row in text("docs/security.md").splitlines() if row.startswith("| ") and "---" not in row]
    threats = [row for row in rows if not row.startswith("| Threat |")]
    assert threats
    for row in threats:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.split(" | ")[-1])
        assert named, row
        for file, name in named:
            assert re.search(rf"^ *(?:async )?def {name}\(", text(file), re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize(
    "threat",
    [
        "The token is in a file that is shared",
        "`/admin` without a rank",
        "A prompt that pings",
        "Markup, links under another name",
        "A picture's name that leads elsewhere",
        "A user name or prompt in a file's name",
        "Picture bombs",
        "SSRF",
        "Forged `JA::` buttons",
        "other people's",
        "An id that is none of ours",
        "Permutation bombs",
        "with those of interactions",
        "Prompts in the log",
    ],
)
def test_the_threats_everybody_asks_about_are_in_the_model(threat: str) -> None:
    rows = [row.split(" | ")[0] for row in text("docs/security.md").splitlines() if row.startswith("| ")]
    assert any(threat in row for row in rows)
