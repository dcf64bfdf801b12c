from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli.config import Settings, data_home, known_keys, load
from cli.failures import USAGE, Failure

HOME = {"HOME": "/home/ada"}


def written(folder: Path, text: str) -> Path:
    path = folder / "journeyman.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(text: str, folder: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(Failure) as caught:
        load(environ or HOME, file=written(folder, text))
    assert caught.value.code == USAGE
    return str(caught.value)


def test_without_a_file_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(HOME)
    assert settings.data == Path("/home/ada/.local/share/journeyman")
    assert settings.model.source == "embedded"
    assert (settings.limits.running, settings.limits.waiting, settings.limits.turbo) == (3, 10, False)
    assert settings.discord_token is None


def test_the_data_folder_follows_xdg() -> None:
    assert data_home({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == Path("/x/journeyman")


def test_all_mistakes_are_told_together_in_words(tmp_path: Path) -> None:
    told = refusal(
        "nonsense = 1\n[model]\nsteps = 0\n[limits]\nruning = 2\n"
        "[engine]\ndevice = 'gpu'\n[log]\nlevel = 3\n",
        tmp_path,
    )
    for part in ("nonsense", "model.steps", "limits.runing", "engine.device", "log.level"):
        assert part in told
    assert "did you mean limits.running?" in told
    assert "Traceback" not in told


def test_a_token_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    told = refusal('discord_token = "abc.def.ghi"', tmp_path)
    assert "DISCORD_TOKEN" in told
    assert "abc.def" not in told


@pytest.mark.parametrize("text", ["[model\na = 1", "a = \nb = 1", "a = [1,,]"])
def test_a_file_that_is_no_toml_says_where(tmp_path: Path, text: str) -> None:
    assert "line 1" in refusal(text, tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journeyman.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Failure, match="UTF-8"):
        load(HOME, file=path)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no configuration file"):
        load(HOME, file=tmp_path / "other.toml")


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'data = "/from-file"\n[model]\nsteps = 11\nguidance = 4\n')
    environ = {**HOME, "JOURNEYMAN_DATA": "/from-env", "JOURNEYMAN_MODEL__STEPS": "12"}
    assert load(HOME, file=path).data == Path("/from-file")
    both = load(environ, file=path)
    assert both.data == Path("/from-env")
    assert (both.model.steps, both.model.guidance) == (12, 4)
    assert load(environ, file=path, options={"data": Path("/from-option")}).data == Path("/from-option")
    assert load(environ, file=path, options={"data": None}).data == Path("/from-env")


def test_a_mistake_in_the_environment_is_told_too(tmp_path: Path) -> None:
    told = refusal("", tmp_path, {**HOME, "JOURNEYMAN_LIMITS__WAITING": "many"})
    assert "limits.waiting" in told


def test_secrets_come_from_the_environment_and_hide_in_repr(tmp_path: Path) -> None:
    settings = load({**HOME, "DISCORD_TOKEN": "abc.def.ghi"}, file=written(tmp_path, ""))
    assert settings.token == "abc.def.ghi"
    assert "abc" not in repr(settings)


def test_a_missing_token_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="DISCORD_TOKEN"):
        load(HOME, file=written(tmp_path, "")).token  # noqa: B018


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load(HOME, file=written(tmp_path, ""))
    changed: Any = settings
    with pytest.raises(ValidationError):
        changed.data = Path("/")


def test_known_keys_name_sections_and_leave_secrets_out() -> None:
    assert "model.steps" in known_keys()
    assert "data" in known_keys()
    assert not any("token" in key for key in known_keys())
    assert set(Settings.model_fields) >= {key.partition(".")[0] for key in known_keys()}


def test_a_variable_that_sets_nothing_is_named(tmp_path: Path) -> None:
    environ = HOME | {"JOURNEYMAN_LIMIT__RUNNING": "2", "JOURNEYMAN_FOO": "1", "JOURNEYMAN_LIMITS": "foo"}
    told = refusal("", tmp_path, environ)
    for name in ("JOURNEYMAN_LIMIT__RUNNING", "JOURNEYMAN_FOO", "JOURNEYMAN_LIMITS"):
        assert name in told
    assert "did you mean limits.running?" in told


def test_a_misspelt_section_is_told_the_section_meant(tmp_path: Path) -> None:
    assert "did you mean model?" in refusal("[modell]\nsteps = 3\n", tmp_path)


def test_an_empty_data_folder_does_not_mean_the_working_folder(tmp_path: Path) -> None:
    assert "data: it must name a folder" in refusal('data = ""', tmp_path)


def test_credits_are_read_for_roles_and_servers(tmp_path: Path) -> None:
    text = (
        "[credits]\nday = 2.5\n[credits.roles.184000000000000001]\nunlimited = true\n"
        '[credits.servers."184000000000000003"]\nmonth = 50\n'
    )
    credits = load({**HOME, "JOURNEYMAN_CREDITS__MONTH": "7"}, file=written(tmp_path, text)).credits
    assert (credits.day, credits.month) == (2.5, 7)
    assert credits.roles[184000000000000001].unlimited
    assert credits.servers[184000000000000003].month == 50


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("day = -1", "credits.day"),
        ("day = inf", "credits.day"),
        ("month = nan", "credits.month"),
        ("[credits.roles.artists]\nday = 1", "credits.roles.artists"),
        ("[credits.roles.5]\ndaily = 1", "credits.roles.5.daily"),
        ("[credits.roles.5]\nrunning = 0", "credits.roles.5.running"),
        ("[credits.servers.5]\nrunning = 3", "credits.servers.5.running"),
    ],
)
def test_a_mistake_in_credits_is_told_with_its_place(tmp_path: Path, text: str, key: str) -> None:
    assert key in refusal(f"[credits]\n{text}\n", tmp_path)


@pytest.mark.parametrize(
    "host", ["https://example.org", "example.org/a", "example.org:443", "", "*.", "a b.org"]
)
def test_a_host_of_pictures_is_a_name_alone(tmp_path: Path, host: str) -> None:
    path = tmp_path / "journeyman.toml"
    path.write_text(f"[images]\nhosts = [{host!r}]", encoding="utf-8")
    with pytest.raises(Failure, match="images"):
        load({"HOME": "/home/ada"}, file=path)
    path.write_text("[images]\nhosts = ['Example.org', '*.example.net', '*']", encoding="utf-8")
    assert load({"HOME": "/home/ada"}, file=path).images.hosts == ("example.org", "*.example.net", "*")


@pytest.mark.parametrize(
    ("api", "origin"),
    [
        ("http://127.0.0.1:8123/api/v10", "http://127.0.0.1:8123"),
        ("http://10.0.0.1:8123/api/v10", None),
        ("https://discord.com/api/v10", None),
        ("http://[", None),
    ],
)
def test_pictures_come_from_a_local_discord_on_this_machine_alone(api: str, origin: str | None) -> None:
    from cli.wiring import local_discord

    assert local_discord(load({"HOME": "/home/ada"}, options={"discord_api": api})) == origin
    assert local_discord(load({"HOME": "/home/ada"})) is None
