"""The pictures of the documentation are those that the walk takes, and small enough to be looked at."""

from PIL import Image

from tests.smime import pictures

HEAVIEST_PICTURE = 120_000


def test_every_step_has_its_pictures_on_a_page_that_shows_them():
    there = {path.name for path in pictures.FOLDER.glob("*.png")}

    assert there == set(pictures.wanted()), "python -m tests.smime.pictures"
    assert (pictures.FOLDER / "README.md").read_text() == pictures.page()
    for name in there:
        assert (pictures.FOLDER / name).stat().st_size <= HEAVIEST_PICTURE
        with Image.open(pictures.FOLDER / name) as picture:
            assert picture.width == int(name.removesuffix(".png").rpartition("-")[2])
