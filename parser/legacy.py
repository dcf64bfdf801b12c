"""Parameters that Midjourney dropped: known, so that they can be translated or explained."""

from parser.parameter import Kind, Parameter

LEGACY: tuple[Parameter, ...] = tuple(
    Parameter(name=name, kind=kind, help=help_, example=f"--{name}{value}", legacy=legacy, instead=instead)
    for name, kind, value, help_, legacy, instead in (
        ("test", Kind.FLAG, "", "Chose a test model of August 2022.", "that model is gone; leave it out", ""),
        (
            "testp",
            Kind.FLAG,
            "",
            "Chose a photographic test model of August 2022.",
            "that model is gone; leave it out",
            "",
        ),
        (
            "creative",
            Kind.FLAG,
            "",
            "Made the test models more varied.",
            "those models are gone; leave it out",
            "",
        ),
        (
            "uplight",
            Kind.FLAG,
            "",
            "Chose the light upscaler.",
            "the buttons under a picture enlarge it; leave it out",
            "",
        ),
        (
            "upbeta",
            Kind.FLAG,
            "",
            "Chose the beta upscaler.",
            "the buttons under a picture enlarge it; leave it out",
            "",
        ),
        (
            "upanime",
            Kind.FLAG,
            "",
            "Chose the anime upscaler.",
            "the buttons under a picture enlarge it; leave it out",
            "",
        ),
        ("beta", Kind.FLAG, "", "Chose a test model of 2022.", "that model is gone; leave it out", ""),
        ("vibe", Kind.FLAG, "", "Chose the first model.", "that model is gone; leave it out", ""),
        ("hq", Kind.FLAG, "", "Asked for more detail.", "write `--q 2` instead", "--q 2"),
        (
            "newclip",
            Kind.FLAG,
            "",
            "Tried another reading of the text.",
            "that trial ended; leave it out",
            "",
        ),
        (
            "nostretch",
            Kind.FLAG,
            "",
            "Tried another reading of the text.",
            "that trial ended; leave it out",
            "",
        ),
        (
            "old",
            Kind.FLAG,
            "",
            "Chose the model before the current one.",
            "that model is gone; leave it out",
            "",
        ),
        ("h", Kind.INTEGER, " 512", "Set the height in pixels.", "write a shape such as `--ar 3:2`", ""),
        ("wallpaper", Kind.FLAG, "", "Drew 1920 by 1024.", "write `--ar 15:8` instead", "--ar 15:8"),
        ("sl", Kind.FLAG, "", "Drew a small landscape.", "write `--ar 5:4` instead", "--ar 5:4"),
        ("ml", Kind.FLAG, "", "Drew a medium landscape.", "write `--ar 7:5` instead", "--ar 7:5"),
        ("ll", Kind.FLAG, "", "Drew a large landscape.", "write `--ar 3:2` instead", "--ar 3:2"),
        ("sp", Kind.FLAG, "", "Drew a small portrait.", "write `--ar 4:5` instead", "--ar 4:5"),
        ("mp", Kind.FLAG, "", "Drew a medium portrait.", "write `--ar 5:7` instead", "--ar 5:7"),
        ("lp", Kind.FLAG, "", "Drew a large portrait.", "write `--ar 2:3` instead", "--ar 2:3"),
    )
)
