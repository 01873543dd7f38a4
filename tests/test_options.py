import pytest
from pydantic import Field

from fplbench.explaining.options import ExplanationOptions
from fplbench.options import Options, options_table


def test_an_option_without_a_description_is_refused_where_it_is_defined():
    with pytest.raises(ValueError, match="the option 'size' of WindowOptions has no description"):

        class WindowOptions(Options):
            strength: float = Field(0.5, description="Strength, fraction of the grey range.")
            size: int = 3


def test_a_description_may_be_a_docstring_below_the_field():
    class WindowOptions(Options):
        size: int = 3
        """Side of the window, pixels."""

    assert options_table(WindowOptions).splitlines()[-1] == "| size | 3 | Side of the window, pixels. |"


def test_a_field_keeps_its_description_in_a_subclass():
    class OtherOptions(ExplanationOptions):
        pass

    assert OtherOptions.model_fields["beta"].description


def test_true_is_not_a_number():
    with pytest.raises(ValueError, match="True is not a number"):
        ExplanationOptions(beta=True)


def test_the_table_may_have_another_column():
    class WindowOptions(Options):
        size: int = Field(3, description="Side of the window, pixels.")

    assert options_table(WindowOptions, "grid", {"size": "3, 5"}).splitlines() == [
        "| option | default | meaning | grid |",
        "| --- | --- | --- | --- |",
        "| size | 3 | Side of the window, pixels. | 3, 5 |",
    ]
