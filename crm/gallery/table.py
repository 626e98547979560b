"""The declaration: each option of `TableConfig` at least once. The page shows this very text."""

from crm.gallery import services
from crm.gallery.model import Plant
from crm.grid import (
    Action,
    AnyOf,
    Column,
    DateRange,
    EditForm,
    Form,
    Input,
    NumberRange,
    Related,
    Search,
    TableConfig,
)
from crm.i18n import says, says_n
from crm.tables.site import site

PLANTS = site.register(
    TableConfig(
        name="gallery",
        model=Plant,
        title=says("Plants"),
        rows=services.growing,
        columns=(
            # A field needs its name only: kind, choices, length and bounds are the model's.
            Column("name", label=says("Plant"), edit="gallery.edit", pinned=True, width=150),
            Column("label", label=says("Label"), help=says("As it stands on the pot."), width=90),
            Column("light", label=says("Light"), edit="gallery.edit"),
            # A foreign key: shown and chosen by the name of what it leads to.
            Column("greenhouse_code", label=says("Greenhouse"), edit="gallery.edit"),
            # Computed from the row, with an order that the database can sort by.
            Column("dry_in", value=services.dry_in, kind="number", label=says("Dry in days"), order=Plant.watered_at),
            # Computed for a whole page at once.
            Column("neighbours", look_up=services.neighbours, kind="number", label=says("Neighbours")),
            Column("height", label=says("Height, cm"), edit="gallery.edit"),
            Column("leaves", label=says("Leaves"), edit="gallery.edit"),
            # Cents in the database, units on the screen; and only for who may see prices.
            Column("price", label=says("Price"), kind="money", edit="gallery.edit", see="gallery.edit"),
            # Shown as text of one's own.
            Column("moisture", label=says("Moisture"), show=lambda value: f"{value} %", sortable=True),
            Column("sold", label=says("Sold"), edit="gallery.edit"),
            Column("sown", label=says("Sown"), edit="gallery.edit"),
            Column("watered_at", label=says("Watered")),
            Column("note", edit="gallery.edit"),
        ),
        # Exact, at the beginning, or anywhere; through a foreign key too.
        search=("name", Search("label", match="prefix", tidy=str.upper), "greenhouse_code.name"),
        filters=(
            AnyOf("light", label=says("Light")),
            AnyOf("sold", label=says("Sold")),
            Related("greenhouse", field="greenhouse_code", label=says("Greenhouse")),
            NumberRange("leaves", label=says("Leaves")),
            DateRange("sown", label=says("Sown")),
        ),
        sort="label",
        page_sizes=(20, 50, 200),
        save=services.save,
        add=Form(
            fields=(
                Input("name", label=says("Plant")),
                Input("label", label=says("Label"), help=says("Given once.")),
                Input("light", label=says("Light")),
                Input("greenhouse_code", label=says("Greenhouse"), choices=services.greenhouses),
                Input("height", label=says("Height, cm")),
                Input("sown", label=says("Sown")),
                "note",
            ),
            run=services.add,
            needs="gallery.edit",
            title=says("Add a plant"),
            done=lambda plant: says("{name} is in its pot.", name=plant.name),
        ),
        edit=EditForm(
            fields=(
                Input("name", label=says("Plant")),
                Input("light", label=says("Light")),
                Input("price", label=says("Price"), kind="money"),
                Input("sold", label=says("Sold")),
                Input("watered_at", label=says("Watered")),
                "note",
            ),
            needs="gallery.edit",
            title=says("Edit the plant"),
        ),
        actions=(
            # One click on a row; some are refused, and the account says which.
            Action(
                "water",
                says("Water"),
                run=services.water,
                needs="gallery.edit",
                done=says_n("{count} plant watered.", "{count} plants watered.", count=0),
                icon=":material/water_drop:",
                each=True,
            ),
            # Parameters are asked for.
            Action(
                "move",
                says("Move to..."),
                run=services.move,
                needs="gallery.edit",
                params=(
                    Input(
                        "greenhouse_code",
                        label=says("Greenhouse"),
                        kind="choice",
                        required=True,
                        choices=services.greenhouses,
                    ),
                    Input("note", required=False),
                ),
                verb=says("Move"),
                done=says_n("{count} plant moved.", "{count} plants moved.", count=0),
                icon=":material/local_shipping:",
            ),
            # A question before, and the way back after.
            Action(
                "throw-away",
                says("Throw away"),
                run=services.throw_away,
                needs="gallery.edit",
                confirm=says_n("Throw {count} plant away?", "Throw {count} plants away?", count=0),
                done=says_n("{count} plant thrown away.", "{count} plants thrown away.", count=0),
                undo=services.bring_back,
                undone=says_n("{count} plant is back.", "{count} plants are back.", count=0),
                icon=":material/delete:",
            ),
        ),
        export="gallery.view",
        share="gallery.share_views",
        empty=says("Nothing grows here yet. Add the first plant."),
        cap=1_000,
    )
)
