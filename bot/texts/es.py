"""Spanish: so far the coach and `/help`."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "coach.title": "Consejos para tu prompt",
        "coach.good": "Nada que añadir: este prompt dice lo que debe.",
        "coach.apply": "Aplicar: {what}",
        "coach.imagine": "Imaginar",
        "coach.hint": "-# Consejo: {reason}",
        "help.values": "**Valores**: {values}",
        "help.default": "**Por defecto**: {default}",
        "help.example": "**Ejemplo**: `{example}`",
        "help.several": "**Hasta**: {n}",
        "help.excludes": "**No junto con**: {names}",
        "help.here": "✅ Funciona en este servidor.",
        "help.closed": "🚫 No en este servidor: {reason}",
        "help.not_open": "el operador no lo ha abierto.",
        "help.price": "**Coste de una cuadrícula**: {prices}",
        "help.price.one": "{value}: {credits}",
        "help.price.same": "el mismo que sin él",
        "help.aliases": "**También**: {aliases}",
        "help.not_yet": "Aquí todavía no está disponible.",
        "help.unknown.title": "No hay tal tema",
        "help.unknown": "No tengo ayuda sobre `{topic}`. `/help` a solas explica el resto.",
    }
)
