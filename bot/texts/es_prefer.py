"""Spanish: what people prefer, and several jobs by one command. Button names that Midjourney coined stay."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "settings.adjust": "Cambia aquí tus ajustes.",
        "settings.suffix": "Sufijo actual: `{suffix}`",
        "settings.usual_model": "Usar el modelo habitual",
        "mode.now.fast": "¡Hecho! Tus trabajos esperan en el carril rápido y se pagan con tus créditos.",
        "mode.now.relax": (
            "¡Hecho! Tus trabajos no cuestan créditos y esperan a que nadie más necesite la máquina. Este "
            "modo no admite varios prompts en un solo comando."
        ),
        "mode.now.turbo": "¡Hecho! Tus trabajos van antes que todos los demás y cuestan el doble.",
        "prefer.suffix.set": ("Tu sufijo es ahora `{suffix}`. Se añade a cada prompt que no diga otra cosa."),
        "prefer.suffix.removed": "Tu sufijo se ha quitado.",
        "prefer.suffix.none": "No tienes sufijo. `/prefer suffix` con parámetros pone uno.",
        "prefer.option.title": "Opciones propias",
        "prefer.option.set": "`--{name}` significa ahora `{value}`.",
        "prefer.option.gone": "`--{name}` se ha borrado.",
        "prefer.option.none": "No tienes opciones propias. `/prefer option set` crea una.",
        "prefer.auto_dm.on": "A partir de ahora tus resultados también te llegan por mensaje directo.",
        "prefer.auto_dm.off": "Tus resultados ya no te llegan por mensaje directo.",
        "prefer.auto_dm.hello": "Tus resultados llegarán también aquí. `/prefer auto_dm` lo termina.",
        "added.option": "`{text}` es tu opción `--{option}`.",
        "added.suffix": "`{text}` viene de tu sufijo. `/prefer suffix` lo cambia.",
        "added.settings": "`{text}` viene de tus ajustes. `/settings` los cambia.",
        "added.short.option": "**Tu opción** `--{option}`: `{text}`",
        "added.short.suffix": "**De tu sufijo**: `{text}`",
        "added.short.settings": "**De tus ajustes**: `{text}`",
        "batch.title": "{n} trabajos",
        "batch.ask": "Esto creará **{n}** trabajos. ¿Continuar?",
        "batch.ask.time": "Esto creará **{n}** trabajos (unos {time}). ¿Continuar?",
        "batch.cost": "**Coste**: {cost} créditos",
        "batch.left": "**Quedan**: {left} de {allowed} (`{window}`)",
        "batch.short": "Los créditos alcanzan para los primeros {n}; los demás tendrían que esperar.",
        "batch.queued": "**{n}** trabajos están en cola.",
        "batch.dropped": "Cancelado. No se ha puesto nada en cola.",
        "batch.partly": "**{done}** de **{n}** trabajos están en cola, **{left}** no.",
        "batch.partly.title": "No todos",
        "batch.next": "El siguiente es `{prompt}`. Lo que ya está en cola no se repite.",
        "batch.edit.title": "Editar el prompt",
        "batch.edit.prompt": "Prompt",
        "button.yes": "Sí",
        "button.no": "Cancelar",
        "button.edit": "Editar",
        "button.go_on": "Poner en cola el resto",
    }
)
