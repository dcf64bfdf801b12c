"""Every rule of the coach: what it finds in both languages, what it makes of it, and when it keeps silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser import PROMPT_LIMIT, PromptErrors, read_batch
from parser.coach import BUTTON_LABEL, Advice, Facts, Language, Rule, answer_in, coach, language_of
from tests.parser.test_linear import work

# A prompt, the rule that finds something in it, and the prompts its buttons lead to.
BAD: list[tuple[str, Rule, list[str]]] = [
    ("a man without an umbrella in the rain", Rule.WITHOUT, ["a man in the rain --no umbrella"]),
    ("a street with no cars and no people --ar 3:2", Rule.WITHOUT, ["a street --ar 3:2 --no cars, people"]),
    (
        "a portrait of a woman, no hats, no glasses",
        Rule.WITHOUT,
        ["a portrait of a woman --no hats, glasses"],
    ),
    ("a room that has no windows", Rule.WITHOUT, ["a room --no windows"]),
    (
        "a knight without a helmet or shield on a hill",
        Rule.WITHOUT,
        ["a knight on a hill --no helmet, shield"],
    ),
    ("a cat without any cup of tea", Rule.WITHOUT, ["a cat --no cup of tea"]),
    ("a house, without trees:: fog::.5", Rule.WITHOUT, ["a house:: fog::.5 --no trees"]),
    ("a fox with no tail --no snow", Rule.WITHOUT, ["a fox --no snow --no tail"]),
    ("no hats", Rule.WITHOUT, []),
    (
        "un hombre sin sombrero ni gafas en la calle",
        Rule.WITHOUT,
        ["un hombre en la calle --no sombrero, gafas"],
    ),
    ("una casa que no tiene ventanas", Rule.WITHOUT, ["una casa --no ventanas"]),
    ("un retrato de mujer sin fondo blanco", Rule.WITHOUT, ["un retrato de mujer --no fondo blanco"]),
    ("a street, do not show cars, wet asphalt", Rule.NEGATION, ["a street, wet asphalt --no cars"]),
    ("a logo of a bear, don't include text", Rule.NEGATION, ["a logo of a bear --no text"]),
    ("a fox, not red", Rule.NEGATION, ["a fox --no red"]),
    ("a beach at dawn, avoid people", Rule.NEGATION, ["a beach at dawn --no people"]),
    ("una calle de noche, no muestres coches", Rule.NEGATION, ["una calle de noche --no coches"]),
    (
        "un castillo en la niebla, evita los colores vivos",
        Rule.NEGATION,
        ["un castillo en la niebla --no colores vivos"],
    ),
    ("please draw me a fox", Rule.COMMAND, ["a fox"]),
    ("could you create an image of a castle please?", Rule.COMMAND, ["a castle"]),
    ("I want a dragon over the sea --seed 4", Rule.COMMAND, ["a dragon over the sea --seed 4"]),
    ("hello, can you paint a lighthouse in oil, thanks!", Rule.COMMAND, ["a lighthouse in oil"]),
    ("/imagine prompt: please draw me a fox", Rule.COMMAND, ["a fox"]),
    ("por favor, dibújame un gato", Rule.COMMAND, ["un gato"]),
    ("crea una imagen de un faro", Rule.COMMAND, ["un faro"]),
    ("quiero ver un dragón sobre el mar", Rule.COMMAND, ["un dragón sobre el mar"]),
    ("a night street at noon", Rule.CONTRADICTION, ["a night street", "a street at noon"]),
    (
        "a black and white photo of a colorful parrot",
        Rule.CONTRADICTION,
        ["a black and white photo of a parrot", "a photo of a colorful parrot"],
    ),
    (
        "a fox in snow --no fox, hats",
        Rule.CONTRADICTION,
        ["a fox in snow --no hats", "in snow --no fox, hats"],
    ),
    (
        "una calle de noche a mediodía",
        Rule.CONTRADICTION,
        ["una calle de noche", "una calle a mediodía"],
    ),
    ("a garden:: red::-.95", Rule.WEIGHTS, ["a garden:: red::-.5"]),
    ("un jardín::2 rojo::-1.8", Rule.WEIGHTS, ["un jardín::2 rojo::-1"]),
    ("a garden:: red::-.5 blue::-.4", Rule.WEIGHTS, ["a garden:: red::-.278 blue::-.222"]),
    (
        "hall, chandelier, carpet, mirrors, gold, rug, vase, lamp, window, table, chair, cup, plate",
        Rule.DETAILS,
        ["hall, chandelier, carpet, mirrors, gold"],
    ),
    (
        "salón, lámpara, alfombra, espejo, oro, jarrón, ventana, mesa, silla, taza, plato, cuchara --q 2",
        Rule.DETAILS,
        ["salón, lámpara, alfombra, espejo, oro --q 2"],
    ),
    ("cats", Rule.COUNT, ["three cats", "a clowder of cats"]),
    (
        "fluffy orange cats playing chess",
        Rule.COUNT,
        ["three fluffy orange cats playing chess", "a clowder of fluffy orange cats playing chess"],
    ),
    (
        "a painting of dogs",
        Rule.COUNT,
        ["a painting of three dogs", "a painting of a pack of dogs"],
    ),
    ("the lions in the window", Rule.COUNT, ["the three lions in the window"]),
    ("origami cats", Rule.COUNT, []),
    ("gatos en un tejado", Rule.COUNT, ["tres gatos en un tejado", "una colonia de gatos en un tejado"]),
    ("a beautiful and stunning lake, masterpiece, best quality, 8k", Rule.PRAISE, ["a lake"]),
    ("an amazing red fox", Rule.PRAISE, ["a red fox"]),
    ("a stunning owl, highly detailed, in ink", Rule.PRAISE, ["an owl, in ink"]),
    ("un lago hermoso e increíble", Rule.PRAISE, ["un lago"]),
    ("una montaña nevada, obra maestra, alta calidad", Rule.PRAISE, ["una montaña nevada"]),
]

# Said plainly: nothing is amiss in them, though something may be left open.
PLAIN = [
    "a red fox on a blue background",
    "two cats on a sofa",
    "a pride of lions at a waterhole, 35mm photo",
    "a lighthouse on a cliff in a storm, oil painting",
    "a close-up of a dew drop on a leaf, macro photo",
    "portrait of an old sailor with a pipe",
    "an astronaut riding a horse on the moon",
    "a bowl of apples beside a candle, still life",
    "the last train leaving a snowy station at night",
    "a paper boat in a puddle, neon reflections",
    "a knight kneeling in a field of poppies",
    "isometric view of a small bakery, pixel art",
    "a whale above the clouds, ukiyo-e print",
    "three robots playing cards in a diner",
    "a girl with a red balloon, silhouette at sunset",
    "hot dog:: food::-.5 animal",
    "hot:: dog",
    "a cat --no collar --ar 3:2",
    "tulip field:: red::-.5",
    "a fox {in snow, in sand}",
    "no longer a village, now a lake with a church tower",
    "a no parking sign on a brick wall",
    'a poster that says "no dogs allowed"',
    "a man in no man's land, trench coat",
    "half day, half night, a tree in the middle",
    "a photo of a watercolor painting on an easel",
    "a sheep dog watching a flock of sheep",
    "a bouquet of roses in a glass vase",
    "a city skyline from above, blueprint",
    "a violin made of ice, studio light",
    "a dragon curled around a teapot, ink drawing",
    "an empty swing in the fog",
    "a castle on a hill, moonlit, storybook style",
    "a wooden desk with a typewriter and a lamp",
    "several people waiting for a bus in the rain",
    "a pair of boots by the door",
    "a snowman with a carrot nose",
    "the Great Wave in the style of stained glass",
    "a tortoise carrying a tiny house",
    "a violet sky over a frozen river, wide shot",
    "children's book illustration of a bear baking bread",
    "a street market in Marrakesh, morning light",
    "mountains, clouds and stars over a lake",
    "an owl wearing a monocle, sepia photograph",
    "a cup of tea on a stack of books",
    "a chess board where each piece is a chess piece of glass",
    "the number 7 carved in stone",
    "steam train crossing a viaduct, aerial view",
    "a single red umbrella among a hundred black ones",
    "un zorro rojo sobre un fondo azul",
    "dos gatos en un sofá",
    "un faro en un acantilado, pintura al óleo",
    "sin embargo, un perro con corbata",
    "una bandada de pájaros sobre el mar",
    "un mercado de noche bajo la lluvia",
    "retrato de una anciana con pañuelo",
    "un barco de papel en un charco",
    "una calle vacía al amanecer, acuarela",
    "tres niños jugando en la playa",
    "un castillo en la niebla, estilo gótico",
    "naturaleza muerta con limones y una vela",
    "🦊 en la nieve",
]

UNKNOWN = Facts()


def found(prompt: str, rule: Rule, facts: Facts = UNKNOWN) -> Advice | None:
    return next((advice for advice in coach(prompt, facts=facts) if advice.rule is rule), None)


@pytest.mark.parametrize(("prompt", "rule", "better"), BAD, ids=[prompt for prompt, _, _ in BAD])
def test_a_rule_finds_what_it_is_for_and_its_buttons_put_it_right(
    prompt: str, rule: Rule, better: list[str]
) -> None:
    advice = found(prompt, rule)
    assert advice is not None
    assert [option.prompt for option in advice.options] == better
    for option in advice.options:
        read_batch(option.prompt)
        assert found(option.prompt, rule) is None or rule is Rule.COUNT


def test_every_rule_has_a_bad_example() -> None:
    assert {rule for _, rule, _ in BAD} == {*Rule} - {Rule.WINDOW, Rule.MISSING}


@pytest.mark.parametrize("prompt", PLAIN)
def test_a_plain_prompt_raises_no_false_alarm(prompt: str) -> None:
    assert [advice.rule for advice in coach(prompt) if not advice.offer] == []


def test_there_are_sixty_plain_prompts() -> None:
    assert len(set(PLAIN)) >= 60


def test_what_is_open_is_offered_in_the_language_of_the_prompt() -> None:
    advice = found("a fox", Rule.MISSING)
    assert advice is not None
    assert advice.offer
    assert "medium, light, perspective and style" in advice.reason
    assert [option.prompt for option in advice.options] == [
        "a fox, ink drawing",
        "a fox, neon light",
        "a fox, low angle",
        "a fox, baroque style",
    ]
    [offer] = coach("un zorro", Language.SPANISH)
    assert "la técnica, la luz, la perspectiva y el estilo" in offer.reason
    assert offer.options[0].prompt.startswith("un zorro, ")
    assert all(read_batch(option.prompt) for option in offer.options)


@pytest.mark.parametrize(
    "prompt",
    [
        "a fox, watercolor, golden hour light",
        "close-up of a fox at night, ink",
        "acuarela de un zorro al atardecer",
    ],
)
def test_nothing_is_offered_where_enough_is_said(prompt: str) -> None:
    assert coach(prompt) == ()


def test_taking_every_offer_ends_in_silence() -> None:
    prompt = "please draw me beautiful cats without a hat"
    for _ in range(12):
        first = next((advice for advice in coach(prompt) if advice.options), None)
        if first is None:
            break
        prompt = first.options[0].prompt
    assert prompt.startswith("three cats, ")
    assert prompt.endswith(" --no hat")
    assert coach(prompt) == ()


def test_a_part_longer_than_the_encoder_reads_is_found_and_cut_at_a_comma() -> None:
    prompt = ", ".join(f"a thing number {n} of blue glass" for n in range(11)) + " --seed 1"
    advice = found(prompt, Rule.WINDOW)
    assert advice is not None
    [option] = advice.options
    assert option.prompt.endswith("of blue glass --seed 1")
    assert found(option.prompt, Rule.WINDOW) is None
    assert found(f"{prompt.partition(' --')[0]}::2 fog", Rule.WINDOW) is not None


def test_parts_are_measured_one_by_one() -> None:
    half = " ".join(["lake"] * 60)
    assert found(f"{half} {half}", Rule.WINDOW) is not None
    assert found(f"{half}:: {half}", Rule.WINDOW) is None


def test_an_exact_count_is_taken_where_there_is_one() -> None:
    assert (
        found("a fox in the snow", Rule.WINDOW, Facts(window=3, count=lambda text: len(text.split())))
        is not None
    )
    assert (
        found("a fox in the snow", Rule.WINDOW, Facts(window=5, count=lambda text: len(text.split()))) is None
    )


def test_quotes_and_braces_keep_their_wording() -> None:
    assert coach('a neon sign at night, "no beautiful cats", photo') == ()
    assert [advice.rule for advice in coach("a {man without a hat, dog} in fog, photo")] == []


def test_a_prompt_with_mistakes_is_coached_all_the_same() -> None:
    advice = found("a man without a hat --seeed 4", Rule.WITHOUT)
    assert advice is not None
    assert advice.options[0].prompt == "a man --seeed 4 --no hat"


def test_image_links_stay_in_front() -> None:
    advice = found("https://a.example/b.png::2 please draw me a fox", Rule.COMMAND)
    assert advice is None or advice.options[0].prompt == "https://a.example/b.png::2 a fox"


@pytest.mark.parametrize(
    ("locale", "prompt", "language"),
    [
        ("es-ES", "a red fox", Language.SPANISH),
        ("es-419", "a red fox", Language.SPANISH),
        ("en-GB", "un zorro en la nieve", Language.ENGLISH),
        ("fr", "un zorro en la nieve", Language.SPANISH),
        ("de", "a fox in the snow", Language.ENGLISH),
        ("", "fox", Language.ENGLISH),
    ],
)
def test_advice_comes_in_the_persons_language_or_else_the_prompts(
    locale: str, prompt: str, language: Language
) -> None:
    assert answer_in(locale, prompt) is language


def test_both_languages_say_every_rule() -> None:
    for language in Language:
        for prompt, rule, _ in BAD:
            advice = next(advice for advice in coach(prompt, language) if advice.rule is rule)
            assert advice.reason
            assert "\n" not in advice.reason
            assert "→" in advice.example
    assert language_of("¿un gato?") is Language.SPANISH


@given(st.text(max_size=300))
def test_any_text_is_answered_and_no_button_breaks_a_prompt_that_works(prompt: str) -> None:
    advice = coach(prompt)
    try:
        read_batch(prompt)
    except PromptErrors:
        return
    for option in (option for each in advice for option in each.options):
        read_batch(option.prompt)
        assert 0 < len(option.label) <= BUTTON_LABEL


@pytest.mark.parametrize(
    "piece",
    ["no cats, ", "a beautiful {a, b} ", "without a hat and ", "x" * 50 + " ", "cats::2 ", '"', "a "],
)
def test_advice_takes_work_in_proportion_to_the_length(piece: str) -> None:
    short, long = (work((piece * length)[:length], coach) for length in (600, 2400))
    assert long < 8 * short + 2000


def test_what_is_too_long_to_be_read_gets_no_advice() -> None:
    assert coach("x" * (PROMPT_LIMIT + 1)) == ()
