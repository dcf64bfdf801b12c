"""What the bot says, one module a language; a key that a language lacks is said in English."""

from collections.abc import Mapping

from bot.texts import en, en_admin, en_coach, en_moderation, en_prefer, en_privacy, es, es_prefer

_LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "es": {**es.WORDS, **es_prefer.WORDS}}


class Texts:
    """The catalogue in one language."""

    def __init__(self, locale: str = "en-US") -> None:
        self._words = {
            **en.WORDS,
            **en_admin.WORDS,
            **en_coach.WORDS,
            **en_moderation.WORDS,
            **en_privacy.WORDS,
            **en_prefer.WORDS,
            **_LANGUAGES.get(locale.partition("-")[0], {}),
        }

    def __call__(self, key: str, /, **facts: object) -> str:
        """Return the words for *key* with its places filled.

        Raises:
            KeyError: No such key, or a place without a fact.
        """
        return self._words[key].format(**facts)

    def __contains__(self, key: str) -> bool:
        return key in self._words
