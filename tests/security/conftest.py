from tests.bot.conftest import easel, live, person, playground, studio

__all__ = ["easel", "live", "person", "playground", "studio"]
